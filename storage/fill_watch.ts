/** Notices that a source has stopped sending, without asking a clock: a clock that is set does not cut a download. */
import { type Timers, UNNEEDED } from "./runtime.ts";

export interface Watch {
  /** Around each wait for the source; what is not waited for does not count against it. */
  during<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

const CHECKS = 4;

/** Calls `onStall` once, when one wait has lasted for `idleMs` (up to a quarter more). */
export function createWatch(
  options: { readonly idleMs: number; readonly timers: Timers; readonly onStall: () => void },
): Watch {
  const { idleMs, timers, onStall } = options;
  const stopped = new AbortController();
  let waits = 0;
  let waiting = false;

  async function watch(): Promise<void> {
    let seen = -1;
    let strikes = 0;
    while (strikes <= CHECKS) {
      await timers.sleep(idleMs / CHECKS, stopped.signal);
      strikes = waiting && waits === seen ? strikes + 1 : 1;
      seen = waits;
    }
    onStall();
  }

  async function during<T>(work: () => Promise<T>): Promise<T> {
    waits++;
    waiting = true;
    try {
      return await work();
    } finally {
      waiting = false;
    }
  }

  // Only `stop` rejects the sleep.
  watch().catch(() => {});
  return { during, stop: () => stopped.abort(UNNEEDED) };
}
