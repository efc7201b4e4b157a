/**
 * Joins another log (a backup's) to the one that is here: what is here stays, and the records that it lacks are added.
 * Only raw lines are taken; the indexes come of folding them, so that nothing is counted twice.
 */
import type { EpochMs } from "../../policy/types.ts";
import { joinBytes } from "../bytes.ts";
import { attempt } from "../kv/call.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { foldInstalls } from "./fold.ts";
import { bucketOf, FORGOTTEN_PREFIX, SEGMENT_PREFIX, segmentKey, timelineKey } from "./keys.ts";
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

export interface LogMerge {
  /** One entry from below `["installs"]` of the other store, in whatever order. */
  add(key: Deno.KvKey, value: unknown): Promise<void>;
  /** Folds what is left. Resolves with how many records were added. */
  end(): Promise<number>;
}

/** Six megabytes: what one round of a fold reads. */
const SEGMENTS_AT_ONCE = 100;
/** Ten minutes of one organisation each; a segment may hold lines of several. */
const BUCKETS_HELD = 8;
const TIMELINE = "log";

/** Folds first, so that the timeline is all there is. Throws StorageError. */
export async function openLogMerge(deps: LogMergeDeps): Promise<LogMerge> {
  const { kv, clock } = deps;
  await foldInstalls(deps);
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

  async function add(key: Deno.KvKey, value: unknown): Promise<void> {
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
