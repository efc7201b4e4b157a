/** Reads a blob to its end and holds it against its name. */
import { createHash } from "node:crypto";
import { sha256Of } from "../artifacts/key.ts";
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";

/** `wrong`: its bytes are not those that it is named by. */
export type BlobVerdict = "sound" | "wrong" | "gone";

export interface CheckOptions {
  readonly signal?: AbortSignal;
  /** Called with the length of each chunk, and waited for: whoever reads beside a server slows down here. */
  readonly onBytes?: (bytes: number) => Promise<void> | void;
}

/** Throws StorageError where it cannot be read, which says nothing of what it holds; and the signal's reason. */
export async function checkBlob(
  store: ArtifactStore,
  key: BlobKey,
  options: CheckOptions = {},
): Promise<BlobVerdict> {
  const { signal, onBytes } = options;
  const blob = await store.get(key);
  if (blob === null) return "gone";
  const hash = createHash("sha256");
  // Leaving the loop cancels the body.
  for await (const chunk of blob.body) {
    signal?.throwIfAborted();
    hash.update(chunk);
    await onBytes?.(chunk.byteLength);
  }
  return hash.digest("hex") === sha256Of(key) ? "sound" : "wrong";
}
