/**
 * Long work on the one thread, in slices: after about a millisecond a timer lets other requests in (only a timer
 * does: setImmediate and MessageChannel do not let HTTP in between).
 */
import { reserve } from "./room.ts";
import type { Timers } from "./runtime.ts";

const SLICE_MS = 1.5;
/** Where nobody else has come during the last slices. A timer takes 1 to 2 ms, as long as a slice: that would be half. */
const LONGEST_SLICE_MS = 8;

/** Of one piece of work; it begins with a slice. */
export interface Pacer {
  /** The slice is used up. */
  readonly isDue: boolean;
  /** Lets others in, and begins the next slice. */
  pause(): Promise<void>;
}

export function createPacer(timers: Timers): Pacer {
  const arrivals = timers.arrivals ?? (() => NaN);
  let sliceMs = SLICE_MS;
  let sliceEnds = performance.now() + sliceMs;
  let arrived = arrivals();
  return {
    get isDue() {
      return performance.now() >= sliceEnds;
    },
    async pause() {
      await timers.sleep(0);
      sliceMs = arrivals() === arrived ? Math.min(2 * sliceMs, LONGEST_SLICE_MS) : SLICE_MS;
      arrived = arrivals();
      sliceEnds = performance.now() + sliceMs;
    },
  };
}

/**
 * Runs through `steps`, pausing between two of them whenever a slice is used up; passes each on to `each`. Resolves
 * with what a generator returned.
 */
export async function paced<T, R>(
  steps: Iterable<T, R>,
  timers: Timers,
  each: (step: T) => void = () => {},
): Promise<R> {
  const pacer = createPacer(timers);
  const iterator = steps[Symbol.iterator]();
  let ended = false;
  try {
    for (;;) {
      const step = iterator.next();
      ended = step.done === true;
      if (step.done) return step.value;
      each(step.value);
      if (pacer.isDue) await pacer.pause();
    }
  } catch (error) {
    if (!ended) iterator.return?.();
    throw error;
  }
}

/** One array of all pieces. Fresh memory is dear to touch: 21 MB at once hold the loop for 40 ms. */
export async function joined(
  pieces: readonly Uint8Array[],
  length: number,
  timers: Timers,
): Promise<Uint8Array<ArrayBuffer>> {
  const whole = reserve(length);
  let at = 0;
  await paced(pieces, timers, (piece) => {
    whole.set(piece, at);
    at += piece.byteLength;
  });
  return whole;
}

const PIECE_BYTES = 64 * 1024;

/** Views of at most 64 kB. */
export function* slicesOf(bytes: Uint8Array): Iterable<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
