/** Takes away what is wrong in the store, and the records that point at it or at nothing: all of it is fetched anew. */
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { arePartsWhole, dropReference, listReferences, type Reference } from "./references.ts";

/** A record that points at what is not there. */
export interface Dangling {
  readonly reference: Reference;
  /** What it points at: a blob's name, or `facts`. */
  readonly target: string;
  readonly why: "wrong" | "gone" | "of another size";
}

export interface MendOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  readonly ecosystem?: string;
  /** Blobs whose bytes are not theirs; evicted already, unless nothing is to be changed. */
  readonly wrong: ReadonlySet<BlobKey>;
  /** What a listing of the store has just shown; what it lacks is looked for. */
  readonly sizes?: ReadonlyMap<BlobKey, number>;
  /** Only what points at `wrong` is looked for. */
  readonly wrongOnly?: boolean;
  /** Nothing is changed. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Drops them one by one, and yields each: a record that is replaced meanwhile is not among them. */
export async function* mend(options: MendOptions): AsyncGenerator<Dangling> {
  const { kv, ecosystem, dryRun = false, signal } = options;
  for await (const reference of listReferences(kv, ecosystem)) {
    signal?.throwIfAborted();
    const found = await danglingOf(options, reference);
    if (found === null) continue;
    if (dryRun || await dropReference(kv, reference)) yield { reference, ...found };
  }
}

async function danglingOf(
  options: MendOptions,
  reference: Reference,
): Promise<Pick<Dangling, "target" | "why"> | null> {
  const { kv, store, wrong, sizes, wrongOnly = false } = options;
  for (const { blob, sizeBytes } of reference.pointers) {
    if (wrong.has(blob)) return { target: blob, why: "wrong" };
    if (wrongOnly) continue;
    const size = sizes?.get(blob) ?? (await store.stat(blob))?.sizeBytes ?? null;
    if (size === null) return { target: blob, why: "gone" };
    if (size !== sizeBytes) return { target: blob, why: "of another size" };
  }
  if (wrongOnly || await arePartsWhole(kv, reference)) return null;
  return { target: "facts", why: "gone" };
}
