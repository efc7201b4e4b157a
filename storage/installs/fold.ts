/**
 * Folds what was appended into KV's indexes. Each commit checks and sets one key (the head), and moves cursors
 * together with what they stand for: a fold that is repeated, cut off, or done by two processes at once counts
 * every record once.
 */
import { StorageError } from "../errors.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { type FoldItem, foldItems } from "./fold_batch.ts";
import { readForgotten } from "./forgotten.ts";
import { listJournalFiles } from "./journal_files.ts";
import { cursorKey, HEAD_KEY, SEGMENT_PREFIX } from "./keys.ts";
import {
  fileSource,
  type LogPlace,
  readCursors,
  readFileBlock,
  readSegments,
  type TailBlock,
} from "./tail.ts";

export interface FoldDeps extends LogPlace {
  readonly clock: Clock;
  readonly log: Log;
  /** To fold in small slices, so that requests get their turn; without, in large ones. */
  readonly timers?: Timers | undefined;
  /** Ends the fold early, between two commits. */
  readonly signal?: AbortSignal;
}

/** `more`: ask again · `done`: nothing is left · `conflict`: another process committed first. */
type Progress = "more" | "done" | "conflict";

const SEGMENTS_PER_ROUND = 100;
/** So often in a row another may have been faster, before this fold leaves the work to it. */
const MAX_CONFLICTS = 50;
/** A cursor whose file could not be deleted with it goes by itself. */
const CURSOR_EXPIRY_MS = 30 * 86_400_000;

/**
 * Folds all that is there at first; what comes meanwhile is for the next time, or under load this would never end.
 * Resolves early where another process keeps being faster. Throws StorageError.
 */
export async function foldInstalls(deps: FoldDeps): Promise<void> {
  const { journal } = deps;
  for (const name of journal === null ? [] : await listJournalFiles(journal)) {
    const end = await sizeOf(`${journal}/${name}`);
    await untilDone(deps, () => foldFile(deps, journal as string, { name, end }));
  }
  const last = await lastSegment(deps.kv);
  if (last !== null) await untilDone(deps, () => foldSegments(deps, last));
}

/** 0 where it is gone. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw new StorageError(`Cannot read install journal ${path}`, { cause: error });
  }
}

async function lastSegment(kv: Deno.Kv): Promise<string | null> {
  const { value } = await kv.list({ prefix: [...SEGMENT_PREFIX] }, { reverse: true, limit: 1 }).next();
  return value === undefined ? null : String(value.key.at(-1));
}

async function untilDone({ signal }: FoldDeps, step: () => Promise<Progress>): Promise<void> {
  for (let conflicts = 0; conflicts <= MAX_CONFLICTS && !signal?.aborted;) {
    const progress = await step();
    if (progress === "done") return;
    conflicts = progress === "conflict" ? conflicts + 1 : 0;
  }
}

async function foldFile(
  deps: FoldDeps,
  journal: string,
  { name, end }: { readonly name: string; readonly end: number },
): Promise<Progress> {
  // The head is read before all else: whatever another changes from here on fails the commit.
  const head = (await deps.kv.get(HEAD_KEY)).versionstamp;
  const forgotten = await readForgotten(deps.kv);
  const key = cursorKey(fileSource(name));
  const offset = (await deps.kv.get<number>(key)).value ?? 0;
  const pause = pauseOf(deps);
  const block = await readFileBlock(journal, { name, offset, now: deps.clock(), pause });
  if (block === null) return "done";
  tell(deps.log, block);
  const { source } = block;
  const items = block.items.map((item): FoldItem => ({ ...item, source, key: null, last: false }));
  if (!await foldItems(deps.kv, { items, head, forgotten, pause })) return "conflict";
  if (!block.ended) return items.length === 0 || (items.at(-1)?.next ?? 0) >= end ? "done" : "more";
  await removeFile(deps.kv, key, { path: `${journal}/${name}`, offset: items.at(-1)?.next ?? offset });
  return "done";
}

/** Those up to `last` are folded at least. */
async function foldSegments(deps: FoldDeps, last: string): Promise<Progress> {
  const head = (await deps.kv.get(HEAD_KEY)).versionstamp;
  const forgotten = await readForgotten(deps.kv);
  const cursors = await readCursors(deps.kv);
  const items: FoldItem[] = [];
  let reached = "";
  for await (const block of readSegments(deps.kv, cursors, SEGMENTS_PER_ROUND)) {
    tell(deps.log, block);
    const { source, key } = block;
    reached = String(key.at(-1));
    const end = block.items.length - 1;
    items.push(
      ...block.items.map((item, index): FoldItem => ({ ...item, source, key, last: index === end })),
    );
  }
  if (items.length === 0) return "done";
  if (!await foldItems(deps.kv, { items, head, forgotten, pause: pauseOf(deps) })) return "conflict";
  return reached >= last ? "done" : "more";
}

function pauseOf({ timers }: FoldDeps): () => Promise<void> {
  return () => timers?.sleep(0) ?? Promise.resolve();
}

function tell(log: Log, { source, items, tornBytes }: TailBlock): void {
  const unreadable = items.filter(({ entry }) => entry === null).length;
  if (unreadable > 0) log("warn", `Skipped ${unreadable} unreadable lines of the install log in ${source}`);
  if (tornBytes === 0) return;
  const fields = { "journal.torn.bytes": tornBytes };
  log("warn", `Skipped the unfinished last line of the install log in ${source}`, fields);
}

/** The file goes before its cursor: the other way round it could be folded again. */
async function removeFile(
  kv: Deno.Kv,
  cursor: Deno.KvKey,
  file: { readonly path: string; readonly offset: number },
): Promise<void> {
  try {
    await kv.set(cursor, file.offset, { expireIn: CURSOR_EXPIRY_MS });
    await Deno.remove(file.path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) {
      throw new StorageError(`Cannot delete folded install journal ${file.path}`, { cause: error });
    }
  }
  await kv.delete(cursor);
}
