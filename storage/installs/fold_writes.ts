/** From a plan to the values that one atomic commit sets. */
import { addToChunk, decodeCells } from "./cells.ts";
import type { CellUpdate, FoldPlan, TimelineUpdate } from "./fold_plan.ts";
import { concat } from "./segments.ts";

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

/** Reads the last chunk of each key that the plan touches, and adds to it. */
export async function writesOf(kv: Deno.Kv, plan: FoldPlan): Promise<IndexWrite[]> {
  const cells = Array.from(plan.cells.values(), (update) => cellWrites(kv, update));
  const timelines = Array.from(plan.timelines.values(), (update) => timelineWrites(kv, update));
  const organisations = plan.organisations.map((key) => ({ key, value: new Uint8Array() }));
  return [...(await Promise.all([...cells, ...timelines])).flat(), ...organisations];
}

async function cellWrites(kv: Deno.Kv, { key, mirror, cells }: CellUpdate): Promise<IndexWrite[]> {
  const last = await lastChunk(kv, key);
  const values = addToChunk(last.value === null ? [] : decodeCells(last.value), cells.values());
  return values.flatMap((value, index) => {
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
      writes.push({ key: [...key, last.number + writes.length], value: concat(parts, size) });
      parts = [];
      size = 0;
    }
    parts.push(line);
    size += line.length;
  }
  return [...writes, { key: [...key, last.number + writes.length], value: concat(parts, size) }];
}

/** Chunks are numbered from 0 and only the last one grows: a reader never misses what moved. */
export async function lastChunk(
  kv: Deno.Kv,
  key: Deno.KvKey,
): Promise<{ readonly number: number; readonly value: Uint8Array | null }> {
  const { value: entry } = await kv.list<Uint8Array>({ prefix: [...key] }, { reverse: true, limit: 1 })
    .next();
  if (entry === undefined) return { number: 0, value: null };
  return { number: Number(entry.key.at(-1)), value: entry.value };
}

/** False where KV would refuse the commit; a few mutations and their keys are left for the caller. */
export function fitsOneCommit(writes: readonly IndexWrite[]): boolean {
  if (writes.length > MAX_WRITES) return false;
  let keys = 10_000;
  let values = 10_000;
  for (const { key, value } of writes) {
    for (const part of key) keys += typeof part === "string" ? encoder.encode(part).length + 2 : 9;
    values += (value instanceof Uint8Array ? value.length : 0) + 16;
  }
  return keys <= KEY_BYTES && keys + values <= COMMIT_BYTES;
}
