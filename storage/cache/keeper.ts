/** Keeps the store within its size: knows how much it holds and what was used, and evicts in the background. */
import type { DurationMs } from "../../policy/types.ts";
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { StorageError } from "../errors.ts";
import type { Leases } from "../kv/leases.ts";
import type { Organisations } from "../kv/organisation_types.ts";
import type { Pins } from "../kv/pins.ts";
import type { Background, Clock, Log } from "../runtime.ts";
import { evict } from "./evict.ts";
import { readHeld } from "./held.ts";
import { sizeText } from "./size_text.ts";
import { type Amount, createTally } from "./tally.ts";
import { trackStore } from "./tracked_store.ts";
import { createUses, type LastUses } from "./uses.ts";

export interface CacheUsage {
  /** null: it is being counted. */
  readonly bytes: number | null;
  readonly blobs: number | null;
  /** null: no bound. */
  readonly maxBytes: number | null;
}

export interface CacheKeeper {
  /** The store as everybody is to use it. */
  readonly store: ArtifactStore;
  /** No I/O; of all processes, as of a minute ago at the latest. */
  usage(): CacheUsage;
  /** Something of a blob is served. No I/O. */
  used(key: BlobKey): void;
  /** When blobs were last used. Throws StorageError. */
  lastUses(): Promise<LastUses>;
  /** Each minute: joins what other processes did, and begins what is due in the background. Throws StorageError. */
  maintain(): Promise<void>;
  /** Evicts where it is too much; one process at a time. Throws StorageError. */
  tidy(): Promise<void>;
  /** Counts where nobody has: takes as long as a listing. Throws StorageError. */
  look(): Promise<CacheUsage>;
  /** Ends an eviction, and lets none begin. */
  stop(): void;
  /** Stops, and writes down what was noted. */
  close(): Promise<void>;
}

export interface KeeperOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  /** The store's address, without what follows a `?`. */
  readonly place: string;
  readonly maxBytes: number | null;
  readonly everyMs: DurationMs;
  /** The process's name. */
  readonly owner: string;
  readonly pins: Pick<Pins, "list">;
  readonly organisations: Pick<Organisations, "list" | "freezes">;
  readonly leases: Leases;
  readonly background: Background;
  readonly clock: Clock;
  readonly log: Log;
}

/** Evicted down to this part of the bound, so that not every fill evicts. */
const TARGET = 0.9;
/** A listing sets right what a process that was killed did not write down. */
const COUNT_EVERY_MS = 86_400_000;
/** What was used this recently is never evicted. */
const GRACE_MS = 600_000;
/** Two rounds of maintenance, in which every other process writes down what it uses. */
const NOTICE_MS = 130_000;
const LEASE_MS = 600_000;

/** One for the process. */
export function createCacheKeeper(options: KeeperOptions): CacheKeeper {
  const { kv, place, maxBytes, everyMs, background, clock, log } = options;
  const isMemory = place.startsWith("memory:");
  // A file that is open outlives its name; an object that is read in parts does not.
  const losesReaders = place.startsWith("s3:");
  const tally = createTally({ kv: isMemory ? null : kv, clock, place });
  const uses = createUses({ kv: isMemory ? null : kv, clock });
  const stopped = new AbortController();
  const store = trackStore(options.store, { tally, uses, countsReaders: losesReaders, added: beginIfOver });
  let running: Promise<void> | null = null;
  /** It could not be made small enough: tried again then. */
  let notBefore = -Infinity;

  function isOver(): boolean {
    const bytes = tally.now()?.bytes ?? 0;
    return maxBytes !== null && bytes > maxBytes;
  }

  function isHeldBack(): boolean {
    return clock() < notBefore && notBefore - clock() <= everyMs;
  }

  function beginIfOver(): void {
    if (isOver() && !isHeldBack()) begin();
  }

  function begin(): void {
    if (running !== null || stopped.signal.aborted) return;
    background.run("keep the cache within its size", tidy);
  }

  function tidy(): Promise<void> {
    return running ??= tidyOnce().finally(() => running = null);
  }

  async function tidyOnce(): Promise<void> {
    if (stopped.signal.aborted) return;
    const before = await tally.sync();
    const isCounted = before !== null && Math.abs(clock() - before.countedAt) < COUNT_EVERY_MS;
    if (isCounted && !isOver()) return;
    const lease = await options.leases.acquire("cache size", { owner: options.owner, ttlMs: LEASE_MS });
    if (lease === null) return;
    try {
      if (!isCounted) await count();
      if (isOver() && await isNoticed()) await evictNow();
    } catch (error) {
      if (!stopped.signal.aborted) throw error;
    } finally {
      await lease.release();
    }
  }

  async function count(): Promise<void> {
    const since = await tally.mark();
    await tally.counted(await listed(), since);
  }

  async function listed(): Promise<Amount> {
    const amount = { bytes: 0, blobs: 0 };
    for await (const { sizeBytes } of store.list()) {
      stopped.signal.throwIfAborted();
      amount.bytes += sizeBytes;
      amount.blobs++;
    }
    return amount;
  }

  /** Where readers elsewhere would lose what they read, they are given time to say that they do. */
  async function isNoticed(): Promise<boolean> {
    if (!losesReaders) return true;
    const wantedAt = (await tally.sync())?.wantedAt ?? null;
    const age = clock() - (wantedAt ?? -Infinity);
    if (age >= NOTICE_MS && age < COUNT_EVERY_MS) return true;
    if (!(age >= 0 && age < NOTICE_MS)) await tally.want(clock());
    return false;
  }

  async function evictNow(): Promise<void> {
    if (maxBytes === null) return;
    await uses.fold();
    const since = await tally.mark();
    const result = await evict({
      kv,
      store,
      uses,
      isHeld: await readHeld(options),
      now: clock(),
      graceMs: GRACE_MS,
      targetBytes: Math.floor(maxBytes * TARGET),
      signal: stopped.signal,
    });
    // The listing has told how much there was.
    const { left } = result;
    await tally.counted({ bytes: left.bytes + result.bytes, blobs: left.blobs + result.blobs }, since);
    if (losesReaders) await tally.want(null);
    tell(result);
  }

  function tell({ left, heldBytes, ...gone }: Awaited<ReturnType<typeof evict>>): void {
    const fields = {
      "cache.size_bytes": left.bytes,
      "cache.max_bytes": maxBytes,
      "cache.held_bytes": heldBytes,
      "cache.evicted_bytes": gone.bytes,
    };
    if (gone.blobs > 0) {
      log(
        "info",
        `Evicted ${gone.blobs} files and documents, ${sizeText(gone.bytes)}: unused for longest`,
        fields,
      );
    }
    if (maxBytes === null || left.bytes <= maxBytes) return;
    notBefore = clock() + everyMs;
    const why = heldBytes > maxBytes * TARGET
      ? `${sizeText(heldBytes)} are pinned or frozen`
      : "the rest was used in the last ten minutes";
    log(
      "warn",
      `Cannot keep the cache within ${sizeText(maxBytes)} (maxSize): it holds ${
        sizeText(left.bytes)
      }, and ${why}`,
      fields,
    );
  }

  async function maintain(): Promise<void> {
    const record = await tally.sync();
    if ((record?.wantedAt ?? -Infinity) > uses.foldedAt) await uses.fold();
    else await uses.foldIfDue();
    const isCounted = record !== null && Math.abs(clock() - record.countedAt) < COUNT_EVERY_MS;
    if (!isCounted) begin();
    else beginIfOver();
  }

  function usage(): CacheUsage {
    const amount = tally.now();
    return { bytes: amount?.bytes ?? null, blobs: amount?.blobs ?? null, maxBytes };
  }

  async function look(): Promise<CacheUsage> {
    const since = await tally.mark();
    if (since.record !== null) return usage();
    const amount = await listed();
    try {
      await tally.counted(amount, since);
    } catch (error) {
      // On a full disk it can be said all the same.
      if (!(error instanceof StorageError)) throw error;
    }
    return { ...amount, maxBytes };
  }

  function stop(): void {
    stopped.abort(new Error("Sluice is stopping"));
  }

  async function close(): Promise<void> {
    stop();
    await running?.catch(() => {});
    await uses.fold();
    await tally.sync();
  }

  return {
    store,
    usage,
    look,
    used: uses.used,
    lastUses: uses.read,
    maintain,
    tidy,
    stop,
    close,
  };
}
