/** One Response made once and cloned for every answer: speed.md, "Sending bytes". */
import { equalStamps, putStamp, type Stamp } from "./trace.ts";

/** An answer that will be asked for again. */
export interface Repeated {
  /** The answer is kept as long as this object is: the bytes it is made from. */
  readonly of: object;
  /** Equal (`===`) as long as `make()` would answer the same, but for the stamp. */
  readonly face: unknown;
  /** Changes from one second to the next. */
  readonly stamp: Stamp;
  /** Without the stamp; called when the answer is made for the first time. */
  make(): Response;
}

interface Kept {
  readonly response: Response;
  readonly face: unknown;
  stamp: Stamp;
}

/** Making a Response copies its bytes and checks its headers; a clone does neither. A new stamp is rare. */
export function createResponseKeeper(): (answer: Repeated) => Response {
  const kept = new WeakMap<object, Kept>();

  return function cloneOf({ of, face, stamp, make }) {
    let known = kept.get(of);
    if (known === undefined || known.face !== face) {
      const response = make();
      putStamp(response.headers, stamp);
      known = { response, face, stamp };
      kept.set(of, known);
    } else if (!equalStamps(known.stamp, stamp)) {
      putStamp(known.response.headers, stamp);
      known.stamp = stamp;
    }
    return known.response.clone();
  };
}
