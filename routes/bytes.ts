/** How bytes in memory are sent: speed.md, "Sending bytes". One function chooses. */
import { putHeader, respond } from "./headers.ts";
import { createResponseKeeper } from "./kept_response.ts";
import { putStamp, type Stamp } from "./trace.ts";

/** Up to here a kept Response is cloned; above, clones copy on Deno 2.5 when many clients wait. */
const CLONED_UP_TO_BYTES = 2 ** 20;
const SLICE_BYTES = 256 * 1024;

/** An answer whose bytes are in memory and will be asked for again. */
export interface InMemory {
  /** Shared, never written to; the same object is the same bytes. */
  readonly bytes: Uint8Array;
  readonly status: number;
  /** Equal (`===`) as long as `headers()` would be, but for the stamp. */
  readonly face: unknown;
  /** Changes from one second to the next. */
  readonly stamp: Stamp;
  /** Without the stamp; called when the answer is made for the first time. */
  headers(): Headers;
}

/**
 * Up to 1 MB: one Response per bytes is made and cloned for every answer. Above: a stream of slices with a length.
 * What is kept goes when the bytes go.
 */
export function createByteSender(): (answer: InMemory) => Response {
  const cloneOf = createResponseKeeper();

  return function sendBytes(answer) {
    const { bytes, status, face, stamp, headers } = answer;
    if (bytes.byteLength > CLONED_UP_TO_BYTES) return sendOnce({ bytes, status, headers: stamped(answer) });
    return cloneOf({
      of: bytes,
      face,
      stamp,
      make: () => respond({ status, headers: headers(), body: bytes }),
    });
  };
}

/** For bytes that are not asked for again: nothing is kept. */
export function sendOnce(answer: {
  readonly bytes: Uint8Array;
  readonly status: number;
  readonly headers: Headers;
}): Response {
  const { bytes, status, headers } = answer;
  if (bytes.byteLength <= CLONED_UP_TO_BYTES) return respond({ status, headers, body: bytes });
  putHeader(headers, "content-length", String(bytes.byteLength));
  return respond({ status, headers, body: slices(bytes) });
}

function stamped(answer: InMemory): Headers {
  const headers = answer.headers();
  putStamp(headers, answer.stamp);
  return headers;
}

/** A pull stream of `subarray`s: nothing is copied, and a client that stalls holds nothing of its own. */
function slices(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
      if (at >= bytes.byteLength) controller.close();
    },
  }, { highWaterMark: 0 });
}
