/** When blobs were last used, to the minute: a few bytes for each, a shard of them in one value of KV. */
import { sha256Of } from "../artifacts/key.ts";
import type { BlobKey } from "../artifacts/store.ts";

/** Six bytes of the digest, four of the minute. */
const ENTRY_BYTES = 10;
/** As many as one value of KV takes: 1.6 million in all shards. */
export const MAX_SHARD_ENTRIES = 6_500;

/** The two hex digits under which a blob's last use is kept. */
export function shardOf(key: BlobKey): string {
  return sha256Of(key).slice(0, 2);
}

/** What tells a blob from the others of its shard: the next 48 bits of its digest. */
export function useId(key: BlobKey): number {
  return Number.parseInt(sha256Of(key).slice(2, 14), 16);
}

/** By `useId`, in minutes since the epoch. Where they are too many, those unused for longest are left out. */
export function encodeUses(uses: ReadonlyMap<number, number>): Uint8Array {
  const latest = [...uses].sort((a, b) => b[1] - a[1]).slice(0, MAX_SHARD_ENTRIES);
  const bytes = new Uint8Array(latest.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  latest.forEach(([id, minute], index) => {
    const at = index * ENTRY_BYTES;
    view.setUint16(at, Math.floor(id / 2 ** 32));
    view.setUint32(at + 2, id % 2 ** 32);
    view.setUint32(at + 6, minute);
  });
  return bytes;
}

/** A length that is none of ours leaves out the last, broken entry. */
export function decodeUses(bytes: Uint8Array): Map<number, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const uses = new Map<number, number>();
  for (let at = 0; at + ENTRY_BYTES <= bytes.byteLength; at += ENTRY_BYTES) {
    uses.set(view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2), view.getUint32(at + 6));
  }
  return uses;
}
