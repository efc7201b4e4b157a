/** Work that outlives its request: counted, logged when it fails, waited for at the end. */
import type { Background, Log, Timers } from "./runtime.ts";
import { realTimers } from "./timers.ts";

/** Sleeps at most `withinMs` for a promise that never rejects. */
export async function settledWithin(work: Promise<unknown>, withinMs: number, timers: Timers): Promise<void> {
  const enough = new AbortController();
  const sleeping = timers.sleep(withinMs, enough.signal).catch(() => {});
  await Promise.race([work, sleeping]);
  enough.abort();
  await sleeping;
}

/** One for the process. Work that is started while it drains is waited for as well. */
export function createBackground(deps: { readonly log: Log; readonly timers?: Timers }): Background {
  const { log, timers = realTimers } = deps;
  const running = new Set<Promise<void>>();

  async function watched(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log("error", `Background work "${name}" failed: ${error instanceof Error ? error.message : error}`, {
        "background.name": name,
        error,
      });
    }
  }

  function run(name: string, work: () => Promise<void>): void {
    const task = watched(name, work).finally(() => running.delete(task));
    running.add(task);
  }

  async function untilIdle(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }

  function drain(withinMs: number): Promise<void> {
    if (running.size === 0) return Promise.resolve();
    return settledWithin(untilIdle(), withinMs, timers);
  }

  return { run, drain };
}
