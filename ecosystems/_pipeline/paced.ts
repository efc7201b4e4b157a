/**
 * Long work on the one thread, in slices: after about a millisecond a timer lets other requests in (only a timer
 * does: setImmediate and MessageChannel do not let HTTP in between).
 */
import type { Timers } from "../../storage/runtime.ts";

const SLICE_MS = 1.5;

/** Runs through `steps`, pausing between two of them whenever a slice is used up; passes each on to `each`. */
export async function paced<T>(steps: Iterable<T>, timers: Timers, each: (step: T) => void): Promise<void> {
  let sliceEnds = performance.now() + SLICE_MS;
  for (const step of steps) {
    each(step);
    if (performance.now() < sliceEnds) continue;
    await timers.sleep(0);
    sliceEnds = performance.now() + SLICE_MS;
  }
}
