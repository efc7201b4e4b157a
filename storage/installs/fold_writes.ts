/** From a plan to the values that one atomic commit sets. */
import { joinBytes } from "../bytes.ts";
import { addToChunk } from "./cells.ts";
import type { CellUpdate, FoldPlan, TimelineUpdate } from "./fold_plan.ts";

interface Chunk {
  readonly number: number;
  readonly value: Uint8Array | null;
}

export interface IndexWrite {
  readonly key: Deno.KvKey;
  /** null: delete; a number: a cursor. */
  readonly value: Uint8Array | number | null;
  /** Milliseconds after which KV drops it. */
  readonly expireIn?: number;
}

/** Above this a time-ordered chunk is followed by another. */
const TIMELINE_CHUNK_BYTES = 32_000;
const KEY_BYTES = 81_920;
const COMMIT_BYTES = 819_200;
/** Of KV's 1,000 mutations for a commit. */
export const MAX_WRITES = 990;
const encoder = new TextEncoder();

/** Keys that are read and written at a time: a millisecond or two. */
const SLICE_KEYS = 60;

/** Reads the last chunk of each key that the plan touches, and adds to it. */
export async function writesOf(
  kv: Deno.Kv,
  plan: FoldPlan,
  pause?: () => Promise<void>,
): Promise<IndexWrite[]> {
  const singles = plan.cells.filter(({ single }) => single);
  const chunked = plan.cells.filter(({ single }) => !single);
  const writes: IndexWrite[] = [];
  for (const slice of slices(singles, SLICE_KEYS)) {
    const tens = slices(slice, 10).map((updates) => singleWrites(kv, updates));
    writes.push(...(await Promise.all(tens)).flat());
    await pause?.();
  }
  for (const slice of slices(chunked, SLICE_KEYS)) {
    const each = slice.map(async (update) => cellWrites(update, await lastChunk(kv, update.key)));
    writes.push(...(await Promise.all(each)).flat());
    await pause?.();
  }
  for (const update of plan.timelines) writes.push(...await timelineWrites(kv, update));
  return [...writes, ...plan.organisations.map((key) => ({ key, value: new Uint8Array() }))];
}

function slices<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, index) => all.slice(index * size, (index + 1) * size));
}

/** At most ten, which is what KV reads at once. */
async function singleWrites(kv: Deno.Kv, updates: readonly CellUpdate[]): Promise<IndexWrite[]> {
  const entries = await kv.getMany<Uint8Array[]>(updates.map(({ key }) => [...key, 0]));
  return updates.flatMap((update, index) => {
    return cellWrites(update, { number: 0, value: entries[index]?.value ?? null });
  });
}

function cellWrites({ key, mirror, cells, single }: CellUpdate, last: Chunk): IndexWrite[] {
  return addToChunk(last.value, cells.values(), { single }).flatMap((value, index) => {
    const write = { key: [...key, last.number + index], value };
    return mirror === null ? [write] : [write, { key: [...mirror, last.number + index], value }];
  });
}

async function timelineWrites(kv: Deno.Kv, { key, lines }: TimelineUpdate): Promise<IndexWrite[]> {
  const last = await lastChunk(kv, key);
  const writes: IndexWrite[] = [];
  let parts: Uint8Array[] = last.value === null ? [] : [last.value];
  let size = last.value?.length ?? 0;
  for (const line of lines.map((text) => encoder.encode(text))) {
    if (size > 0 && size + line.length > TIMELINE_CHUNK_BYTES) {
      writes.push({ key: [...key, last.number + writes.length], value: joinBytes(parts, size) });
      parts = [];
      size = 0;
    }
    parts.push(line);
    size += line.length;
  }
  return [...writes, { key: [...key, last.number + writes.length], value: joinBytes(parts, size) }];
}

/** Chunks are numbered from 0 and only the last one grows: a reader never misses what moved. */
async function lastChunk(kv: Deno.Kv, key: Deno.KvKey): Promise<Chunk> {
  const { value: entry } = await kv.list<Uint8Array>({ prefix: [...key] }, { reverse: true, limit: 1 })
    .next();
  if (entry === undefined) return { number: 0, value: null };
  return { number: Number(entry.key.at(-1)), value: entry.value };
}

/**
 * False where KV would refuse the commit; a few mutations and their keys are left for the caller. WARNING: KV counts
 * a key twice towards the whole (denokv, measured on 2.5.7 and 2.9.6): once itself, once with its value.
 */
export function fitsOneCommit(writes: readonly IndexWrite[]): boolean {
  if (writes.length > MAX_WRITES) return false;
  let keys = 10_000;
  let values = 10_000;
  for (const { key, value } of writes) {
    for (const part of key) keys += typeof part === "string" ? encoder.encode(part).length + 2 : 9;
    values += (value instanceof Uint8Array ? value.length : 0) + 16;
  }
  return keys <= KEY_BYTES && 2 * keys + values <= COMMIT_BYTES;
}
