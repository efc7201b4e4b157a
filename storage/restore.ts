/** Reads a backup twice: to its end, to know that it is whole, and only then into the store. */
import { sha256Of } from "./artifacts/key.ts";
import type { ArtifactStore, BlobKey } from "./artifacts/store.ts";
import { type BackupCounts, type BackupHeader, type BackupItem, readBackupFile } from "./backup_file.ts";
import { type BlobCheck, createBlobCheck } from "./blob_check.ts";
import { StorageError } from "./errors.ts";
import { attempt } from "./kv/call.ts";
import { keys } from "./kv/keys.ts";
import { migrate, SCHEMA_VERSION } from "./kv/schema.ts";
import { COMMIT_ENTRIES, createRestoreBatch } from "./restore_batch.ts";
import type { Clock } from "./runtime.ts";

export interface RestoreOptions {
  readonly clock: Clock;
  /** Deletes what the store holds. Without, only an empty store is restored into. */
  readonly force?: boolean;
  /** Where blobs go; without, those in the file are left out. */
  readonly artifacts?: ArtifactStore;
  readonly onProgress?: (step: "verify" | "write", counts: BackupCounts) => void;
}

export interface RestoreResult extends BackupCounts {
  readonly createdAt: string;
  /** Were in the file, and had nowhere to go. */
  readonly blobsLeftOut: number;
}

/**
 * `open` is called twice, and must give the same bytes. Nothing is written unless the whole file was verified;
 * a store in which the writing was broken off is refused by `migrate`. No server may use the store meanwhile.
 * Throws SyntaxError (no whole backup), IntegrityError (a blob), StorageError.
 */
export async function restore(
  kv: Deno.Kv,
  open: () => Promise<ReadableStream<Uint8Array>>,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const { header, entries, blobs } = await verify(await open(), options);
  if (header.schema > SCHEMA_VERSION) {
    throw new StorageError(
      `Cannot restore: the backup's records have version ${header.schema}, and this program knows versions up to ` +
        `${SCHEMA_VERSION}. Use the program that wrote it, or a newer one`,
    );
  }
  if (!options.force && !await isEmpty(kv)) {
    throw new StorageError(
      "Cannot restore: the store is not empty. With --force what it holds is deleted first",
    );
  }
  await attempt("begin to restore", () => kv.set(keys.restoring(), { at: options.clock() }));
  await clear(kv);
  await write(kv, await open(), options);
  await attempt("end the restore", () =>
    kv.atomic()
      .delete(keys.restoring())
      .set(keys.stamp(), { at: options.clock() })
      .set(keys.organisationsStamp(), { at: options.clock() })
      .commit());
  await migrate(kv);
  return {
    createdAt: header.createdAt,
    entries,
    blobs: options.artifacts === undefined ? 0 : blobs,
    blobsLeftOut: options.artifacts === undefined ? blobs : 0,
  };
}

async function verify(file: ReadableStream<Uint8Array>, options: RestoreOptions) {
  const items = readBackupFile(file);
  const counts = { entries: 0, blobs: 0 };
  let check: BlobCheck | null = null;
  try {
    while (true) {
      const { done, value } = await items.next();
      if (done || value.kind !== "data") check?.end();
      if (done) return value as BackupCounts & { readonly header: BackupHeader };
      if (value.kind === "data") {
        if (check === null) throw new SyntaxError("Cannot read the backup: data belongs to no blob");
        check.update(value.bytes);
        continue;
      }
      check = value.kind === "blob" ? createBlobCheck(value.key, value.sizeBytes) : null;
      counts[value.kind === "blob" ? "blobs" : "entries"]++;
      if ((counts.entries + counts.blobs) % 100 === 0) options.onProgress?.("verify", { ...counts });
    }
  } finally {
    await letGo(items);
  }
}

/** The version alone is nothing that could be lost, and a restore that was broken off is done again. */
async function isEmpty(kv: Deno.Kv): Promise<boolean> {
  if ((await kv.get(keys.restoring())).value !== null) return true;
  for await (const { key } of kv.list({ prefix: [] }, { limit: 2 })) {
    if (key[0] !== "schema") return false;
  }
  return true;
}

async function clear(kv: Deno.Kv): Promise<void> {
  let batch = kv.atomic();
  let size = 0;
  for await (const { key } of kv.list({ prefix: [] })) {
    if (key[0] === "restoring") continue;
    batch.delete(key);
    if (++size < COMMIT_ENTRIES) continue;
    await attempt("empty the store", () => batch.commit());
    batch = kv.atomic();
    size = 0;
  }
  if (size > 0) await attempt("empty the store", () => batch.commit());
}

async function write(kv: Deno.Kv, file: ReadableStream<Uint8Array>, options: RestoreOptions): Promise<void> {
  const items = readBackupFile(file);
  const counts = { entries: 0, blobs: 0 };
  const batch = createRestoreBatch(kv, options.clock);
  try {
    let item = await items.next();
    while (!item.done) {
      if (item.value.kind === "entry") {
        await batch.add(item.value);
        counts.entries++;
        item = await items.next();
      } else {
        item = await writeBlob(items, item.value, options.artifacts);
        counts.blobs++;
      }
      if ((counts.entries + counts.blobs) % 100 === 0) options.onProgress?.("write", { ...counts });
    }
    await batch.flush();
    options.onProgress?.("write", { ...counts });
  } finally {
    await letGo(items);
  }
}

type Items = ReturnType<typeof readBackupFile>;

/** Closes the file, however far it was read. */
async function letGo(items: Items): Promise<void> {
  await items.return(undefined as never);
}

/** Streams one blob into the store, and hands on the first item behind it. */
async function writeBlob(
  items: Items,
  first: BackupItem,
  store: ArtifactStore | undefined,
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
  if (store === undefined) { while (await nextData() !== null); }
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
