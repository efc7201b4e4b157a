import { LRUCache } from "lru-cache";
import type { Clock } from "../../storage/runtime.ts";

/** Counts per key within a window that starts with a key's first count. Bounded in keys: the least used are forgotten. */
export interface Tally {
  /** Counts one; false once the limit was passed within the window. */
  count(key: string): boolean;
  /** Would another one be within the limit? Counts nothing. */
  allows(key: string): boolean;
}

export function createTally(options: {
  readonly clock: Clock;
  readonly windowMs: number;
  readonly limit: number;
  readonly maxKeys: number;
}): Tally {
  const windows = new LRUCache<string, { readonly endsAt: number; count: number }>({ max: options.maxKeys });

  function current(key: string) {
    const window = windows.get(key);
    return window !== undefined && options.clock() < window.endsAt ? window : null;
  }

  return {
    allows: (key) => (current(key)?.count ?? 0) < options.limit,
    count(key) {
      const window = current(key);
      if (window === null) {
        windows.set(key, { endsAt: options.clock() + options.windowMs, count: 1 });
        return options.limit > 0;
      }
      window.count += 1;
      return window.count <= options.limit;
    },
  };
}
