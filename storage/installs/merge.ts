/**
 * Joins another log (a backup's) to the one that is here: what is here stays, and the records that it lacks are added.
 * Only raw lines are taken then; the indexes come of folding them, so that nothing is counted twice. Where there is no
 * log yet the other is copied, indexes and all: folding anew takes a millisecond a record.
 */
import type { EpochMs } from "../../policy/types.ts";
import { joinBytes } from "../bytes.ts";
import { attempt, deletePrefix } from "../kv/call.ts";
import { installKeys } from "../kv/keys.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { foldInstalls } from "./fold.ts";
import {
  bucketOf,
  COPYING_KEY,
  FORGOTTEN_PREFIX,
  PARKED_PREFIX,
  SEGMENT_PREFIX,
  segmentKey,
  timelineKey,
} from "./keys.ts";
import { createRecordIds, encodeEntry, type LogEntry } from "./record.ts";
import { forgetAlso } from "./retention.ts";
import { SEGMENT_BYTES } from "./segments.ts";
import { decodeLines, entryId } from "./tail.ts";

export interface LogMergeDeps {
  /** Nobody else may fold meanwhile. */
  readonly kv: Deno.Kv;
  /** The journal's folder; null: there is none here. */
  readonly journal: string | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly timers?: Timers;
}

export interface LogMerge<E extends MergeEntry> {
  /** One entry from below `["installs"]` of the other store, as `readLogWhole` gives them. */
  add(entry: E): Promise<void>;
  /** Folds what is left; what was copied must be written by then. How many records were added; null: all. */
  end(): Promise<number | null>;
}

interface MergeEntry {
  readonly key: Deno.KvKey;
  readonly value: unknown;
}

/** Six megabytes: what one round of a fold reads. */
const SEGMENTS_AT_ONCE = 100;
/** Ten minutes of one organisation each; a segment may hold lines of several. */
const BUCKETS_HELD = 8;
const TIMELINE = "log";

/** `copy` writes an entry as it is, whatever is at its key. Throws StorageError. */
export async function openLogMerge<E extends MergeEntry>(
  deps: LogMergeDeps,
  copy: (entry: E) => Promise<void>,
): Promise<LogMerge<E>> {
  const lines = createLineMerge(deps);
  if (!await isToBeCopied(deps.kv)) {
    // Then the timeline is all there is.
    await foldInstalls(deps);
    return { add: lines.add, end: lines.end };
  }
  return copying(deps.kv, { copy, lines });
}

/** True where there is no log, or one that a copy which was cut off has left: that one is deleted. */
async function isToBeCopied(kv: Deno.Kv): Promise<boolean> {
  const mark = await attempt("read the install log", () => kv.get(COPYING_KEY));
  if (mark.value !== null) {
    await attempt("empty the install log", () => deletePrefix(kv, [...installKeys]));
  }
  const first = await attempt("read the install log", () => kv.list({ prefix: [...installKeys] }).next());
  if (!first.done) return false;
  await attempt("copy the install log", () => kv.set(COPYING_KEY, 1));
  return true;
}

/**
 * Cursors are copied too: a journal that lies here is read on from where it was folded to. Segments wait until the
 * timeline is there, which may hold their lines.
 */
function copying<E extends MergeEntry>(
  kv: Deno.Kv,
  { copy, lines }: { readonly copy: (entry: E) => Promise<void>; readonly lines: LogMerge<MergeEntry> },
): LogMerge<E> {
  async function add(entry: E): Promise<void> {
    const { key, value } = entry;
    if (!startsWith(key, SEGMENT_PREFIX)) return await copy(entry);
    await attempt("copy the install log", () => kv.set([...PARKED_PREFIX, ...key.slice(2)], value));
  }

  async function end(): Promise<null> {
    for await (const { key, value } of kv.list({ prefix: [...PARKED_PREFIX] })) {
      await lines.add({ key: [...SEGMENT_PREFIX, ...key.slice(2)], value });
    }
    await lines.end();
    await attempt("copy the install log", async () => {
      await deletePrefix(kv, [...PARKED_PREFIX]);
      await kv.delete(COPYING_KEY);
    });
    return null;
  }

  return { add, end };
}

/** Adds the lines that the timeline lacks. */
function createLineMerge(deps: LogMergeDeps): LogMerge<MergeEntry> {
  const { kv, clock } = deps;
  const nextId = createRecordIds(clock, "restore", Math.random);
  /** What each of these ten minutes holds already, the longest unused first. */
  const held = new Map<string, Set<string>>();
  /** On their way into the timeline. */
  const coming = new Set<string>();
  const encoder = new TextEncoder();
  let lines: Uint8Array[] = [];
  let bytes = 0;
  let segments = 0;
  let added = 0;

  async function add({ key, value }: MergeEntry): Promise<void> {
    if (startsWith(key, FORGOTTEN_PREFIX)) return await forget(String(key.at(-1)), value);
    const holdsLines = key[1] === TIMELINE || startsWith(key, SEGMENT_PREFIX);
    if (!holdsLines || !(value instanceof Uint8Array)) return;
    for (const entry of decodeLines(value)) if (entry !== null) await addEntry(entry);
  }

  /** Whoever was forgotten there or here is forgotten: the later instant counts. */
  async function forget(digest: string, until: unknown): Promise<void> {
    if (typeof until === "number") await forgetAlso(kv, { digest, until: until as EpochMs });
  }

  async function addEntry(entry: LogEntry): Promise<void> {
    const id = entryId(entry);
    if (coming.has(id) || (await heldWith(entry)).has(id)) return;
    coming.add(id);
    if (entry.cutOffAt === null) added++;
    const line = encoder.encode(encodeEntry(entry));
    if (bytes > 0 && bytes + line.length > SEGMENT_BYTES) await writeSegment();
    lines.push(line);
    bytes += line.length;
  }

  async function heldWith({ record: { organisation, at } }: LogEntry): Promise<ReadonlySet<string>> {
    const bucket = bucketOf(at);
    const name = `${organisation}\n${bucket}`;
    const found = held.get(name) ?? await idsIn(kv, timelineKey(TIMELINE, organisation, bucket));
    held.delete(name);
    held.set(name, found);
    if (held.size > BUCKETS_HELD) held.delete(held.keys().next().value!);
    return found;
  }

  async function writeSegment(): Promise<void> {
    const value = joinBytes(lines, bytes);
    lines = [];
    bytes = 0;
    await attempt("join the install logs", () => kv.set(segmentKey(nextId()), value));
    if (++segments >= SEGMENTS_AT_ONCE) await fold();
  }

  async function fold(): Promise<void> {
    await foldInstalls({ ...deps, journal: null });
    segments = 0;
    coming.clear();
    held.clear();
  }

  async function end(): Promise<number> {
    if (bytes > 0) await writeSegment();
    if (segments > 0) await fold();
    return added;
  }

  return { add, end };
}

function startsWith(key: Deno.KvKey, prefix: Deno.KvKey): boolean {
  return prefix.every((part, index) => key[index] === part);
}

async function idsIn(kv: Deno.Kv, prefix: Deno.KvKey): Promise<Set<string>> {
  const ids = new Set<string>();
  await attempt("read the install log", async () => {
    for await (const { value } of kv.list<Uint8Array>({ prefix: [...prefix] }, { batchSize: 20 })) {
      for (const entry of decodeLines(value)) if (entry !== null) ids.add(entryId(entry));
    }
  });
  return ids;
}
