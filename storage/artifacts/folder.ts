/**
 * Blobs as files: `sha256/ab/abcd…`, what is being written in `tmp/`, readable names in `by-name/`. Several
 * processes share one folder.
 */
import { dirname, join } from "node:path";
import { StorageError } from "../errors.ts";
import type { Clock, Log } from "../runtime.ts";
import { storageError, systemCode } from "./folder_errors.ts";
import { moveInto, namesIn, openIfThere, sizeOf, syncFolder, writeAll } from "./folder_files.ts";
import { writeLabel } from "./folder_label.ts";
import { readExactly, streamFile } from "./folder_read.ts";
import { checkInstance, cleanTemporaries, removeIfThere, temporaryName } from "./folder_temporary.ts";
import { checkedKey, parseBlobKey } from "./key.ts";
import { createPieces } from "./pieces.ts";
import { checkRange } from "./range.ts";
import type { ArtifactStore, BlobKey, BlobStat, ByteRange, PutOptions, StoredBlob } from "./store.ts";
import { nameOfBody, passThrough } from "./verify.ts";

export interface FolderStoreOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Unique among the processes that share the folder, and new at each start. */
  readonly instance: string;
  readonly log?: Log;
}

/** Creates the folder if it is not there, and cleans what dead processes left; rejects with StorageError. */
export async function createFolderStore(options: FolderStoreOptions): Promise<ArtifactStore> {
  const { path: root, clock, instance, log = () => {} } = options;
  checkInstance(instance);
  const temporaries = join(root, "tmp");
  const pathOf = (key: BlobKey) => join(root, checkedKey(key));
  const pieces = createPieces();

  try {
    await Deno.mkdir(temporaries, { recursive: true });
    await Deno.mkdir(join(root, "sha256"), { recursive: true });
    await cleanTemporaries({ folder: temporaries, instance, clock, log });
  } catch (error) {
    throw storageError(`use the artifact folder ${JSON.stringify(root)}`, error);
  }

  async function guarded<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageError || systemCode(error) === null) throw error;
      throw storageError(`${action} in ${JSON.stringify(root)}`, error);
    }
  }

  async function write(path: string, body: ReadableStream<Uint8Array> | Uint8Array, putOptions: PutOptions) {
    const action = `keep ${nameOfBody(putOptions.label)}`;
    // Nobody writes to it again: this file alone, which is open already, may still be written to.
    using file = await guarded(action, () => Deno.open(path, { write: true, createNew: true, mode: 0o444 }));
    // Only what the file system says is translated: the body's own failure reaches the caller as it is.
    const stat = await passThrough(body, putOptions, (chunk) => guarded(action, () => writeAll(file, chunk)));
    await guarded(action, () => file.sync());
    return stat;
  }

  async function label(text: string, blob: string): Promise<void> {
    try {
      const temporary = join(temporaries, temporaryName(instance, clock));
      await writeLabel({ root, label: text, blob, temporary });
    } catch (error) {
      log("debug", `Cannot name the blob ${JSON.stringify(text)}: ${systemCode(error) ?? error}`, { error });
    }
  }

  async function put(
    body: ReadableStream<Uint8Array> | Uint8Array,
    putOptions: PutOptions,
  ): Promise<BlobStat> {
    const temporary = join(temporaries, temporaryName(instance, clock));
    let isMoved = false;
    try {
      const stat = await write(temporary, body, putOptions);
      const blob = pathOf(stat.key);
      await guarded(`keep ${nameOfBody(putOptions.label)}`, async () => {
        // What is there stays, unless somebody cut it short: then the whole one takes its place.
        if (await sizeOf(blob) !== stat.sizeBytes) {
          await moveInto(temporary, blob);
          isMoved = true;
        }
        await Promise.all([
          isMoved ? syncFolder(dirname(blob)) : undefined,
          putOptions.label === undefined ? undefined : label(putOptions.label, blob),
        ]);
        if (isMoved) putOptions.onAdded?.();
      });
      return stat;
    } catch (error) {
      if (body instanceof ReadableStream && !body.locked) body.cancel(error).catch(() => {});
      throw error;
    } finally {
      if (!isMoved) await dropTemporary(temporary);
    }
  }

  async function dropTemporary(path: string): Promise<void> {
    try {
      await removeIfThere(path);
    } catch (error) {
      const told = `${JSON.stringify(path)}: ${systemCode(error) ?? error}`;
      log("warn", `Cannot remove the temporary file ${told}`);
    }
  }

  function stat(key: BlobKey): Promise<BlobStat | null> {
    return guarded(`look for ${key}`, async () => {
      const sizeBytes = await sizeOf(pathOf(key));
      return sizeBytes === null ? null : { key, sizeBytes };
    });
  }

  function get(key: BlobKey, range?: ByteRange): Promise<StoredBlob | null> {
    return guarded(`read ${key}`, async () => {
      const file = await openIfThere(pathOf(key));
      if (file === null) return null;
      let sizeBytes: number;
      try {
        sizeBytes = (await file.stat()).size;
        if (range !== undefined) checkRange(key, range, sizeBytes);
      } catch (error) {
        file.close();
        throw error;
      }
      const { first, last } = range ?? { first: 0, last: sizeBytes - 1 };
      const part = { first, length: last - first + 1, pieces };
      return { key, sizeBytes, body: await streamFile(file, pathOf(key), part) };
    });
  }

  function read(key: BlobKey, maxBytes: number): Promise<Uint8Array | null> {
    return guarded(`read ${key}`, async () => {
      using file = await openIfThere(pathOf(key));
      if (file === null) return null;
      const { size } = await file.stat();
      return size > maxBytes ? null : await readExactly(file, size, pathOf(key));
    });
  }

  async function* list(prefix = ""): AsyncIterable<BlobStat> {
    for (const shard of await namesIn(join(root, "sha256"))) {
      const head = `sha256/${shard}/`;
      if (!head.startsWith(prefix.slice(0, head.length))) continue;
      for (const name of await namesIn(join(root, "sha256", shard))) {
        const key = parseBlobKey(head + name);
        const found = key !== null && key.startsWith(prefix) ? await stat(key) : null;
        if (found !== null) yield found;
      }
    }
  }

  return {
    stat,
    get,
    read,
    put,
    delete: (key) => guarded(`delete ${key}`, () => removeIfThere(pathOf(key))),
    list,
  };
}
