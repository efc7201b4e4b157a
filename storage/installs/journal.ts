/**
 * The log on a disk: lines gathered while the event loop turns, one write for all that wait. A write that was
 * done survives SIGKILL of this process (the kernel has it), not a power cut.
 */
import { setImmediate } from "node:timers";
import { StorageError } from "../errors.ts";
import type { Clock, Log } from "../runtime.ts";
import { END_LINE, journalName } from "./journal_files.ts";
import { encodeEntry, type LogEntry } from "./record.ts";

/** The part of an open file that the journal uses; made by `open`, closed by the journal. */
export interface JournalFile {
  writeSync(bytes: Uint8Array): number;
  truncateSync(length: number): void;
  close(): void;
}

export interface JournalOptions {
  /** The folder, made if it is absent; several processes may share it, each writes its own files. */
  readonly path: string;
  /** Names this process in its files' names. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxFileBytes?: number;
  /** Must fail if the file exists. */
  readonly open?: (path: string) => JournalFile;
}

/** The driver for a data folder. */
export interface Journal {
  /** Resolves when the line is written; rejects with StorageError, and then the line is not in the log. */
  append(entry: LogEntry): Promise<void>;
  /** Writes out what waits, now. */
  flush(): void;
  /** The name of the file that is being written, when it was begun, and its length. */
  current(): { readonly name: string; readonly openedAt: number; readonly bytes: number } | null;
  /** Ends the current file, so that a fold may delete it; the next append begins another. */
  rotate(): void;
  close(): void;
}

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_FILE_AGE_MS = 60 * 60 * 1000;
const BUFFER_BYTES = 256 * 1024;

interface OpenJournalFile {
  readonly file: JournalFile;
  readonly name: string;
  readonly openedAt: number;
  bytes: number;
}

interface Batch {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Makes the folder; throws StorageError if that fails. The first append opens the first file. */
export function openJournal(options: JournalOptions): Journal {
  const { path, instance, clock, log, maxFileBytes = MAX_FILE_BYTES, open = openNewFile } = options;
  const encoder = new TextEncoder();
  const endLine = encoder.encode(END_LINE);
  let buffer = new Uint8Array(BUFFER_BYTES);
  let used = 0;
  let batch: Batch | null = null;
  let current: OpenJournalFile | null = null;
  let sequence = 0;
  let closed = false;
  makeFolder(path);

  function append(entry: LogEntry): Promise<void> {
    if (closed) {
      return Promise.reject(new StorageError(`Cannot append to install journal ${path}: it is closed`));
    }
    const line = encodeEntry(entry);
    if (buffer.length - used < line.length * 3) grow(line.length * 3);
    used += encoder.encodeInto(line, buffer.subarray(used)).written;
    if (batch === null) {
      batch = Promise.withResolvers<void>();
      setImmediate(flush);
    }
    return batch.promise;
  }

  /** The buffer only has to hold what arrives within one turn of the event loop. */
  function grow(need: number): void {
    const larger = new Uint8Array(buffer.length * 2 + need);
    larger.set(buffer.subarray(0, used));
    buffer = larger;
  }

  function flush(): void {
    if (batch === null) return;
    const waiting = batch;
    const bytes = buffer.subarray(0, used);
    batch = null;
    used = 0;
    try {
      write(bytes);
      waiting.resolve();
    } catch (error) {
      waiting.reject(
        new StorageError(`Cannot write to install journal ${path}: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  function write(bytes: Uint8Array): void {
    if (current !== null && isFull(current)) rotate();
    current ??= begin();
    const target = current;
    try {
      writeAll(target.file, bytes);
      target.bytes += bytes.length;
    } catch (error) {
      abandon(target);
      throw error;
    }
  }

  function isFull({ bytes, openedAt }: OpenJournalFile): boolean {
    // WARNING: folds delete files that were begun two hours ago: an older one is never written to.
    return bytes >= maxFileBytes || Math.abs(clock() - openedAt) >= MAX_FILE_AGE_MS;
  }

  function begin(): OpenJournalFile {
    const openedAt = clock();
    while (true) {
      sequence += 1;
      const name = journalName(openedAt, instance, sequence);
      try {
        return { file: open(`${path}/${name}`), name, openedAt, bytes: 0 };
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
  }

  /** A write that failed half-way is taken back, and the file is not used again: a reader may be past its end. */
  function abandon(target: OpenJournalFile): void {
    current = null;
    try {
      target.file.truncateSync(target.bytes);
    } catch (error) {
      const fields = { "journal.file": target.name, error };
      log("warn", `Cannot take back a failed write to install journal ${target.name}`, fields);
    }
    target.file.close();
    if (target.bytes === 0) removeEmpty(target.name);
  }

  /** Else a full disk would collect a file for each attempt. */
  function removeEmpty(name: string): void {
    try {
      Deno.removeSync(`${path}/${name}`);
    } catch (error) {
      log("debug", `Cannot remove empty install journal ${name}: ${messageOf(error)}`, { error });
    }
  }

  function rotate(): void {
    if (current === null) return;
    const ended = current;
    current = null;
    try {
      writeAll(ended.file, endLine);
    } catch (error) {
      // The file then counts as ended by its age.
      log("warn", `Cannot end install journal ${ended.name}: ${messageOf(error)}`, { error });
    }
    ended.file.close();
  }

  function close(): void {
    if (closed) return;
    flush();
    closed = true;
    rotate();
  }

  return { append, flush, rotate, close, current: () => current };
}

function makeFolder(path: string): void {
  try {
    // Names and addresses of people: for the owner of the process alone.
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StorageError(`Cannot make install journal folder ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function openNewFile(path: string): JournalFile {
  const file = Deno.openSync(path, { append: true, createNew: true, mode: 0o600 });
  return {
    writeSync: (bytes) => file.writeSync(bytes),
    truncateSync: (length) => file.truncateSync(length),
    close: () => file.close(),
  };
}

function writeAll(file: JournalFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
