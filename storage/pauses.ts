/** A bound on a waiting that is made of pauses, by timers alone. */
import { type Timers, UNNEEDED } from "./runtime.ts";

export interface Pauses {
  /** Resolves after `ms`, or at the end of all patience: then false. */
  next(ms: number): Promise<boolean>;
  /** Must be called: it holds a timer. */
  end(): void;
}

export function createPauses(timers: Timers, wholeMs: number): Pauses {
  const ended = new AbortController();
  let isOver = false;
  const over = timers.sleep(wholeMs, ended.signal).then(() => void (isOver = true), () => {});

  async function next(ms: number): Promise<boolean> {
    const woken = new AbortController();
    await Promise.race([over, timers.sleep(ms, woken.signal).catch(() => {})]);
    woken.abort(UNNEEDED);
    return !isOver;
  }

  return { next, end: () => ended.abort(UNNEEDED) };
}
