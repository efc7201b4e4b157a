/** Takes away what was unused for longest until the store is small enough again. */
import type { EpochMs } from "../../policy/types.ts";
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { purgeCache, type Purged } from "./purge.ts";
import { listReferences, type Reference } from "./references.ts";
import type { Uses } from "./uses.ts";

export interface EvictOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  readonly uses: Pick<Uses, "read" | "noted">;
  /** Never evicted. */
  readonly isHeld: (reference: Reference) => boolean;
  readonly now: EpochMs;
  /** What was used this recently stays: it may be being read, or filled. */
  readonly graceMs: number;
  /** Evicts until no more than this is left. */
  readonly targetBytes: number;
  readonly signal?: AbortSignal;
}

export interface Evicted extends Purged {
  /** What the store holds now. */
  readonly left: { readonly bytes: number; readonly blobs: number };
  /** What could not go, as it is pinned or frozen. */
  readonly heldBytes: number;
}

/** While it runs, 170 bytes of memory for each blob. */
interface Blob {
  readonly sizeBytes: number;
  /** -Infinity: nothing points at it, and nobody remembers it. */
  usedAt: number;
  isHeld: boolean;
}

/** Throws StorageError; what was evicted by then is evicted, whole. Rejects with the signal's reason. */
export async function evict(options: EvictOptions): Promise<Evicted> {
  const { kv, store, isHeld, signal, uses, now, graceMs } = options;
  const blobs = await listBlobs(store, signal);
  await date(blobs, options);
  const found = total(blobs.values());
  const heldBytes = total([...blobs.values()].filter((blob) => blob.isHeld)).bytes;
  const before = now - graceMs;
  const victims = choose(blobs, { excess: found.bytes - options.targetBytes, before });
  if (victims.size === 0) {
    return { packages: 0, files: 0, blobs: 0, bytes: 0, left: found, heldBytes };
  }
  // Used since they were chosen: here at least it is known.
  const isFree = (blob: BlobKey) => victims.has(blob) && (uses.noted(blob) ?? -Infinity) <= before;
  // Of a record that was written since, the bytes have just been put again.
  const matches = (reference: Reference) =>
    !isHeld(reference) && reference.at <= before && reference.pointers.some(({ blob }) => isFree(blob));
  const free = new Map([...victims].filter(([blob]) => isFree(blob)));
  const purged = await purgeCache({ kv, store, matches, blobs: free, unreferenced: false, dryRun: false });
  const left = { bytes: found.bytes - purged.bytes, blobs: found.blobs - purged.blobs };
  return { ...purged, left, heldBytes };
}

async function listBlobs(store: ArtifactStore, signal?: AbortSignal): Promise<Map<BlobKey, Blob>> {
  const blobs = new Map<BlobKey, Blob>();
  for await (const { key, sizeBytes } of store.list()) {
    signal?.throwIfAborted();
    blobs.set(key, { sizeBytes, usedAt: -Infinity, isHeld: false });
  }
  return blobs;
}

/** A blob was used when the latest of those that point at it was; at first, when it came. */
async function date(blobs: Map<BlobKey, Blob>, options: EvictOptions): Promise<void> {
  const { kv, uses, isHeld, signal, now, graceMs } = options;
  const last = await uses.read();
  for (const [key, blob] of blobs) blob.usedAt = last.of(key) ?? -Infinity;
  for await (const reference of listReferences(kv)) {
    signal?.throwIfAborted();
    const held = isHeld(reference);
    for (const { blob: key } of reference.pointers) {
      const blob = blobs.get(key);
      if (blob === undefined) continue;
      if (held) blob.isHeld = true;
      const isNew = reference.at > now - graceMs;
      blob.usedAt = Math.max(blob.usedAt, last.of(key) ?? reference.at, isNew ? reference.at : -Infinity);
    }
  }
}

/** The oldest first, until `excess` is reached. */
function choose(
  blobs: ReadonlyMap<BlobKey, Blob>,
  { excess, before }: { readonly excess: number; readonly before: number },
): ReadonlyMap<BlobKey, number> {
  const victims = new Map<BlobKey, number>();
  if (excess <= 0) return victims;
  const free = [...blobs].filter(([, { isHeld, usedAt }]) => !isHeld && usedAt <= before);
  free.sort(([a, { usedAt: first }], [b, { usedAt: second }]) => first - second || (a < b ? -1 : 1));
  let freed = 0;
  for (const [key, { sizeBytes }] of free) {
    if (freed >= excess) break;
    victims.set(key, sizeBytes);
    freed += sizeBytes;
  }
  return victims;
}

function total(blobs: Iterable<Blob>): { readonly bytes: number; readonly blobs: number } {
  let bytes = 0;
  let count = 0;
  for (const { sizeBytes } of blobs) {
    bytes += sizeBytes;
    count++;
  }
  return { bytes, blobs: count };
}
