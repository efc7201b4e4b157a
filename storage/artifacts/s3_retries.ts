/** How often, and after how long, a request to S3 is tried again. */
import type { Timers } from "../runtime.ts";

export interface Retries {
  /**
   * Waits before the next try and resolves with true; false where there is to be none. Rejects with the signal's
   * reason. `tried` counts from 1.
   */
  again(tried: number, signal: AbortSignal | undefined): Promise<boolean>;
  succeeded(): void;
}

/** Of one request. */
const MAX_TRIES = 5;
/** A server that fails everything is asked little more often than it would be without retries. */
const BUDGET = 50;
const GIVEN_BACK = 0.2;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/** One budget for all requests of a store: what is tried again costs one, what succeeds gives a fifth back. */
export function createRetries(
  options: { readonly timers: Timers; readonly random: () => number },
): Retries {
  const { timers, random } = options;
  let budget = BUDGET;

  async function again(tried: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (tried >= MAX_TRIES || budget < 1) return false;
    budget -= 1;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tried);
    await timers.sleep(Math.round(longest * (0.5 + random() / 2)), signal);
    return true;
  }

  return { again, succeeded: () => void (budget = Math.min(BUDGET, budget + GIVEN_BACK)) };
}
