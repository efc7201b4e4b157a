/** Journal files as their readers see them: named by when they were begun, read from an offset, deleted once folded. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { decodeEntry, type LogEntry } from "./record.ts";

/** The last line of a file whose writer is done with it. */
export const END_LINE = '"end"\n';
/** A file begun longer ago is not written to any more: its writer begins another after one hour. */
const ENDED_AFTER_MS = 2 * 60 * 60 * 1000;
const BLOCK_BYTES = 512 * 1024;
const SLICE_LINES = 200;
const LINE_FEED = 0x0a;

export interface JournalItem {
  /** null: a line that cannot be read. */
  readonly entry: LogEntry | null;
  /** The offset behind it. */
  readonly next: number;
}

export interface JournalRead {
  readonly name: string;
  readonly offset: number;
  readonly now: EpochMs;
  /** Awaited now and then while lines are parsed. */
  readonly pause?: () => Promise<void>;
}

export interface JournalBlock {
  readonly items: readonly JournalItem[];
  /** Nobody will write behind the last item: the file may be deleted once that is folded. */
  readonly ended: boolean;
  /** Bytes of a last line that was never finished, in a file that has ended. */
  readonly tornBytes: number;
}

/** Sorts by time, and can be read by a person: `20261121T075926123Z-host-1.jsonl`. */
export function journalName(openedAt: EpochMs, instance: string, sequence: number): string {
  const time = new Date(openedAt).toISOString().replace(/[-:.]/g, "");
  return `${time}-${instance.replace(/[^A-Za-z0-9_.]/g, "").slice(0, 32) || "sluice"}-${sequence}.jsonl`;
}

function openedAtOf(name: string): number | null {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z-[\w.]+-\d+\.jsonl$/.exec(name);
  if (parts === null) return null;
  const [year, month, day, hour, minute, second, milli] = parts.slice(1);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milli}Z`);
}

/** The names of the journal's files, oldest first; empty where the folder is absent. */
export async function listJournalFiles(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (entry.isFile && openedAtOf(entry.name) !== null) names.push(entry.name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw new StorageError(`Cannot list install journal ${path}`, { cause: error });
  }
  return names.sort();
}

/** Reads at most about half a megabyte of whole lines. null: the file is gone. */
export async function readJournalBlock(
  path: string,
  options: JournalRead,
): Promise<JournalBlock | null> {
  const { name, offset, now } = options;
  const bytes = await readFrom(`${path}/${name}`, offset);
  if (bytes === null) return null;
  const whole = bytes.lastIndexOf(LINE_FEED) + 1;
  if (whole === 0 && bytes.length === BLOCK_BYTES) {
    // No line of ours is that long: skipped, and told by the null.
    return { items: [{ entry: null, next: offset + bytes.length }], ended: false, tornBytes: 0 };
  }
  const { items, ended } = await parseLines(bytes.subarray(0, whole), options);
  if (ended) return { items, ended, tornBytes: 0 };
  const atTheEnd = bytes.length < BLOCK_BYTES;
  const old = now - (openedAtOf(name) ?? now) > ENDED_AFTER_MS;
  return { items, ended: atTheEnd && old, tornBytes: atTheEnd && old ? bytes.length - whole : 0 };
}

/** Up to BLOCK_BYTES; null if the file is absent. */
async function readFrom(path: string, offset: number): Promise<Uint8Array | null> {
  try {
    using file = await Deno.open(path, { read: true });
    await file.seek(offset, Deno.SeekMode.Start);
    const buffer = new Uint8Array(BLOCK_BYTES);
    let filled = 0;
    while (filled < buffer.length) {
      const count = await file.read(buffer.subarray(filled));
      if (count === null) break;
      filled += count;
    }
    return buffer.subarray(0, filled);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw new StorageError(`Cannot read install journal ${path}`, { cause: error });
  }
}

async function parseLines(
  bytes: Uint8Array,
  { offset, pause }: JournalRead,
): Promise<{ items: JournalItem[]; ended: boolean }> {
  const decoder = new TextDecoder();
  const items: JournalItem[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, start);
    const line = decoder.decode(bytes.subarray(start, end));
    start = end + 1;
    if (`${line}\n` === END_LINE) return { items, ended: true };
    items.push({ entry: decodeEntry(line), next: offset + start });
    if (items.length % SLICE_LINES === 0) await pause?.();
  }
  return { items, ended: false };
}
