/** Chance that can be repeated: everything random of a soak comes from its seed. */

export interface Random {
  /** From 0 (inclusive) to 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** One of these; throws RangeError where there is none. */
  pick<T>(from: readonly T[]): T;
  /** Another one, which repeats itself whatever becomes of this one. */
  fork(): Random;
}

/** Mulberry32: 32 bits of state are enough to choose what to ask for. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  function between(low: number, high: number): number {
    return low + Math.floor(next() * (high - low + 1));
  }

  function pick<T>(from: readonly T[]): T {
    const found = from[between(0, from.length - 1)];
    if (found === undefined) throw new RangeError("There is nothing to pick from");
    return found;
  }

  return { next, between, pick, fork: () => createRandom(between(0, 2 ** 32 - 1)) };
}
