/** What was appended and is not folded yet: journal files and segments in KV, read from their cursors. */
import type { EpochMs } from "../../policy/types.ts";
import { anonymise, type Forgotten } from "./forgotten.ts";
import { type JournalItem, type JournalRead, listJournalFiles, readJournalBlock } from "./journal_files.ts";
import { CURSOR_PREFIX, SEGMENT_PREFIX } from "./keys.ts";
import { decodeEntry, type LogEntry } from "./record.ts";

/** Where the log is. */
export interface LogPlace {
  readonly kv: Deno.Kv;
  /** The journal's folder; null where there is no disk. Segments are read in any case. */
  readonly journal: string | null;
}

/** How far each source is folded, by its name. */
export type Cursors = ReadonlyMap<string, number>;

/** A part of the tail. A source's name is in its cursor's key, and never used again for another. */
export interface TailBlock {
  readonly source: string;
  /** Unfolded lines; `next` is the cursor behind each. */
  readonly items: readonly JournalItem[];
  /** Nothing will come behind the last item. */
  readonly ended: boolean;
  readonly tornBytes: number;
}

export function fileSource(name: string): string {
  return `file:${name}`;
}

/** The next megabyte of a journal file; null: it is gone. */
export async function readFileBlock(
  journal: string,
  options: JournalRead,
): Promise<TailBlock | null> {
  const block = await readJournalBlock(journal, options);
  return block === null ? null : { ...block, source: fileSource(options.name) };
}

/** Segments in the order of their names, at most `limit` (default: all). */
export async function* readSegments(
  kv: Deno.Kv,
  cursors: Cursors,
  limit?: number,
): AsyncGenerator<TailBlock & { readonly key: Deno.KvKey }> {
  const range = { prefix: [...SEGMENT_PREFIX] };
  for await (const { key, value } of kv.list<Uint8Array>(range, limit === undefined ? {} : { limit })) {
    const source = `segment:${String(key.at(-1))}`;
    const items = decodeLines(value).map((entry, index) => ({ entry, next: index + 1 }));
    yield { source, key, items: items.slice(cursors.get(source) ?? 0), ended: true, tornBytes: 0 };
  }
}

/** Lines as they are packed into a value, each with its line feed; null for one that cannot be read. */
export function decodeLines(value: Uint8Array): (LogEntry | null)[] {
  const lines = new TextDecoder().decode(value).split("\n");
  return lines.slice(0, -1).map(decodeEntry);
}

export async function readCursors(kv: Deno.Kv): Promise<Cursors> {
  const cursors = new Map<string, number>();
  for await (const { key, value } of kv.list<number>({ prefix: [...CURSOR_PREFIX] }, { batchSize: 500 })) {
    cursors.set(String(key.at(-1)), value);
  }
  return cursors;
}

/**
 * All that is not folded, without the people to be forgotten. The cursors are read before the sources: what is
 * folded meanwhile may be here and in the indexes, never in neither.
 */
export async function readTail(place: LogPlace, now: EpochMs, forgotten: Forgotten): Promise<LogEntry[]> {
  const cursors = await readCursors(place.kv);
  const entries: LogEntry[] = [];
  for await (const { items } of tailBlocks(place, now, cursors)) {
    for (const { entry } of items) {
      if (entry !== null) entries.push(anonymise(entry, forgotten));
    }
  }
  return entries.filter(repeatFilter());
}

async function* tailBlocks(place: LogPlace, now: EpochMs, cursors: Cursors): AsyncGenerator<TailBlock> {
  const { kv, journal } = place;
  for (const name of journal === null ? [] : await listJournalFiles(journal)) {
    let offset = cursors.get(fileSource(name)) ?? 0;
    while (true) {
      const block = await readFileBlock(journal as string, { name, offset, now });
      if (block === null || block.items.length === 0) break;
      yield block;
      if (block.ended) break;
      offset = block.items.at(-1)?.next ?? offset;
    }
  }
  yield* readSegments(kv, cursors);
}

/** True for the first of each record and of each amendment that it is asked about. */
export function repeatFilter(): (entry: LogEntry) => boolean {
  const seen = new Set<string>();
  return (entry) => {
    const id = entryId(entry);
    return !seen.has(id) && Boolean(seen.add(id));
  };
}

/** What tells a line from all others; a record's amendment is another line than the record. */
export function entryId({ record, cutOffAt }: LogEntry): string {
  return cutOffAt === null ? record.id : `${record.id} amended`;
}
