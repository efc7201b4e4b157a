/** brotli for answers that are kept and asked for often: made in the background, one at a time. */
import { brotliInSlices } from "../../storage/brotli.ts";
import type { Slots } from "../../storage/slots.ts";
import type { Background, Timers } from "../../storage/runtime.ts";
import type { LateCoding } from "../outcome.ts";

export interface PackServices {
  readonly background: Background;
  /** Those that are packed at once; the others wait. */
  readonly packing: Slots;
  readonly timers: Timers;
}

/** What is asked for less often is not worth the time. */
const AFTER_ASKS = 3;
/** What is larger takes too long beside the requests, and is seldom asked for. */
const LARGEST_BYTES = 12 * 2 ** 20;
/** What waits is held in memory even when the answer is not kept any more. */
const MOST_WAITING = 4;

/** null: these bytes are never packed. `mostBytes`: more than these are not kept, nor would they be worth it. */
export function brotliLater(
  bytes: Uint8Array,
  options: { readonly mostBytes: number; readonly services: PackServices },
): LateCoding | null {
  const { mostBytes, services } = options;
  if (bytes.byteLength > LARGEST_BYTES) return null;
  let packed: Uint8Array | null = null;
  let asks = 0;
  let isBegun = false;

  async function pack(): Promise<void> {
    const release = await services.packing.acquire();
    try {
      const made = await brotliInSlices(bytes, services.timers);
      if (made.byteLength < mostBytes) packed = made;
    } finally {
      release();
    }
  }

  return {
    bytes: () => packed,
    missed() {
      asks++;
      if (isBegun || asks < AFTER_ASKS || services.packing.waiting >= MOST_WAITING) return;
      isBegun = true;
      services.background.run("brotli", pack);
    },
  };
}
