/** That something was purged, for every process that has it in memory. */
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";

export interface Purges {
  /** Forgets here, and every other process at its next look at KV: within a second. Throws StorageError. */
  tell(): Promise<void>;
  /** What a look has shown; the first one is where this process begins. */
  seen(stamp: string | null): void;
  /** Called, once for each change that was seen; it replaces what was given before. */
  onPurge(forget: () => void): void;
}

/** One for the process. */
export function createPurges(kv: Deno.Kv): Purges {
  let last: string | null | undefined;
  let forget = () => {};
  return {
    async tell() {
      forget();
      await attempt("tell that something was purged", () => kv.set(keys.purged(), { v: 1 }));
    },
    seen(stamp) {
      const isOther = last !== undefined && last !== stamp;
      last = stamp;
      if (isOther) forget();
    },
    onPurge: (given) => void (forget = given),
  };
}
