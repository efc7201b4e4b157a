/** A cache in memory that is bounded in bytes. */
import { LRUCache } from "lru-cache";

/** The least recently used leave first. */
export interface ByteCache<V> {
  get(key: string): V | undefined;
  /** A value above `largestBytes` is not kept, and one that was there under its key is gone. */
  set(key: string, value: V): void;
  delete(key: string): boolean;
  clear(): void;
  readonly size: number;
  readonly sizeBytes: number;
}

/** What an entry costs beside its value: key, list and map. */
const ENTRY_BYTES = 256;

/** `sizeOf` is asked once per value, in bytes; the value must not grow afterwards. `maxBytes` 0 keeps nothing. */
export function createByteCache<V extends NonNullable<unknown>>(
  options: {
    readonly maxBytes: number;
    readonly sizeOf: (value: V) => number;
    /** Default: a quarter of the bound, so that no one value drives out all others. */
    readonly largestBytes?: number;
  },
): ByteCache<V> {
  const { maxBytes, sizeOf, largestBytes = maxBytes / 4 } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0) {
    throw new RangeError(`Cannot create a cache of ${maxBytes} bytes: not a whole number of bytes`);
  }
  const cache = new LRUCache<string, V>({ maxSize: Math.max(maxBytes, 1) });

  function set(key: string, value: V): void {
    const size = sizeOf(value) + 2 * key.length + ENTRY_BYTES;
    if (size > Math.min(largestBytes, maxBytes)) {
      cache.delete(key);
      return;
    }
    cache.set(key, value, { size });
  }

  return {
    get: (key) => cache.get(key),
    set,
    delete: (key) => cache.delete(key),
    clear: () => cache.clear(),
    get size() {
      return cache.size;
    },
    get sizeBytes() {
      return cache.calculatedSize;
    },
  };
}
