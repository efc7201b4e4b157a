/** Second and third attempts, where a first may have failed by chance. */
import { LRUCache } from "lru-cache";
import { UpstreamError } from "../errors.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { retryAfterSeconds } from "./failures.ts";
import { discard } from "./response.ts";
import type { Layer } from "./upstream.ts";

const MAX_RETRIES = 2;
const BASE_DELAY_MS = 100;
/** A longer Retry-After is left to the client. */
const MAX_WAIT_MS = 2_000;
const RETRIED_STATUSES = [500, 502, 503, 504];

/** Retries may add a tenth to an origin's requests, after the first ten. */
const BUDGET = 10;
const BUDGET_PER_REQUEST = 0.1;

/**
 * GET only, and only until an answer's headers are there: a cut connection or a 5xx, at most twice, after a
 * random wait that grows or the `Retry-After` if that is short. A timeout is not tried again (the client has
 * waited long enough), nor is any 4xx. A budget per origin keeps retries from becoming the load.
 */
export function retryLayer(
  options: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly log: Log;
    readonly random: () => number;
  },
): Layer {
  const { clock, timers, log, random } = options;
  const budgets = new LRUCache<string, { tokens: number }>({ max: 500 });

  function budgetOf(origin: string): { tokens: number } {
    const known = budgets.get(origin) ?? { tokens: BUDGET };
    budgets.set(origin, known);
    return known;
  }

  function waitMs(attempt: number, response: Response | null): number | null {
    const asked = response === null ? undefined : retryAfterSeconds(response.headers, clock());
    if (asked !== undefined && asked > 0) return asked * 1000 <= MAX_WAIT_MS ? asked * 1000 : null;
    return BASE_DELAY_MS * 2 ** attempt * (0.5 + random() / 2);
  }

  return (next) => async (request) => {
    if (request.method !== "GET") return await next(request);
    const { origin } = new URL(request.url);
    const budget = budgetOf(origin);
    budget.tokens = Math.min(BUDGET, budget.tokens + BUDGET_PER_REQUEST);
    for (let attempt = 0;; attempt += 1) {
      const outcome = await next(request).catch((error: unknown) => ({ error }));
      const response = outcome instanceof Response ? outcome : null;
      const again = outcome instanceof Response
        ? RETRIED_STATUSES.includes(outcome.status)
        : isByChance(outcome.error);
      const wait = again && attempt < MAX_RETRIES && budget.tokens >= 1 ? waitMs(attempt, response) : null;
      if (wait === null || request.signal.aborted) {
        if (outcome instanceof Response) return outcome;
        throw outcome.error;
      }
      budget.tokens -= 1;
      log("debug", `Asking ${origin} again`, {
        "upstream.attempt": attempt + 2,
        "upstream.wait_ms": Math.round(wait),
      });
      if (response !== null) await discard(response);
      await timers.sleep(wait, request.signal);
    }
  };
}

function isByChance(error: unknown): boolean {
  return error instanceof UpstreamError && error.detail.kind === "connection";
}
