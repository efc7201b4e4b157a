/** A fill among several processes: one of them asks upstream, the others are served what it kept. */
import type { FillOutcome } from "./fill_follower.ts";
import { ABSENT, type Transfer, transferBytes } from "./fill_transfer.ts";
import type { Once } from "./once.ts";
import type { Place } from "./slots.ts";

export interface SharedFill {
  readonly once: Once;
  /** The same in every process, for the same file and what it must be. */
  readonly name: string;
  /** Given back while another process is waited for. */
  readonly place: Place;
}

/**
 * Who waits for another process cannot be given a byte before that one has them all, and pip gives up after 15 s: a
 * file that takes longer than this is fetched by each process, once.
 */
const PATIENCE_MS = 6_000;

/** As `transferBytes`; null: without asking other processes. */
export async function shareBytes(shared: SharedFill | null, transfer: Transfer): Promise<FillOutcome> {
  const { find } = transfer.request;
  if (shared === null || find === undefined) return await transferBytes(transfer);
  const { once, name, place } = shared;
  return await once.run<FillOutcome>({
    name,
    async find() {
      const stat = await find();
      return stat === null ? null : { kind: "kept", stat, elsewhere: true };
    },
    async work(turn) {
      await place.take();
      return await transferBytes({
        ...transfer,
        decided(kept) {
          transfer.decided(kept);
          // There will be nothing for the others to find.
          if (!kept) turn.end();
        },
      });
    },
    nothing: ABSENT,
    patienceMs: PATIENCE_MS,
    waiting: place.giveBack,
  });
}
