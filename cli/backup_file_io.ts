/** What `deno task backup` and `restore` have in common: the file on the disk, and what is said while it is gone through. */
import type { BackupCounts } from "../storage/backup.ts";
import { readBackupFile } from "../storage/backup_file.ts";
import { StorageError } from "../storage/errors.ts";
import type { Io } from "./io.ts";
import { UsageError } from "./storage.ts";

/** Throws UsageError where the file is there already, unless `force`. */
export async function mustBeNew(path: string, force: boolean): Promise<void> {
  if (force || !await exists(path)) return;
  throw new UsageError(`Cannot write ${path}: it is there already. Add --force to replace it.`);
}

/** The file appears under its name once `write` resolves, and for its owner's eyes alone. Throws UsageError. */
export async function writeWhole<T>(
  path: string,
  write: (out: WritableStream<Uint8Array>, partial: string) => Promise<T>,
): Promise<T> {
  const partial = `${path}.${crypto.randomUUID().slice(0, 8)}.partial`;
  try {
    const result = await write((await openNew(partial)).writable, partial);
    await Deno.rename(partial, path);
    return result;
  } catch (error) {
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
}

async function openNew(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  } catch (cause) {
    throw new UsageError(`Cannot write ${path}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Reads it to its end, which says whether it is whole. Throws SyntaxError or IntegrityError where it is not. */
export async function countBackup(path: string): Promise<BackupCounts> {
  const items = readBackupFile((await Deno.open(path)).readable);
  for (let next = await items.next();; next = await items.next()) if (next.done) return next.value;
}

/** Writes what a server sends, and makes sure that it is a whole backup. Throws StorageError where it breaks off. */
export async function keepBackup(path: string, bytes: ReadableStream<Uint8Array>): Promise<BackupCounts> {
  return await writeWhole(path, async (out, partial) => {
    try {
      await bytes.pipeTo(out);
      return await countBackup(partial);
    } catch (cause) {
      throw new StorageError(`The backup broke off: ${cause instanceof Error ? cause.message : cause}`, {
        cause,
      });
    }
  });
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** One line that is written over, for whoever sits there. */
export function showProgress(io: Io, text: string): void {
  if (io.isTty) io.stderr(`\r\x1b[K${text} `);
}

export function endProgress(io: Io): void {
  if (io.isTty) io.stderr("\n");
}

export function amountOf({ entries, blobs }: BackupCounts): string {
  return `${entries} records${blobs > 0 ? ` and ${blobs} files` : ""}`;
}
