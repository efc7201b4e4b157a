/** Time that a test moves by hand: a clock and timers of one mind. */
import type { EpochMs } from "../../policy/types.ts";
import type { Clock, Timers } from "../../storage/runtime.ts";

export interface TestClock {
  readonly clock: Clock;
  readonly timers: Timers;
  /** How many sleeps wait. */
  readonly sleeping: number;
  /** Moves time on, waking each sleep at its own instant, in order; what a waker starts to sleep meanwhile counts too. */
  advance(ms: number): Promise<void>;
  /** The clock jumps (forward or back) without a timer noticing, as a machine's clock does when it is set. */
  jump(ms: number): void;
}

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/** Lets everything run that only waits for promises: a turn of the loop drains the microtasks and pending I/O. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Starts at `start` (an instant, or its ISO form). */
export function createTestClock(start: number | string = "2026-11-21T08:00:00Z"): TestClock {
  let now = typeof start === "number" ? start : Date.parse(start);
  let elapsed = 0;
  let sleepers: readonly Sleeper[] = [];

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = () => {
      sleepers = sleepers.filter((other) => other !== sleeper);
      reject(signal?.reason);
    };
    const wake = () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    };
    const sleeper: Sleeper = { wakesAt: elapsed + Math.max(0, ms), wake };
    sleepers = [...sleepers, sleeper];
    signal?.addEventListener("abort", abort, { once: true });
    return promise;
  }

  function takeNext(until: number): Sleeper | null {
    let next: Sleeper | null = null;
    for (const sleeper of sleepers) {
      if (sleeper.wakesAt <= until && (next === null || sleeper.wakesAt < next.wakesAt)) next = sleeper;
    }
    if (next !== null) sleepers = sleepers.filter((other) => other !== next);
    return next;
  }

  async function advance(ms: number): Promise<void> {
    const until = elapsed + ms;
    await settle();
    for (let next = takeNext(until); next !== null; next = takeNext(until)) {
      now += next.wakesAt - elapsed;
      elapsed = next.wakesAt;
      next.wake();
      await settle();
    }
    now += until - elapsed;
    elapsed = until;
    await settle();
  }

  return {
    clock: () => now as EpochMs,
    timers: { sleep },
    get sleeping() {
      return sleepers.length;
    },
    advance,
    jump: (ms) => {
      now += ms;
    },
  };
}
