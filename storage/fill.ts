/** An artifact that is not here yet: upstream → digest check → client and store at once; the fill outlives the client. */
import type { Digest } from "../policy/types.ts";
import type { ArtifactStore, BlobStat } from "./artifacts/store.ts";
import { settledWithin } from "./background.ts";
import { IntegrityError } from "./errors.ts";
import type { FillOutcome } from "./fill_follower.ts";
import { createLinger } from "./fill_linger.ts";
import { createFill, type Fill } from "./fill_run.ts";
import type { Once } from "./once.ts";
import type { Background, Clock, Log, Timers } from "./runtime.ts";
import { createPlace, createSlots, type Place } from "./slots.ts";
import type { OpenedArtifact } from "./upstream/upstream.ts";

export interface FillRequest {
  /** One fill per key and expectation (digests, size) at a time; equal requests join it. */
  readonly key: string;
  readonly open: (signal: AbortSignal) => Promise<OpenedArtifact | null>;
  readonly expect: readonly Digest[];
  readonly expectSizeBytes: number | null;
  readonly maxBytes: number;
  readonly label: string;
  /** The upstream's origin, for what is thrown on its behalf. */
  readonly origin?: string;
  /** Called once, when the blob is visible and before any follower gets its last byte; not where another process kept it. */
  readonly kept: (stat: BlobStat) => Promise<void>;
  /**
   * What another process has kept of it since the caller looked, verified against all of `expect` and still there;
   * null: nothing. Not given: other processes are not asked.
   */
  readonly find?: () => Promise<BlobStat | null>;
}

/** One client's view of a fill. */
export interface Following {
  /**
   * The bytes from `offset` 0. Ends only after they were verified and kept; errors with IntegrityError or
   * UpstreamError else. A follower that falls behind the window goes on from the store. As long as somebody has
   * neither read it to the end nor cancelled it, the fill goes on: whoever waits for `done` keeps it open.
   */
  readonly body: ReadableStream<Uint8Array>;
  /**
   * Resolves when the blob is verified and visible, and `kept` has resolved; or only verified, where the store could
   * not keep it. null: a body of which nothing was known beforehand, passed through and not kept. Rejects with what
   * failed. Never unhandled.
   */
  readonly done: Promise<BlobStat | null>;
  /** false: it is passed through, as nothing was known of it beforehand or the store cannot keep it. */
  readonly keeps: boolean;
  /** What `done` resolves to, where it was known already when `follow` resolved (small files): a length may be stated. */
  readonly verified: BlobStat | null;
  /** Another process has filled it: `kept` was not called. */
  readonly elsewhere: boolean;
}

export interface Fills {
  /**
   * Joins or starts the fill. null: upstream says that there is no such file. Rejects before the first byte
   * where upstream fails before it.
   */
  follow(request: FillRequest): Promise<Following | null>;
  /** How many fills run now. */
  readonly running: number;
  /** Resolves when no fill runs any more, or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
}

export interface FillsOptions {
  readonly store: ArtifactStore;
  readonly background: Background;
  readonly log: Log;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Where several processes may share the store; not given: each works for itself. */
  readonly once?: Once;
  /** Of each fill, in memory; 4 MB by default. All that fills hold is at most `windowBytes * (maxConcurrent + 4)`. */
  readonly windowBytes?: number;
  /** How long upstream may send nothing before the fill fails; 30 s by default. */
  readonly idleMs?: number;
  /** How long a fill goes on that nobody follows; 2 min by default. */
  readonly unfollowedMs?: number;
  /** 32 by default; the others wait. */
  readonly maxConcurrent?: number;
  /** How many may wait for their turn; above, `follow` rejects with StorageError. 10,000 by default. */
  readonly maxWaiting?: number;
}

/** How many windows are kept, at most, for those who still read when their fill has ended. */
const LINGERING_WINDOWS = 4;

/** What was asked for under a key may change: nobody joins a fill that checks against something else. */
function identityOf(request: FillRequest): string {
  const expected = request.expect.map((digest) => `${digest.algorithm}:${digest.hex}`).sort();
  return JSON.stringify([request.key, request.expectSizeBytes, expected]);
}

/** One for the process: all equal work meets here. */
export function createFills(options: FillsOptions): Fills {
  const { store, background, log, clock, timers } = options;
  const { windowBytes = 4_000_000, idleMs = 30_000, unfollowedMs = 120_000 } = options;
  const slots = createSlots({
    maxConcurrent: options.maxConcurrent ?? 32,
    maxWaiting: options.maxWaiting ?? 10_000,
  });
  const fills = new Map<string, Fill>();
  const running = new Set<Promise<void>>();
  const linger = createLinger({ clock, maxBytes: LINGERING_WINDOWS * windowBytes, onExpired: forget });

  function forget(identity: string, fill: Fill): void {
    if (fills.get(identity) === fill) fills.delete(identity);
  }

  function tell(request: FillRequest, outcome: FillOutcome, startedAt: number): void {
    const fields = { "fill.key": request.key, "fill.duration_ms": clock() - startedAt };
    if (outcome.kind === "kept") {
      log("debug", `Kept ${JSON.stringify(request.label)}`, {
        ...fields,
        "blob.size_bytes": outcome.stat.sizeBytes,
      });
    }
    if (outcome.kind === "passed" && outcome.unkept !== null) {
      log("warn", `${outcome.unkept.message}: passed on without keeping it`, fields);
    }
    // Where it failed before the first byte, who follows tells it, at the boundary.
    if (outcome.kind !== "failed" || outcome.followed) return;
    const { error } = outcome;
    const message = error instanceof Error ? error.message : String(error);
    log(error instanceof IntegrityError ? "error" : "warn", message, { ...fields, error });
  }

  async function work(
    identity: string,
    request: FillRequest,
    fill: Fill,
    place: Place,
  ): Promise<void> {
    await place.take();
    const startedAt = clock();
    const outcome = await fill.run();
    place.giveBack();
    tell(request, outcome, startedAt);
    if (outcome.kind !== "kept") return forget(identity, fill);
    linger.add(fill, identity, outcome.stat);
  }

  function start(identity: string, request: FillRequest): Fill {
    const place = createPlace(slots);
    const limits = { windowBytes, idleMs, unfollowedMs };
    const shared = options.once === undefined
      ? null
      : { once: options.once, name: `fill\n${identity}`, place };
    const fill = createFill(request, { store, timers, limits, shared, onLeft: () => linger.left(fill) });
    fills.set(identity, fill);
    background.run(`fill ${request.label}`, () => {
      const task = work(identity, request, fill, place).finally(() => running.delete(task));
      running.add(task);
      return task;
    });
    return fill;
  }

  /** A fill that has ended is joined only while its blob is there: it may have been purged. */
  async function forgetWherePurged(identity: string): Promise<void> {
    const fill = fills.get(identity);
    const kept = fill === undefined ? null : linger.keptBy(fill);
    if (kept !== null && await store.stat(kept.key) === null) forget(identity, fill!);
  }

  async function follow(request: FillRequest): Promise<Following | null> {
    const identity = identityOf(request);
    linger.expire();
    await forgetWherePurged(identity);
    // Nothing is awaited from here to the start: two that come at once must not both start.
    const other = fills.get(identity);
    const fill = other?.joinable ? other : start(identity, request);
    return await fill.follow();
  }

  async function untilIdle(): Promise<void> {
    while (running.size > 0) await Promise.allSettled(running);
  }

  return {
    follow,
    get running() {
      return running.size;
    },
    drain: (withinMs) =>
      running.size === 0 ? Promise.resolve() : settledWithin(untilIdle(), withinMs, timers),
  };
}
