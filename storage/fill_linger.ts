/** Fills that have ended well, for the moment in which some still read them and others still come to join. */
import type { BlobStat } from "./artifacts/store.ts";
import type { Fill } from "./fill_run.ts";
import type { Clock } from "./runtime.ts";

/** Whoever looked into the index just before a fill ended, and found nothing, joins it for so long afterwards. */
const LINGER_MS = 2000;

export interface Linger {
  /** From now on the fill's memory counts against the bound; the oldest give theirs back first. */
  add(fill: Fill, identity: string, stat: BlobStat): void;
  /** What a lingering fill kept; null: it does not linger. */
  keptBy(fill: Fill): BlobStat | null;
  /** A follower of this fill has gone. */
  left(fill: Fill): void;
  /** Ends the lingering of those that have lingered long enough: each is passed to `onExpired`. */
  expire(): void;
}

/** `maxBytes` bounds the windows of all fills that have ended. */
export function createLinger(
  options: {
    readonly clock: Clock;
    readonly maxBytes: number;
    readonly onExpired: (identity: string, fill: Fill) => void;
  },
): Linger {
  const { clock, maxBytes, onExpired } = options;
  /** The oldest first. */
  const lingering = new Map<
    Fill,
    { readonly identity: string; readonly at: number; readonly stat: BlobStat }
  >();
  const holding = new Map<Fill, number>();
  let heldBytes = 0;

  function release(fill: Fill): void {
    fill.release();
    heldBytes -= holding.get(fill) ?? 0;
    holding.delete(fill);
  }

  function add(fill: Fill, identity: string, stat: BlobStat): void {
    lingering.set(fill, { identity, at: clock(), stat });
    holding.set(fill, fill.heldBytes);
    heldBytes += fill.heldBytes;
    if (fill.followers === 0) release(fill);
    for (const oldest of holding.keys()) {
      if (heldBytes <= maxBytes) return;
      release(oldest);
    }
  }

  function expire(): void {
    for (const [fill, { identity, at }] of lingering) {
      // Either way: a clock that was set back must not make them stay.
      if (Math.abs(clock() - at) <= LINGER_MS) return;
      lingering.delete(fill);
      onExpired(identity, fill);
    }
  }

  return {
    add,
    keptBy: (fill) => lingering.get(fill)?.stat ?? null,
    left: (fill) => {
      if (fill.followers === 0 && holding.has(fill)) release(fill);
    },
    expire,
  };
}
