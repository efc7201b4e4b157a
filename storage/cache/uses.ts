/** When each blob was last used: noted in memory at each hit, written down hourly, a shard of blobs to a write. */
import type { EpochMs } from "../../policy/types.ts";
import type { BlobKey } from "../artifacts/store.ts";
import { attempt } from "../kv/call.ts";
import { keys } from "../kv/keys.ts";
import type { Clock } from "../runtime.ts";
import { decodeUses, encodeUses, shardOf, useId } from "./use_codec.ts";

/** All that was written down by all processes, and what this one has noted since. */
export interface LastUses {
  /** null: nothing is known of it. To the minute. */
  of(key: BlobKey): EpochMs | null;
}

export interface Uses {
  /** No I/O. */
  used(key: BlobKey): void;
  /** As noted by this process and not yet written down; null: not. */
  noted(key: BlobKey): EpochMs | null;
  /** A body of it is being read, by whoever: it counts as used until `end` is called, and as it did before then. */
  reading(key: BlobKey): { readonly end: () => void };
  /** Writes down what was noted. Throws StorageError; then it is noted still. */
  fold(): Promise<void>;
  /** Folds where an hour has passed, or where so much was noted that it takes room. */
  foldIfDue(): Promise<void>;
  /** When `fold` last began; -Infinity: never. */
  readonly foldedAt: number;
  /** Throws StorageError. */
  read(): Promise<LastUses>;
}

const MINUTE_MS = 60_000;
const FOLD_EVERY_MS = 3_600_000;
/** About 20 MB. */
const MAX_NOTED = 200_000;
/** A value has up to 64 KiB, a commit up to 800. */
const SHARDS_AT_ONCE = 8;
const ATTEMPTS = 10;

/** One for the process. `kv` null: nothing is written down (a store that ends with the process). */
export function createUses({ kv, clock }: { readonly kv: Deno.Kv | null; readonly clock: Clock }): Uses {
  let notes = new Map<BlobKey, EpochMs>();
  const open = new Map<BlobKey, number>();
  let foldedAt = -Infinity;
  let firstNotedAt: number | null = null;

  function used(key: BlobKey): void {
    const now = clock();
    firstNotedAt ??= now;
    notes.set(key, now);
  }

  function reading(key: BlobKey): { readonly end: () => void } {
    open.set(key, (open.get(key) ?? 0) + 1);
    let isOpen = true;
    return {
      end() {
        if (!isOpen) return;
        isOpen = false;
        const left = (open.get(key) ?? 1) - 1;
        if (left > 0) open.set(key, left);
        else open.delete(key);
      },
    };
  }

  function noted(key: BlobKey): EpochMs | null {
    return open.has(key) ? clock() : notes.get(key) ?? null;
  }

  async function fold(): Promise<void> {
    foldedAt = clock();
    for (const key of open.keys()) used(key);
    firstNotedAt = null;
    if (kv === null || notes.size === 0) return;
    const taken = notes;
    notes = new Map();
    try {
      const shards = [...Map.groupBy(taken.keys(), shardOf)];
      for (let at = 0; at < shards.length; at += SHARDS_AT_ONCE) {
        await write(kv, shards.slice(at, at + SHARDS_AT_ONCE), taken);
      }
    } catch (error) {
      for (const [key, at] of taken) if (!notes.has(key)) notes.set(key, at);
      throw error;
    }
  }

  async function foldIfDue(): Promise<void> {
    const isDue = firstNotedAt !== null && Math.abs(clock() - firstNotedAt) >= FOLD_EVERY_MS;
    if (isDue || notes.size > MAX_NOTED) await fold();
  }

  async function read(): Promise<LastUses> {
    const shards = new Map<string, ReadonlyMap<number, number>>();
    if (kv !== null) {
      await attempt("read when files were last used", async () => {
        for await (const { key, value } of kv.list<Uint8Array>({ prefix: keys.blobUses() })) {
          shards.set(String(key.at(-1)), decodeUses(value));
        }
      });
    }
    return {
      of(key) {
        const minute = shards.get(shardOf(key))?.get(useId(key));
        const written = minute === undefined ? null : minute * MINUTE_MS as EpochMs;
        return noted(key) ?? written;
      },
    };
  }

  return {
    used,
    noted,
    reading,
    fold,
    foldIfDue,
    get foldedAt() {
      return foldedAt;
    },
    read,
  };
}

async function write(
  kv: Deno.Kv,
  shards: readonly (readonly [string, readonly BlobKey[]])[],
  notes: ReadonlyMap<BlobKey, EpochMs>,
): Promise<void> {
  const action = "write down when files were last used";
  for (let i = 0; i < ATTEMPTS; i++) {
    const entries = await attempt(
      action,
      () => kv.getMany<Uint8Array[]>(shards.map(([shard]) => keys.blobUse(shard))),
    );
    const atomic = kv.atomic();
    shards.forEach(([, blobs], index) => {
      const entry = entries[index]!;
      const uses = entry.value === null ? new Map<number, number>() : decodeUses(entry.value);
      for (const blob of blobs) {
        const minute = Math.floor(notes.get(blob)! / MINUTE_MS);
        uses.set(useId(blob), Math.max(minute, uses.get(useId(blob)) ?? 0));
      }
      atomic.check(entry).set(entry.key, encodeUses(uses));
    });
    if ((await attempt(action, () => atomic.commit())).ok) return;
  }
}
