/** Lines of the tail, committed to the indexes in batches that KV takes at once. */
import { StorageError } from "../errors.ts";
import { createFoldPlanner, type FoldPlan } from "./fold_plan.ts";
import { fitsOneCommit, type IndexWrite, writesOf } from "./fold_writes.ts";
import { anonymise, type Forgotten } from "./forgotten.ts";
import { cursorKey, HEAD_KEY } from "./keys.ts";
import type { LogEntry } from "./record.ts";
import { repeatFilter } from "./tail.ts";

export interface FoldItem {
  /** null: a line that cannot be read, which only moves the cursor. */
  readonly entry: LogEntry | null;
  readonly source: string;
  /** The cursor behind it. */
  readonly next: number;
  /** What is deleted once the last item of its source is folded; null: nothing. */
  readonly key: Deno.KvKey | null;
  readonly last: boolean;
}

/** What a batch may plan to write before it is tried, a little below KV's bounds for one commit. */
const PLAN_KEYS = 940;
const PLAN_TEXT = 500_000;
/** Lines that are added up at a time: a millisecond or two. */
const SLICE_LINES = 200;

export interface FoldItemsOptions {
  readonly items: readonly FoldItem[];
  /** What the head was before all else was read. */
  readonly head: string | null;
  readonly forgotten: Forgotten;
  /** Lets others have their turn; a timer, since nothing else lets requests in. */
  readonly pause: () => Promise<void>;
}

/** Commits all items, in order. False: the head was no longer `head`; what was committed until then stays. */
export async function foldItems(kv: Deno.Kv, options: FoldItemsOptions): Promise<boolean> {
  const { items } = options;
  let { head } = options;
  for (let done = 0; done < items.length;) {
    const batch = await nextBatch(kv, { ...options, items: items.slice(done) });
    head = await commitAtHead(kv, head, batch.writes);
    if (head === null) return false;
    done += batch.lines;
  }
  return true;
}

interface Batch {
  readonly writes: readonly IndexWrite[];
  readonly lines: number;
}

/** The first lines, as many as one commit takes; where the values turn out larger than planned, half of them. */
async function nextBatch(kv: Deno.Kv, options: FoldItemsOptions): Promise<Batch> {
  for (let most = options.items.length;;) {
    const { plan, lines } = await planBatch(options, most);
    const writes = [
      ...await writesOf(kv, plan, options.pause),
      ...cursorWrites(options.items.slice(0, lines)),
    ];
    if (lines === 1 || fitsOneCommit(writes)) return { writes, lines };
    most = Math.ceil(lines / 2);
  }
}

async function planBatch(
  { items, forgotten, pause }: FoldItemsOptions,
  most: number,
): Promise<{ readonly plan: FoldPlan; readonly lines: number }> {
  const planner = createFoldPlanner();
  const isNew = repeatFilter();
  const sources = new Set<string>();
  let lines = 0;
  for (const { entry, source } of items.slice(0, most)) {
    const { keys, text } = planner.size();
    // One more line touches eight keys at most; the first and last source may need one more each.
    if (lines > 0 && (keys + sources.size + 11 > PLAN_KEYS || text > PLAN_TEXT)) break;
    sources.add(source);
    if (entry !== null && isNew(entry)) planner.add(anonymise(entry, forgotten));
    lines += 1;
    if (lines % SLICE_LINES === 0) await pause();
  }
  return { plan: planner.plan(), lines };
}

/** Where each source of these items is afterwards. */
function cursorWrites(items: readonly FoldItem[]): IndexWrite[] {
  const begun = new Map<string, FoldItem>();
  const ends = new Map<string, FoldItem>();
  for (const item of items) {
    if (!begun.has(item.source)) begun.set(item.source, item);
    ends.set(item.source, item);
  }
  return Array.from(ends.values()).flatMap(({ source, next, key, last }): IndexWrite[] => {
    if (!last || key === null) return [{ key: cursorKey(source), value: next }];
    // A segment that is folded whole, in one commit, never had a cursor.
    const whole = begun.get(source)?.next === 1;
    return [{ key, value: null }, ...(whole ? [] : [{ key: cursorKey(source), value: null }])];
  });
}

/**
 * Commits if the head is still what it was when the indexes were read, and sets a new one, which is returned.
 * null: another was faster, nothing is written. Throws StorageError.
 */
export async function commitAtHead(
  kv: Deno.Kv,
  head: string | null,
  writes: readonly IndexWrite[],
): Promise<string | null> {
  const atomic = kv.atomic().check({ key: HEAD_KEY, versionstamp: head }).set(HEAD_KEY, 1);
  for (const { key, value, expireIn } of writes) {
    if (value === null) atomic.delete(key);
    else atomic.set(key, value, expireIn === undefined ? {} : { expireIn });
  }
  try {
    const result = await atomic.commit();
    return result.ok ? result.versionstamp : null;
  } catch (error) {
    throw new StorageError("Cannot write install indexes to KV", { cause: error });
  }
}
