/** Time as it passes, for main.ts; tests have tests/fakes/clock.ts. */
import type { Timers } from "./runtime.ts";

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => {
    clearTimeout(timer);
    reject(signal?.reason);
  };
  const timer = setTimeout(() => {
    signal?.removeEventListener("abort", abort);
    resolve();
  }, ms);
  signal?.addEventListener("abort", abort, { once: true });
  return promise;
}

/**
 * Timers of the runtime. A sleep that nobody needs any more is ended by its signal; one that is left keeps the
 * process alive, which is why main.ts ends the process itself.
 */
export const realTimers: Timers = Object.freeze({ sleep });
