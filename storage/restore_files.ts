/** The files of a backup on their way into the store. */
import { sha256Of } from "./artifacts/key.ts";
import type { ArtifactStore, BlobKey } from "./artifacts/store.ts";
import { type BackupItem, readBackupFile } from "./backup_file.ts";
import { StorageError } from "./errors.ts";

/** Those that the store lacks. Throws SyntaxError, IntegrityError, StorageError. */
export async function writeBlobs(
  file: ReadableStream<Uint8Array>,
  store: ArtifactStore,
  onProgress: (blobs: number) => void,
): Promise<void> {
  const items = readBackupFile(file);
  let blobs = 0;
  try {
    let item = await items.next();
    while (!item.done) {
      if (item.value.kind === "entry") {
        item = await items.next();
        continue;
      }
      item = await writeBlob(items, item.value, store);
      if (++blobs % 100 === 0) onProgress(blobs);
    }
    onProgress(blobs);
  } finally {
    await letGo(items);
  }
}

type Items = ReturnType<typeof readBackupFile>;

/** Closes the file, however far it was read. */
export async function letGo(items: Items): Promise<void> {
  await items.return(undefined as never);
}

/** Streams one blob into the store, if it lacks it, and hands on the first item behind it. */
async function writeBlob(
  items: Items,
  first: BackupItem,
  store: ArtifactStore,
): Promise<Awaited<ReturnType<typeof items.next>>> {
  if (first.kind !== "blob") throw new SyntaxError("Cannot read the backup: data belongs to no blob");
  let following: Awaited<ReturnType<typeof items.next>> | null = null;
  async function nextData(): Promise<Uint8Array | null> {
    if (following !== null) return null;
    const item = await items.next();
    if (!item.done && item.value.kind === "data") return item.value.bytes;
    following = item;
    return null;
  }
  if ((await store.stat(first.key))?.sizeBytes === first.sizeBytes) { while (await nextData() !== null); }
  else await store.put(streamOf(nextData), putOptions(first.key, first.sizeBytes));
  // The store read to the end: it checks size and digest.
  if (following === null) {
    throw new StorageError(`Cannot restore the blob "${first.key}": it was not read to its end`);
  }
  return following;
}

function putOptions(key: BlobKey, sizeBytes: number) {
  return {
    expect: [{ algorithm: "sha256", hex: sha256Of(key) }],
    expectSizeBytes: sizeBytes,
    maxBytes: sizeBytes,
  } as const;
}

function streamOf(next: () => Promise<Uint8Array | null>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const bytes = await next();
      if (bytes === null) controller.close();
      else controller.enqueue(bytes);
    },
  }, { highWaterMark: 0 });
}
