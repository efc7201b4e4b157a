/** Blobs in memory, for tests and for where there is neither disk nor bucket: all is gone when the process ends. */
import { joinBytes } from "../bytes.ts";
import { StorageError } from "../errors.ts";
import { checkedKey } from "./key.ts";
import { checkRange, streamOf } from "./range.ts";
import type { ArtifactStore, BlobKey, BlobStat, ByteRange, PutOptions, StoredBlob } from "./store.ts";
import { nameOfBody, passThrough } from "./verify.ts";

/**
 * `maxBytes` bounds what is kept and what is being put, together; a put beyond it throws StorageError. Nothing
 * is evicted by itself. What `read` returns is the store's own: it must not be written to.
 */
export function createMemoryStore(options: { readonly maxBytes: number }): ArtifactStore {
  const { maxBytes } = options;
  const blobs = new Map<BlobKey, Uint8Array>();
  let heldBytes = 0;

  async function put(
    body: ReadableStream<Uint8Array> | Uint8Array,
    putOptions: PutOptions,
  ): Promise<BlobStat> {
    const chunks: Uint8Array[] = [];
    let pendingBytes = 0;

    function hold(chunk: Uint8Array): void {
      if (heldBytes + chunk.length > maxBytes) {
        throw new StorageError(
          `Cannot keep ${nameOfBody(putOptions.label)}: the store in memory is full (${maxBytes} bytes)`,
        );
      }
      heldBytes += chunk.length;
      pendingBytes += chunk.length;
      // A copy: whoever sends a buffer may use it again.
      chunks.push(chunk.slice());
    }

    try {
      const stat = await passThrough(body, putOptions, hold);
      if (!blobs.has(stat.key)) {
        blobs.set(stat.key, joinBytes(chunks, stat.sizeBytes));
        pendingBytes = 0;
        putOptions.onAdded?.();
      }
      return stat;
    } finally {
      heldBytes -= pendingBytes;
    }
  }

  function get(key: BlobKey, range?: ByteRange): Promise<StoredBlob | null> {
    const bytes = blobs.get(checkedKey(key));
    if (bytes === undefined) return Promise.resolve(null);
    if (range !== undefined) checkRange(key, range, bytes.length);
    const asked = range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
    return Promise.resolve({ key, sizeBytes: bytes.length, body: streamOf([asked]) });
  }

  function stat(key: BlobKey): BlobStat | null {
    const bytes = blobs.get(checkedKey(key));
    return bytes === undefined ? null : { key, sizeBytes: bytes.length };
  }

  function read(key: BlobKey, readMaxBytes: number): Uint8Array | null {
    const bytes = blobs.get(checkedKey(key));
    return bytes === undefined || bytes.length > readMaxBytes ? null : bytes;
  }

  function remove(key: BlobKey): boolean {
    heldBytes -= blobs.get(checkedKey(key))?.length ?? 0;
    return blobs.delete(key);
  }

  async function* list(prefix = ""): AsyncIterable<BlobStat> {
    for (const key of [...blobs.keys()].sort()) {
      const found = key.startsWith(prefix) ? stat(key) : null;
      if (found !== null) yield await Promise.resolve(found);
    }
  }

  return {
    stat: async (key) => await stat(key),
    get: async (key, range) => await get(key, range),
    read: async (key, readMaxBytes) => await read(key, readMaxBytes),
    put,
    delete: async (key) => await remove(key),
    list,
  };
}
