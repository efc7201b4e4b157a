/**
 * A backup takes the place of what is in KV, beside servers that run: it is read to its end first, to know that it is
 * whole; its files are put into the store; and only while its records are written does every server refuse.
 */
import type { ArtifactStore } from "./artifacts/store.ts";
import { type BackupCounts, type BackupHeader, type BackupItem, readBackupFile } from "./backup_file.ts";
import { type BlobCheck, createBlobCheck } from "./blob_check.ts";
import { StorageError } from "./errors.ts";
import { type LogMerge, openLogMerge } from "./installs/merge.ts";
import { attempt } from "./kv/call.ts";
import { installKeys, keys } from "./kv/keys.ts";
import { migrateAll, SCHEMA_VERSION } from "./kv/schema.ts";
import { LEFT_OUT } from "./left_out.ts";
import { letGo, writeBlobs } from "./restore_files.ts";
import { createDeleteBatch, createRestoreBatch, type RestoreEntry } from "./restore_batch.ts";
import { beginRestore, wasBrokenOff } from "./restore_turn.ts";
import type { Clock, Log, Timers } from "./runtime.ts";
import { realTimers } from "./timers.ts";

/** `verify`: the file is read to its end · `files`: those that the store lacks · `write`: servers refuse meanwhile. */
export type RestoreStep = "verify" | "files" | "write";

export interface RestoreOptions {
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly log?: Log;
  /** The folder of this machine's install journal; without, there is none. */
  readonly journal?: string | null;
  /** What the store holds is deleted. Without, only an empty store is restored into. */
  readonly replace?: boolean;
  /** Where files go; without, those in the backup are left out. */
  readonly artifacts?: ArtifactStore;
  /** Awaited once it is sure that everything will be replaced, and before it is; not where it is not whole. */
  readonly beforeReplacing?: () => Promise<void>;
  readonly onProgress?: (step: RestoreStep, counts: BackupCounts) => void;
}

export interface RestoreResult extends BackupCounts {
  readonly createdAt: string;
  /** Were in the file, and had nowhere to go. */
  readonly blobsLeftOut: number;
  /** Installs that were in the backup and not in the log here; null: all of them, since there was none. */
  readonly installsAdded: number | null;
}

/** The store holds something, and nobody said that it may go. */
export class NotEmptyError extends StorageError {}

/**
 * `open` is called four times at most, and must give the same bytes. Nothing is changed unless the whole file was
 * verified. Install log and audit trail are joined, not replaced: what either has is there afterwards. A restore that is broken off leaves a store
 * that nobody reads or writes (fence.ts) until one comes to its end.
 * `kv` must be the bare store. Throws SyntaxError (no backup that can be used), IntegrityError (a blob), NotEmptyError,
 * StorageError.
 */
export async function restore(
  kv: Deno.Kv,
  open: () => Promise<ReadableStream<Uint8Array>>,
  options: RestoreOptions,
): Promise<RestoreResult> {
  const { artifacts, timers = realTimers } = options;
  const tellFiles = (done: number) => options.onProgress?.("files", { entries: 0, blobs: done });
  const { header, entries, blobs } = await verify(await open(), options);
  if (header.schema > SCHEMA_VERSION) {
    throw new SyntaxError(
      `Cannot restore: the backup's records have version ${header.schema}, and this program knows versions up to ` +
        `${SCHEMA_VERSION}. Use the program that wrote it, or a newer one`,
    );
  }
  await mayReplace(kv, options);
  if (artifacts !== undefined && blobs > 0) await writeBlobs(await open(), artifacts, tellFiles);
  const installsAdded = await replaceAll(kv, await open(), { ...options, timers });
  // What an eviction took before its record was there.
  if (artifacts !== undefined && blobs > 0) await writeBlobs(await open(), artifacts, tellFiles);
  return {
    createdAt: header.createdAt,
    entries,
    blobs: artifacts === undefined ? 0 : blobs,
    blobsLeftOut: artifacts === undefined ? blobs : 0,
    installsAdded,
  };
}

/** Throws NotEmptyError. */
async function mayReplace(kv: Deno.Kv, { replace, beforeReplacing }: RestoreOptions): Promise<void> {
  if (await wasBrokenOff(kv) || await isEmpty(kv)) return;
  if (replace !== true) {
    throw new NotEmptyError(
      "Cannot restore: this Sluice is not empty, and a restore replaces all that it holds: policies, tokens, " +
        "packages. Nothing was changed. If that is what you want, add --replace",
    );
  }
  await beforeReplacing?.();
}

/** Resolves with how many installs were added to the log; null: all of them. */
async function replaceAll(
  bare: Deno.Kv,
  file: ReadableStream<Uint8Array>,
  options: RestoreOptions & { readonly timers: Timers },
): Promise<number | null> {
  const { clock, timers, journal = null, log = () => {} } = options;
  const turn = await beginRestore(bare, { clock, timers });
  try {
    const { kv } = turn;
    const batch = createRestoreBatch(kv, clock);
    const merge = await openLogMerge<RestoreEntry>({ kv, journal, clock, log }, batch.add);
    await clear(kv);
    await writeEntries(file, { ...options, merge, batch });
    const added = await merge.end();
    await migrateAll(kv, { log });
    await turn.end((atomic) =>
      atomic
        .set(keys.stamp(), { at: clock() })
        .set(keys.organisationsStamp(), { at: clock() })
    );
    return added;
  } catch (error) {
    await turn.giveUp();
    throw error;
  }
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

/** The version alone is nothing that could be lost. */
async function isEmpty(kv: Deno.Kv): Promise<boolean> {
  for await (const { key } of kv.list({ prefix: [] }, { limit: 4 })) {
    if (key[0] !== "schema" && key[0] !== keys.restore()[0]) return false;
  }
  return true;
}

/**
 * What was done stays written down, whatever is restored: the backup's entries join those that are here. Of the audit
 * trail each has a key of its own.
 */
const JOINED: ReadonlySet<string> = new Set([String(installKeys[0]), "audit_trail"]);

/** All but what is joined, and what tells that this runs. */
async function clear(kv: Deno.Kv): Promise<void> {
  const gone = createDeleteBatch(kv);
  const entries = kv.list({ prefix: [] }, { batchSize: 500 });
  while (true) {
    const { done, value } = await attempt("empty the store", () => entries.next());
    if (done) break;
    const [first] = value.key;
    if (first !== keys.restore()[0] && !JOINED.has(first as string)) await gone.add(value.key);
  }
  await gone.flush();
}

async function writeEntries(
  file: ReadableStream<Uint8Array>,
  options: RestoreOptions & {
    readonly merge: LogMerge<RestoreEntry>;
    readonly batch: ReturnType<typeof createRestoreBatch>;
  },
): Promise<void> {
  const { merge, batch, onProgress } = options;
  const items = readBackupFile(file);
  let entries = 0;
  try {
    for (let { done, value } = await items.next(); !done; { done, value } = await items.next()) {
      const item = value as BackupItem;
      // Behind the entries there are files alone.
      if (item.kind !== "entry") break;
      if (item.key[0] === installKeys[0]) await merge.add(item);
      else if (!LEFT_OUT.has(item.key[0] as string)) await batch.add(item);
      if (++entries % 100 === 0) onProgress?.("write", { entries, blobs: 0 });
    }
    await batch.flush();
    onProgress?.("write", { entries, blobs: 0 });
  } finally {
    await letGo(items);
  }
}
