/** Which blob each artifact is. */
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import type { FileRecord, Files, PackageKey } from "./packages.ts";

interface StoredFile {
  readonly v: 1;
  readonly filename: string;
  readonly record: FileRecord;
}

/** Files of a package whose bytes are kept, by name. Throws StorageError. */
export async function listFiles(kv: Deno.Kv, key: PackageKey): Promise<ReadonlyMap<string, FileRecord>> {
  const found = await attempt(
    `list the files of ${JSON.stringify(key.name)}`,
    () => Array.fromAsync(kv.list<StoredFile>({ prefix: keys.filesOf(key) }, { batchSize: 500 })),
  );
  return new Map(found.map(({ value }) => [value.filename, value.record]));
}

/** Throws StorageError where KV fails. */
export function createFiles(kv: Deno.Kv): Files {
  async function get(key: PackageKey, filename: string): Promise<FileRecord | null> {
    const entry = await attempt(
      `read where the file ${JSON.stringify(filename)} is`,
      () => kv.get<StoredFile>(keys.file(key, filename)),
    );
    return entry.value?.record ?? null;
  }
  async function put(key: PackageKey, filename: string, record: FileRecord): Promise<void> {
    const stored: StoredFile = { v: 1, filename, record };
    await attempt(
      `write where the file ${JSON.stringify(filename)} is`,
      () => kv.set(keys.file(key, filename), stored),
    );
  }
  async function remove(key: PackageKey, filename: string): Promise<void> {
    await attempt(
      `forget where the file ${JSON.stringify(filename)} is`,
      () => kv.delete(keys.file(key, filename)),
    );
  }
  return { get, put, delete: remove };
}
