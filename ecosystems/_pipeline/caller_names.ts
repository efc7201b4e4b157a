import { type ByteCache, createByteCache } from "../../storage/memory.ts";
import type { Clock } from "../../storage/runtime.ts";
import type { Caller } from "../ecosystem.ts";
import { createTally } from "./tally.ts";

/** User names cost an index entry each, and nobody proves one: an address may use only so many new ones an hour. */
export interface CallerNames {
  /** False: this name is new here, and the address has used up what it may bring. */
  admits(caller: Caller): boolean;
}

const WINDOW_MS = 60 * 60_000;
const SEEN_BYTES = 8 * 2 ** 20;
const SEEN_ENTRY_BYTES = 300;

/** `limit`: new names an address may bring to an organisation within an hour. */
export function createCallerNames(options: { readonly clock: Clock; readonly limit: number }): CallerNames {
  const seen: ByteCache<true> = createByteCache<true>({
    maxBytes: SEEN_BYTES,
    sizeOf: () => SEEN_ENTRY_BYTES,
  });
  const fresh = createTally({
    clock: options.clock,
    windowMs: WINDOW_MS,
    limit: options.limit,
    maxKeys: 10_000,
  });
  return {
    admits({ organisation, address, user, isVerified }) {
      // There are as many users with tokens as somebody made tokens.
      if (user === null || isVerified === true) return true;
      const name = `${organisation}\n${address}\n${user}`;
      if (seen.get(name) !== undefined) return true;
      if (!fresh.count(`${organisation}\n${address}`)) return false;
      seen.set(name, true);
      return true;
    },
  };
}
