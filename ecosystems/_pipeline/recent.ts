/** Raw documents that were just fetched, for whoever renders them next: kept no longer than V8 keeps them anyway. */
import type { BlobKey } from "../../storage/artifacts/store.ts";

export interface RecentBodies {
  /** The bytes of a blob, verified when it was stored; null where they were collected since. */
  get(blob: BlobKey): Uint8Array | null;
  set(blob: BlobKey, body: Uint8Array): void;
}

const MAX_REMEMBERED = 256;

/** Holds nothing alive: large buffers are collected late, and until then there is no need to read them again. */
export function createRecentBodies(): RecentBodies {
  const bodies = new Map<BlobKey, WeakRef<Uint8Array>>();
  return {
    get: (blob) => bodies.get(blob)?.deref() ?? null,
    set(blob, body) {
      bodies.delete(blob);
      bodies.set(blob, new WeakRef(body));
      const [oldest] = bodies.keys();
      if (bodies.size > MAX_REMEMBERED && oldest !== undefined) bodies.delete(oldest);
    },
  };
}
