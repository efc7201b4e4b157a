/** Every blob against its digest, and every record against what it points at; what is wrong is taken away. */
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { StorageError } from "../errors.ts";
import { type BlobVerdict, checkBlob } from "./check_blob.ts";
import { type Dangling, mend } from "./mend.ts";
import { listReferences } from "./references.ts";

export interface Checked {
  readonly blobs: number;
  readonly bytes: number;
}

/** What a person is told, as soon as it is known. */
export type VerifyEvent =
  | { readonly kind: "progress"; readonly checked: Checked }
  /** Evicted, unless nothing is to be changed. */
  | { readonly kind: "wrong"; readonly blob: BlobKey }
  /** Cannot be read, and is left: that says nothing of what it holds. */
  | { readonly kind: "unreadable"; readonly blob: BlobKey; readonly message: string }
  /** Dropped, unless nothing is to be changed. */
  | { readonly kind: "dangling"; readonly dangling: Dangling };

export interface VerifyOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  /** Only what is of it; else everything, and what nothing points at too. */
  readonly ecosystem?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Works beside running servers: what they fetch meanwhile is either seen whole or not at all. Throws StorageError. */
export async function* verifyCache(options: VerifyOptions): AsyncGenerator<VerifyEvent> {
  const { store, dryRun = false, ecosystem, signal } = options;
  const sizes = new Map<BlobKey, number>();
  const wrong = new Set<BlobKey>();
  const checked = { blobs: 0, bytes: 0 };
  for await (const blob of ecosystem === undefined ? listed(store) : pointedAt(options, ecosystem)) {
    signal?.throwIfAborted();
    const verdict = await verdictOf(options, blob);
    if (typeof verdict === "object") yield { kind: "unreadable", blob, message: verdict.message };
    if (verdict === "gone") continue;
    const sizeBytes = (await store.stat(blob))?.sizeBytes ?? 0;
    checked.blobs++;
    checked.bytes += sizeBytes;
    if (verdict !== "wrong") sizes.set(blob, sizeBytes);
    else {
      wrong.add(blob);
      if (!dryRun) await store.delete(blob);
      yield { kind: "wrong", blob };
    }
    yield { kind: "progress", checked: { ...checked } };
  }
  // Two ecosystems may have a file in common: what is evicted is taken from both.
  const everywhere = wrong.size > 0 ? { kv: options.kv, store, dryRun } : options;
  for await (const dangling of mend({ ...everywhere, wrong, sizes })) yield { kind: "dangling", dangling };
}

/** Read twice before it is called wrong: what was replaced or cut off while it was read is looked at again. */
async function verdictOf(
  { store, signal }: VerifyOptions,
  blob: BlobKey,
): Promise<BlobVerdict | { readonly message: string }> {
  const look = () => checkBlob(store, blob, signal === undefined ? {} : { signal });
  try {
    const first = await look();
    return first === "wrong" ? await look() : first;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { message: error.message };
  }
}

async function* listed(store: ArtifactStore): AsyncGenerator<BlobKey> {
  for await (const { key } of store.list()) yield key;
}

async function* pointedAt({ kv }: VerifyOptions, ecosystem: string): AsyncGenerator<BlobKey> {
  const seen = new Set<BlobKey>();
  for await (const { pointers } of listReferences(kv, ecosystem)) {
    for (const { blob } of pointers) {
      if (seen.has(blob)) continue;
      seen.add(blob);
      yield blob;
    }
  }
}
