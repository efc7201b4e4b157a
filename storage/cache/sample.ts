/** Digests looked at in the background: a share of the store at a time, round and round. */
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { StorageError } from "../errors.ts";
import { attempt } from "../kv/call.ts";
import { keys } from "../kv/keys.ts";
import type { Clock, Log, Timers } from "../runtime.ts";
import { checkBlob } from "./check_blob.ts";
import { mend } from "./mend.ts";
import { titleOf } from "./references.ts";

export interface SampleOptions {
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** A round ends with the blob that brings it above this; 64 MB by default. */
  readonly roundBytes?: number;
  /** From the beginning of one round to that of the next, over all processes. */
  readonly everyMs: number;
  /** At most so many bytes a second; 16 MB by default. */
  readonly bytesPerSecond?: number;
}

/** How far the rounds of all processes have come. */
interface SampledRecord {
  readonly v: 1;
  /** The last one that was looked at, in the order of the store. */
  readonly after: string;
  /** The next round begins then; epoch milliseconds. */
  readonly nextAt: number;
}

const ROUND_BYTES = 64_000_000;
const BYTES_PER_SECOND = 16_000_000;
const SLICE_BYTES = 1_000_000;
const SHARDS = 256;

/**
 * One round, unless another process has begun one: evicts what is wrong and tells it. Rejects with StorageError where
 * KV or the store fails, and with the signal's reason; what was evicted by then is told.
 */
export async function sampleDigests(options: SampleOptions, signal: AbortSignal): Promise<void> {
  const after = await claimRound(options);
  if (after === null) return;
  const { roundBytes = ROUND_BYTES } = options;
  const pace = createPace(options, signal);
  const wrong = new Set<BlobKey>();
  let last = after;
  try {
    for await (const key of blobsAfter(options.store, after)) {
      if (await isWrong(options, key, { signal, onBytes: pace.wait })) wrong.add(key);
      last = key;
      if (pace.bytes >= roundBytes) break;
    }
  } finally {
    await endRound(options, last);
    await tell(options, wrong);
  }
}

/** Where to go on; null: it is not time yet, or another process was faster. */
async function claimRound({ kv, clock, everyMs }: SampleOptions): Promise<string | null> {
  const entry = await attempt(
    "see how far digests were looked at",
    () => kv.get<SampledRecord>(keys.sampled()),
  );
  const { after = "", nextAt = 0 } = entry.value ?? {};
  const now = clock();
  // A clock that was set back must not end it for good.
  if (now < nextAt && nextAt - now <= everyMs) return null;
  const next: SampledRecord = { v: 1, after, nextAt: now + everyMs };
  const done = await attempt(
    "begin to look at digests",
    () => kv.atomic().check(entry).set(keys.sampled(), next).commit(),
  );
  return done.ok ? after : null;
}

async function endRound({ kv, clock, everyMs }: SampleOptions, after: string): Promise<void> {
  const entry = await attempt(
    "see how far digests were looked at",
    () => kv.get<SampledRecord>(keys.sampled()),
  );
  const record: SampledRecord = { v: 1, after, nextAt: entry.value?.nextAt ?? clock() + everyMs };
  await attempt("note how far digests were looked at", () => kv.set(keys.sampled(), record));
}

/** From the one after `after` on, shard by shard, once around. */
async function* blobsAfter(store: ArtifactStore, after: string): AsyncGenerator<BlobKey> {
  const first = Number.parseInt(after.slice("sha256/".length, "sha256/".length + 2), 16) || 0;
  for (let n = 0; n <= SHARDS; n++) {
    const shard = ((first + n) % SHARDS).toString(16).padStart(2, "0");
    for await (const { key } of store.list(`sha256/${shard}/`)) {
      if (n === 0 && key <= after) continue;
      if (n === SHARDS && key > after) return;
      yield key;
    }
  }
}

/** Looked at twice before it is evicted: it may have been replaced while it was read. */
async function isWrong(
  { store, log }: SampleOptions,
  key: BlobKey,
  look: Parameters<typeof checkBlob>[2],
): Promise<boolean> {
  try {
    if (await checkBlob(store, key, look) !== "wrong" || await checkBlob(store, key, look) !== "wrong") {
      return false;
    }
    await store.delete(key);
    return true;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    log("warn", error.message, { "blob.key": key });
    return false;
  }
}

/** Once for each, with the files that it was; their records go, so that they are fetched anew. */
async function tell({ kv, store, log }: SampleOptions, wrong: ReadonlySet<BlobKey>): Promise<void> {
  if (wrong.size === 0) return;
  const titles = new Map<string, string[]>([...wrong].map((key) => [key, []]));
  try {
    for await (const { reference, target } of mend({ kv, store, wrong, wrongOnly: true })) {
      titles.get(target)?.push(titleOf(reference));
    }
  } finally {
    for (const [key, of] of titles) {
      const what = of.length === 0 ? "a blob that nothing points at" : of.join(", ");
      log("error", `Evicted ${what}: its bytes were not those of its digest`, { "blob.key": key });
    }
  }
}

interface Pace {
  /** What was read so far. */
  readonly bytes: number;
  wait(bytes: number): Promise<void>;
}

/** A pause after each megabyte, as long as it takes to keep to the rate. */
function createPace(options: SampleOptions, signal: AbortSignal): Pace {
  const { timers, bytesPerSecond = BYTES_PER_SECOND } = options;
  let bytes = 0;
  let unpaid = 0;
  return {
    get bytes() {
      return bytes;
    },
    async wait(more) {
      bytes += more;
      unpaid += more;
      if (unpaid < SLICE_BYTES) return;
      await timers.sleep((unpaid * 1_000) / bytesPerSecond, signal);
      unpaid = 0;
    },
  };
}
