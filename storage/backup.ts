/** Everything in KV (and, if wanted, the artifacts) into one file, and back. */
import type { ArtifactStore } from "./artifacts/store.ts";
import { type BackupCounts, type BackupWriter, writeBackupFile } from "./backup_file.ts";
import { createBlobCheck } from "./blob_check.ts";
import { StorageError } from "./errors.ts";
import { attempt } from "./kv/call.ts";
import { type Parts, partsIn } from "./kv/chunks.ts";
import { installKeys, keys } from "./kv/keys.ts";
import { SCHEMA_VERSION } from "./kv/schema.ts";
import { readLogWhole } from "./installs/read_whole.ts";
import { LEFT_OUT } from "./left_out.ts";
import type { Clock } from "./runtime.ts";

export {
  NotEmptyError,
  restore,
  type RestoreOptions,
  type RestoreResult,
  type RestoreStep,
} from "./restore.ts";
export type { BackupCounts } from "./backup_file.ts";

const DATA_BYTES = 256 * 1024;
const ATTEMPTS = 10;

export interface BackupOptions {
  readonly clock: Clock;
  /** With every blob; without, KV alone. */
  readonly artifacts?: ArtifactStore;
  readonly onProgress?: (counts: BackupCounts) => void;
}

/**
 * Writes while the server goes on: each record is whole, with its chunks as they were; records may be from
 * moments that lie apart. Closes `out`; aborts it where something fails. Throws StorageError, IntegrityError.
 */
export async function backup(
  kv: Deno.Kv,
  out: WritableStream<Uint8Array>,
  options: BackupOptions,
): Promise<BackupCounts> {
  const { artifacts, clock, onProgress } = options;
  const writer = await writeBackupFile(out, {
    schema: SCHEMA_VERSION,
    createdAt: new Date(clock()).toISOString(),
    artifacts: artifacts !== undefined,
  });
  const counts = { entries: 0, blobs: 0 };
  function wrote(what: keyof BackupCounts): void {
    counts[what]++;
    if ((counts.entries + counts.blobs) % 100 === 0) onProgress?.({ ...counts });
  }
  try {
    await writeEntries(kv, writer, wrote);
    if (artifacts !== undefined) await writeBlobs(artifacts, writer, wrote);
    const total = await writer.end();
    onProgress?.(total);
    return total;
  } catch (error) {
    await writer.abort(error);
    throw error;
  }
}

async function writeEntries(
  kv: Deno.Kv,
  writer: BackupWriter,
  wrote: (what: "entries") => void,
): Promise<void> {
  const entries = kv.list({ prefix: [] });
  while (true) {
    const { done, value: entry } = await attempt("read KV for a backup", () => entries.next());
    if (done) break;
    if (isLeftOut(entry.key)) continue;
    const whole = await withParts(kv, entry);
    for (const { key, value } of whole) {
      await writer.entry(key, value);
      wrote("entries");
    }
  }
  for await (const { key, value } of readLogWhole(kv)) {
    await writer.entry(key, value);
    wrote("entries");
  }
}

/** Chunks go with the records that point at them, a job's due key is had from the job, and the install log follows. */
function isLeftOut(key: Deno.KvKey): boolean {
  return LEFT_OUT.has(key[0] as string) || key[0] === "parts" || key[0] === installKeys[0] ||
    (key[0] === "jobs" && key[1] === "due");
}

interface KeyValue {
  readonly key: Deno.KvKey;
  readonly value: unknown;
}

/** A record with the chunks that it points at; as it is now, if it was replaced meanwhile; nothing if deleted. */
async function withParts(kv: Deno.Kv, first: Deno.KvEntry<unknown>): Promise<KeyValue[]> {
  let entry: Deno.KvEntryMaybe<unknown> = first;
  for (let i = 0; i < ATTEMPTS; i++) {
    if (entry.versionstamp === null) return [];
    const chunks = await chunksOf(kv, entry.key, partsIn(entry.value));
    if (chunks !== null) return [{ key: entry.key, value: entry.value }, ...chunks];
    const before: string = entry.versionstamp;
    entry = await attempt("read KV for a backup", () => kv.get(first.key));
    // Still the same, and yet without its chunks: damaged. The record alone lets a reader find out and repair.
    if (entry.versionstamp === before) return [{ key: entry.key, value: entry.value }];
  }
  throw new StorageError(`Cannot back up ${JSON.stringify(first.key.map(String))}: it changes too fast`);
}

/** null: one is missing. */
async function chunksOf(kv: Deno.Kv, owner: Deno.KvKey, all: readonly Parts[]): Promise<KeyValue[] | null> {
  const found: KeyValue[] = [];
  for (const parts of all) {
    for (let i = 0; i < parts.chunks; i++) {
      const key = keys.part(owner, parts.id, i);
      const { value } = await attempt("read KV for a backup", () => kv.get(key));
      if (value === null) return null;
      found.push({ key, value });
    }
  }
  return found;
}

async function writeBlobs(
  store: ArtifactStore,
  writer: BackupWriter,
  wrote: (what: "blobs") => void,
): Promise<void> {
  for await (const { key } of store.list()) {
    const blob = await store.get(key);
    // Deleted since it was listed.
    if (blob === null) continue;
    const check = createBlobCheck(key, blob.sizeBytes);
    await writer.blob(key, blob.sizeBytes);
    for await (const chunk of blob.body) {
      check.update(chunk);
      for (let at = 0; at < chunk.byteLength; at += DATA_BYTES) {
        await writer.data(chunk.subarray(at, at + DATA_BYTES));
      }
    }
    check.end();
    wrote("blobs");
  }
}
