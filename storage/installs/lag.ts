/** How far the indexes are behind what was appended: a look at each source, without reading all of it. */
import type { EpochMs } from "../../policy/types.ts";
import { listJournalFiles } from "./journal_files.ts";
import { type LogPlace, readCursors, readFileBlock, readSegments } from "./tail.ts";

export interface FoldLag {
  /** When the oldest record was written that is not folded; null: all are. */
  readonly oldestAt: EpochMs | null;
  /** Of the journal: bytes that are not folded. */
  readonly bytes: number;
  /** In KV, where there is no disk: segments that are not folded, counted up to a thousand. */
  readonly segments: number;
}

const MAX_SEGMENTS = 1_000;

/** Throws StorageError. */
export async function foldLag(place: LogPlace, now: EpochMs): Promise<FoldLag> {
  const { kv, journal } = place;
  const cursors = await readCursors(kv);
  let oldestAt: EpochMs | null = null;
  let bytes = 0;
  for (const name of journal === null ? [] : await listJournalFiles(journal)) {
    const offset = cursors.get(`file:${name}`) ?? 0;
    const size = await sizeOf(`${journal}/${name}`);
    if (size <= offset) continue;
    const block = await readFileBlock(journal!, { name, offset, now });
    const first = block?.items.find(({ entry }) => entry !== null)?.entry;
    // What is left may be the file's end alone.
    if (first === undefined || first === null) continue;
    bytes += size - offset;
    oldestAt = earlier(oldestAt, first.record.at);
  }
  let segments = 0;
  for await (const { items } of readSegments(kv, cursors, MAX_SEGMENTS)) {
    segments++;
    const first = items.find(({ entry }) => entry !== null)?.entry;
    if (first !== undefined && first !== null) oldestAt = earlier(oldestAt, first.record.at);
  }
  return { oldestAt, bytes, segments };
}

/** 0 where it was folded and deleted meanwhile. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function earlier(a: EpochMs | null, b: EpochMs): EpochMs {
  return a === null || b < a ? b : a;
}
