/** How much is in the store: counted once, then kept by what is put and deleted, over all processes. */
import type { EpochMs } from "../../policy/types.ts";
import { attempt } from "../kv/call.ts";
import { keys } from "../kv/keys.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";

export interface Amount {
  readonly bytes: number;
  readonly blobs: number;
}

/** As all processes have it. */
interface TallyRecord extends Amount {
  readonly v: 1;
  /** Which store: one that is configured anew is counted anew. */
  readonly place: string;
  readonly countedAt: EpochMs;
  /** When that listing began. */
  readonly countedFrom: EpochMs;
  /** Since when a process wants to evict; the others write down what they use. null: nobody does. */
  readonly wantedAt: EpochMs | null;
}

/** What was tallied when a listing began. */
export interface TallyMark {
  readonly record: TallyRecord | null;
  readonly pending: Amount;
  readonly at: EpochMs;
}

export interface Tally {
  /** No I/O; null: it was not counted yet. */
  now(): Amount | null;
  /** A blob of so many bytes has come (1) or gone (-1). */
  changed(sizeBytes: number, by: 1 | -1): void;
  /** Joins what changed here with what changed elsewhere; null: it must be counted. Throws StorageError. */
  sync(): Promise<TallyRecord | null>;
  /** Where a listing begins. Throws StorageError. */
  mark(): Promise<TallyMark>;
  /** What that listing has found. Throws StorageError. */
  counted(listed: Amount, since: TallyMark): Promise<void>;
  /** Tells the other processes that something is about to be evicted; null: no more. Throws StorageError. */
  want(at: EpochMs | null): Promise<void>;
}

const ATTEMPTS = 20;

/** One for the process. `kv` null: the store is this process's alone, and empty at first. */
export function createTally(
  options: { readonly kv: Deno.Kv | null; readonly clock: Clock; readonly place: string },
): Tally {
  const { kv, clock, place } = options;
  let known: TallyRecord | null = kv === null ? recordOf({ bytes: 0, blobs: 0 }) : null;
  let pending: Amount = { bytes: 0, blobs: 0 };
  let changedAt = -Infinity;

  function recordOf(amount: Amount): TallyRecord {
    return { v: 1, place, ...amount, countedAt: clock(), countedFrom: clock(), wantedAt: null };
  }

  function now(): Amount | null {
    return known === null ? null : plus(known, pending);
  }

  function changed(sizeBytes: number, by: 1 | -1): void {
    pending = { bytes: pending.bytes + by * sizeBytes, blobs: pending.blobs + by };
    changedAt = clock();
  }

  /** `change` of null: the record stays as it is. */
  async function update(
    change: (record: TallyRecord | null) => TallyRecord | null,
  ): Promise<TallyRecord | null> {
    if (kv === null) {
      const next = change(known === null ? null : { ...known, ...plus(known, pending) });
      pending = { bytes: 0, blobs: 0 };
      return known = next ?? known;
    }
    const action = "note how much is cached";
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry = await attempt(action, () => kv.get<TallyRecord>(keys.cacheTally()));
      const found = entry.value?.place === place ? entry.value : null;
      const isCountedElsewhere = found !== null && found.countedAt !== known?.countedAt;
      // That listing has seen it.
      if (isCountedElsewhere && changedAt <= found.countedFrom) pending = { bytes: 0, blobs: 0 };
      const mine = pending;
      const next = change(found === null ? null : { ...found, ...plus(found, mine) });
      if (next === null || (found !== null && isSame(next, found))) return known = found;
      const done = await attempt(
        action,
        () => kv.atomic().check(entry).set(keys.cacheTally(), next).commit(),
      );
      if (!done.ok) continue;
      pending = { bytes: pending.bytes - mine.bytes, blobs: pending.blobs - mine.blobs };
      return known = next;
    }
    throw new StorageError(`Cannot ${action}: too many changes at once`);
  }

  function sync(): Promise<TallyRecord | null> {
    return update((record) => record);
  }

  async function mark(): Promise<TallyMark> {
    const record = await sync();
    return { record, pending, at: clock() };
  }

  async function counted(listed: Amount, since: TallyMark): Promise<void> {
    await update((record) => {
      // Another process has counted meanwhile.
      if (record !== null && since.record === null) return record;
      // What came and went during the listing may have been listed, or not.
      const during = record === null || since.record === null
        ? minus(pending, since.pending)
        : minus(record, plus(since.record, since.pending));
      const next = { ...recordOf(plus(listed, during)), countedFrom: since.at };
      return { ...next, wantedAt: record?.wantedAt ?? null };
    });
  }

  return {
    now,
    changed,
    sync,
    mark,
    counted,
    want: async (at) => void await update((record) => record === null ? null : { ...record, wantedAt: at }),
  };
}

function plus(a: Amount, b: Amount): Amount {
  return { bytes: Math.max(0, a.bytes + b.bytes), blobs: Math.max(0, a.blobs + b.blobs) };
}

function minus(a: Amount, b: Amount): Amount {
  return { bytes: a.bytes - b.bytes, blobs: a.blobs - b.blobs };
}

function isSame(a: TallyRecord, b: TallyRecord): boolean {
  return a.bytes === b.bytes && a.blobs === b.blobs && a.wantedAt === b.wantedAt &&
    a.countedAt === b.countedAt;
}
