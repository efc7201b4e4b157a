/** So many an hour for each name, refilled as time passes; in this process alone. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../runtime.ts";

const HOUR_MS = 3_600_000;

export interface HourlyBudget {
  /** false: this hour's are used up. */
  take(name: string): boolean;
}

interface Bucket {
  left: number;
  at: number;
}

/** Starts full; holds at most 10,000 names, of which the longest unused start anew. */
export function createHourlyBudget(
  options: { readonly perHour: number; readonly clock: Clock },
): HourlyBudget {
  const { perHour, clock } = options;
  const buckets = new LRUCache<string, Bucket>({ max: 10_000 });
  function take(name: string): boolean {
    const now = clock();
    const bucket = buckets.get(name) ?? { left: perHour, at: now };
    const refill = Math.max(0, now - bucket.at) * perHour / HOUR_MS;
    bucket.left = Math.min(perHour, bucket.left + refill);
    bucket.at = now;
    buckets.set(name, bucket);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }
  return { take };
}
