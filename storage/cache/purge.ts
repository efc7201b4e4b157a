/** Takes away what is cached. Policies, tokens, the install log and first-seen times are no part of it. */
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { dropReference, listReferences, type Reference } from "./references.ts";

export interface PurgeOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  /** Asked twice of each record: must answer the same. */
  readonly matches: (reference: Reference) => boolean;
  /** What no record points at, too: where all of it goes. */
  readonly unreferenced: boolean;
  readonly dryRun: boolean;
}

/** What went, or would go. */
export interface Purged {
  readonly packages: number;
  readonly files: number;
  readonly blobs: number;
  readonly bytes: number;
}

/**
 * Records first, then their bytes, unless another record points at them too: broken off, it leaves bytes behind that
 * nothing points at, never a record without them. Throws StorageError; what was done by then is done, and repeating it
 * does the rest.
 */
export async function purgeCache(options: PurgeOptions): Promise<Purged> {
  const { kv, store, matches, dryRun } = options;
  const counts = { packages: 0, files: 0 };
  const candidates = new Map<BlobKey, number>();
  if (options.unreferenced) {
    for await (const { key, sizeBytes } of store.list()) candidates.set(key, sizeBytes);
  }
  for await (const reference of listReferences(kv)) {
    if (!matches(reference)) continue;
    for (const { blob, sizeBytes } of reference.pointers) candidates.set(blob, sizeBytes);
    // What was replaced just now was fetched anew just now.
    if (!dryRun && !await dropReference(kv, reference)) continue;
    counts[reference.kind === "file" ? "files" : "packages"]++;
  }
  await keepShared(options, candidates);
  let bytes = 0;
  for (const [blob, sizeBytes] of candidates) {
    bytes += sizeBytes;
    if (!dryRun) await store.delete(blob);
  }
  return { ...counts, blobs: candidates.size, bytes };
}

/** As late as it can be: what a server has fetched meanwhile points at the same bytes. */
async function keepShared(
  { kv, matches, dryRun }: PurgeOptions,
  candidates: Map<BlobKey, number>,
): Promise<void> {
  for await (const reference of listReferences(kv)) {
    if (dryRun && matches(reference)) continue;
    for (const { blob } of reference.pointers) candidates.delete(blob);
  }
}
