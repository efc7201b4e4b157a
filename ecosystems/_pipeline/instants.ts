/** What is kept for requests as of past instants: apart from all else and bounded, since strangers think instants up. */
import { type ByteCache, createByteCache } from "../../storage/memory.ts";
import type { Clock } from "../../storage/runtime.ts";
import type { Caller } from "../ecosystem.ts";
import type { AsOf, Entity } from "../outcome.ts";
import type { MemoEntry } from "./memo.ts";
import { createTally } from "./tally.ts";
import type { Timeline } from "./timeline.ts";

/** Of one package, form and organisation so many instants are kept at once: another one takes the place of one of them. */
const PLACES = 7;
/** New instants that an address may bring to an organisation within an hour; snapshots with names cost nothing. */
export const NEW_INSTANTS_PER_ADDRESS = 500;
const WINDOW_MS = 60 * 60_000;
const SEEN_BYTES = 4 * 2 ** 20;
const SEEN_ENTRY_BYTES = 200;
/** Beside what indexes of the present may take: each takes twice its size. */
const SHARE = 1 / 2;

export interface Instants {
  /** Indexes as of instants: they are never in the way of the present's. */
  readonly memo: ByteCache<MemoEntry>;
  readonly timelines: ByteCache<Timeline>;
  /**
   * Stands in rendered bytes where an address names its instant, so that instants that are alike share the bytes.
   * Random, and never shown: nobody can put it into a document.
   */
  readonly placeholder: string;
  /** By what was rendered: the bytes for the address that was asked last. */
  readonly finished: WeakMap<MemoEntry, Finished>;
  /** False: this instant is new here, and the address has used up what it may bring. */
  admits(caller: Caller, at: AsOf): boolean;
}

export interface Finished {
  /** The instant as the address has it. */
  readonly text: string;
  readonly entity: Promise<Entity>;
}

export function createInstants(options: {
  readonly memoBytes: number;
  readonly factsBytes: number;
  readonly clock: Clock;
}): Instants {
  const { memoBytes, factsBytes, clock } = options;
  const seen = createByteCache<true>({ maxBytes: SEEN_BYTES, sizeOf: () => SEEN_ENTRY_BYTES });
  const fresh = createTally({
    clock,
    windowMs: WINDOW_MS,
    limit: NEW_INSTANTS_PER_ADDRESS,
    maxKeys: 10_000,
  });
  return {
    memo: createByteCache<MemoEntry>({
      maxBytes: memoBytes * SHARE,
      largestBytes: memoBytes * SHARE,
      sizeOf: (entry) => entry.sizeBytes,
    }),
    timelines: createByteCache<Timeline>({
      maxBytes: factsBytes * SHARE,
      largestBytes: factsBytes * SHARE,
      sizeOf: ({ changes }) => 512 + changes.byteLength,
    }),
    placeholder: crypto.randomUUID(),
    finished: new WeakMap(),
    admits({ organisation, address }, { instant, isNamed }) {
      if (isNamed) return true;
      const name = `${organisation}\n${address}\n${instant}`;
      if (seen.get(name) !== undefined) return true;
      if (!fresh.count(`${organisation}\n${address}`)) return false;
      seen.set(name, true);
      return true;
    },
  };
}

/** Where what is made as of an instant is kept among its likes. */
export function placeOf(instant: number): number {
  return Math.abs(Math.trunc(instant / 1_000)) % PLACES;
}
