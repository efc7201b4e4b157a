/** Lines of the tail, committed to the indexes in batches that KV takes at once. */
import { StorageError } from "../errors.ts";
import { planFold, touchedKeys } from "./fold_plan.ts";
import { fitsOneCommit, type IndexWrite, MAX_WRITES, writesOf } from "./fold_writes.ts";
import { anonymise, type Forgotten } from "./forgotten.ts";
import { cursorKey, HEAD_KEY } from "./keys.ts";
import type { LogEntry } from "./record.ts";
import { withoutRepeats } from "./tail.ts";

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

const MAX_BATCH = 500;

/** Commits all items, in order. False: the head was no longer `head`; what was committed until then stays. */
export async function foldItems(
  kv: Deno.Kv,
  options: {
    readonly items: readonly FoldItem[];
    readonly head: string | null;
    readonly forgotten: Forgotten;
  },
): Promise<boolean> {
  const { items, forgotten } = options;
  let { head } = options;
  let size = MAX_BATCH;
  for (let done = 0; done < items.length;) {
    const batch = await fittingBatch(kv, items.slice(done, done + size), forgotten);
    head = await commitAtHead(kv, head, batch.writes);
    if (head === null) return false;
    done += batch.lines;
    size = Math.min(MAX_BATCH, Math.ceil(batch.lines * 1.25));
  }
  return true;
}

async function fittingBatch(
  kv: Deno.Kv,
  items: readonly FoldItem[],
  forgotten: Forgotten,
): Promise<{ readonly writes: readonly IndexWrite[]; readonly lines: number }> {
  for (let lines = items.length;; lines = Math.ceil(lines / 2)) {
    const batch = items.slice(0, lines);
    const entries = batch.flatMap(({ entry }) => entry === null ? [] : [anonymise(entry, forgotten)]);
    const plan = planFold(withoutRepeats(entries));
    const cursors = cursorWrites(batch);
    if (lines > 1 && touchedKeys(plan) + cursors.length > MAX_WRITES) continue;
    const writes = [...await writesOf(kv, plan), ...cursors];
    if (lines === 1 || fitsOneCommit(writes)) return { writes, lines };
  }
}

function cursorWrites(items: readonly FoldItem[]): IndexWrite[] {
  const ends = new Map(items.map((item) => [item.source, item]));
  return Array.from(ends.values()).flatMap(({ source, next, key, last }): IndexWrite[] => {
    if (!last || key === null) return [{ key: cursorKey(source), value: next }];
    return [{ key: cursorKey(source), value: null }, { key, value: null }];
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
