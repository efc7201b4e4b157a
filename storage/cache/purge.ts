/** Takes away what is cached. Policies, tokens, the install log and first-seen times are no part of it. */
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { StorageError } from "../errors.ts";
import { dropReference, listReferences, type Reference } from "./references.ts";

export interface PurgeOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  /** Asked twice of each record: must answer the same. */
  readonly matches: (reference: Reference) => boolean;
  /** What no record points at, too: where all of it goes. */
  readonly unreferenced: boolean;
  /** These blobs as well, unless a record that stays points at them. */
  readonly blobs?: ReadonlyMap<BlobKey, number>;
  readonly dryRun: boolean;
  /** Told of each record that went, or would go; packages before files. */
  readonly onGone?: (reference: Reference) => void;
}

/** What went, or would go. */
export interface Purged {
  /** That something went of. */
  readonly packages: number;
  /** Records of documents: of packages, and of what stands beside their files. */
  readonly documents: number;
  readonly files: number;
  readonly blobs: number;
  readonly bytes: number;
}

/** It broke off: `done` is what went by then, and repeating it does the rest. */
export class PurgeBrokenError extends StorageError {
  constructor(readonly done: Purged, cause: StorageError) {
    super(`${cause.message}: the purge broke off`, { cause });
  }
}

/**
 * Records first, then their bytes, unless another record points at them too: broken off, it leaves bytes behind that
 * nothing points at, never a record without them. Throws PurgeBrokenError where the storage fails.
 */
export async function purgeCache(options: PurgeOptions): Promise<Purged> {
  const purged = { packages: 0, documents: 0, files: 0, blobs: 0, bytes: 0 };
  const named = new Set<string>();
  try {
    const candidates = await candidatesOf(options);
    await takeAway(options, purged, { candidates, named, isFirst: true });
    return purged;
  } catch (error) {
    if (error instanceof StorageError && !options.dryRun) throw new PurgeBrokenError({ ...purged }, error);
    throw error;
  }
}

/** Blobs that go whichever record pointed at them. */
async function candidatesOf(options: PurgeOptions): Promise<Map<BlobKey, number>> {
  const candidates = new Map<BlobKey, number>(options.blobs);
  if (!options.unreferenced) return candidates;
  for await (const { key, sizeBytes } of options.store.list()) candidates.set(key, sizeBytes);
  return candidates;
}

async function takeAway(
  options: PurgeOptions,
  purged: Mutable<Purged>,
  attempt: {
    readonly candidates: Map<BlobKey, number>;
    /** The packages that were counted. */
    readonly named: Set<string>;
    readonly isFirst: boolean;
  },
): Promise<void> {
  const { kv, store, matches, dryRun } = options;
  const { candidates, named, isFirst } = attempt;
  let wasFull = false;
  for await (const reference of listReferences(kv)) {
    if (!matches(reference)) continue;
    for (const { blob, sizeBytes } of reference.pointers) candidates.set(blob, sizeBytes);
    const dropped = dryRun || await droppedOrFull(kv, reference);
    if (dropped === "full") {
      wasFull = true;
      for (const { blob, sizeBytes } of reference.pointers) await remove(blob, sizeBytes);
    }
    // What was replaced just now was fetched anew just now.
    if (dropped === true) note(reference);
  }
  if (wasFull) return await takeAway(options, purged, { candidates, named, isFirst: false });
  await keepShared(options, candidates);
  for (const [blob, sizeBytes] of candidates) await remove(blob, sizeBytes);

  function note(reference: Reference): void {
    purged[reference.kind === "file" ? "files" : "documents"]++;
    const { key } = reference;
    // What stands beside files is no package. The name as the key has it is the same in both kinds of records.
    if (key[3] === "package") named.add(`${String(key[1])}\n${String(key[4])}`);
    purged.packages = named.size;
    options.onGone?.(reference);
  }

  async function remove(blob: BlobKey, sizeBytes: number): Promise<void> {
    // What is gone already frees nothing.
    if (!dryRun && !await store.delete(blob)) return;
    purged.blobs++;
    purged.bytes += sizeBytes;
  }

  /**
   * A database on a full disk cannot even delete. Then bytes go first to make room: a record without them is fetched
   * anew, and there is no other way out.
   */
  async function droppedOrFull(kv: Deno.Kv, reference: Reference): Promise<boolean | "full"> {
    try {
      return await dropReference(kv, reference);
    } catch (error) {
      if (isFirst && error instanceof StorageError && /disk is full/.test(error.message)) {
        return "full";
      }
      throw error;
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

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
