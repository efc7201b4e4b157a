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

/** Evicted, and what is left. */
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
  const { kv, store, isHeld, uses, now, graceMs } = options;
  const { blobs, bytes } = await listBlobs(options);
  const found = { bytes, blobs: blobs.size };
  const heldBytes = await markHeld(blobs, options);
  const before = now - graceMs;
  const victims = choose(blobs, { excess: found.bytes - options.targetBytes, before });
  if (victims.size === 0) {
    return { packages: 0, documents: 0, files: 0, blobs: 0, bytes: 0, left: found, heldBytes };
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

async function listBlobs({ store, uses, signal }: EvictOptions) {
  const last = await uses.read();
  const blobs = new Map<BlobKey, Blob>();
  let bytes = 0;
  for await (const { key, sizeBytes } of store.list()) {
    signal?.throwIfAborted();
    blobs.set(key, { sizeBytes, usedAt: last.of(key) ?? -Infinity, isHeld: false });
    bytes += sizeBytes;
  }
  return { blobs, bytes };
}

/** What nobody remembers to have used was used when it came. Answers how much is held. */
async function markHeld(blobs: ReadonlyMap<BlobKey, Blob>, options: EvictOptions): Promise<number> {
  const { kv, isHeld, signal, now, graceMs } = options;
  let heldBytes = 0;
  for await (const reference of listReferences(kv)) {
    signal?.throwIfAborted();
    const { at, pointers } = reference;
    const held = isHeld(reference);
    for (const { blob: key } of pointers) {
      const blob = blobs.get(key);
      if (blob === undefined) continue;
      if (blob.usedAt === -Infinity || at > now - graceMs) blob.usedAt = Math.max(blob.usedAt, at);
      if (!held || blob.isHeld) continue;
      blob.isHeld = true;
      heldBytes += blob.sizeBytes;
    }
  }
  return heldBytes;
}

/** To the minute, which is as much as is written down. */
const STEP_MS = 60_000;

/** The oldest first, until `excess` is reached. Not sorted: there may be a million. */
function choose(
  blobs: ReadonlyMap<BlobKey, Blob>,
  { excess, before }: { readonly excess: number; readonly before: number },
): ReadonlyMap<BlobKey, number> {
  const victims = new Map<BlobKey, number>();
  const until = stepOf(blobs, { excess, before });
  if (until === null) return victims;
  let last = until.room;
  for (const [key, { isHeld, usedAt, sizeBytes }] of blobs) {
    const step = Math.floor(usedAt / STEP_MS);
    if (isHeld || usedAt > before || step > until.step) continue;
    if (step === until.step) {
      if (last <= 0) continue;
      last -= sizeBytes;
    }
    victims.set(key, sizeBytes);
  }
  return victims;
}

/** Up to which step all go, and how much of the last one; null: there is nothing to free, or nothing that is free. */
function stepOf(
  blobs: ReadonlyMap<BlobKey, Blob>,
  { excess, before }: { readonly excess: number; readonly before: number },
): { readonly step: number; readonly room: number } | null {
  const steps = new Map<number, number>();
  for (const { isHeld, usedAt, sizeBytes } of blobs.values()) {
    if (isHeld || usedAt > before) continue;
    const step = Math.floor(usedAt / STEP_MS);
    steps.set(step, (steps.get(step) ?? 0) + sizeBytes);
  }
  let room = excess;
  let reached: { readonly step: number; readonly room: number } | null = null;
  for (const [step, bytes] of [...steps].sort(([a], [b]) => a < b ? -1 : 1)) {
    if (room <= 0) break;
    reached = { step, room };
    room -= bytes;
  }
  return reached;
}
