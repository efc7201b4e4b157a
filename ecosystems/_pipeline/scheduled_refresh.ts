/**
 * Packages in use are refreshed before their copy expires, so that what upstream published or yanked is known without
 * anybody waiting for it. A round each minute, by one process for each origin: what is due is taken, one after
 * another, at a pace that an origin can bear, however much there is.
 */
import type { EpochMs } from "../../policy/types.ts";
import type { OnRestored } from "../../storage/kv/fence.ts";
import type { Lease, Leases } from "../../storage/kv/leases.ts";
import type { HeldInUse, PackagesInUse } from "../../storage/kv/packages_in_use.ts";
import type { PackageKey } from "../../storage/kv/packages.ts";
import { UpstreamError } from "../../storage/errors.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { Ecosystem } from "../ecosystem.ts";
import { createByteCache } from "../../storage/memory.ts";
import { fromStorage, keyText } from "./load.ts";
import { isMirrored } from "./mirror_only.ts";
import { isOfOrigin, nextRefresh, refreshBackOffMs, useCountsFor, writtenOnceIn } from "./refresh_times.ts";
import type { Services } from "./services.ts";
import { refreshOnce } from "./shared_refresh.ts";

/** What is known of refreshing by schedule; the counts of what was done are this process's own. */
export interface RefreshStatus {
  /** In the schedule, over all upstreams; counted up to ten thousand each. */
  readonly packages: number;
  /** Of those, due already: more than few, for long, means that more is in use than can be asked for in time. */
  readonly overdue: number;
  readonly nextAt: EpochMs | null;
  readonly confirmed: number;
  readonly changed: number;
  readonly failed: number;
  readonly lastRoundAt: EpochMs | null;
  /** Origins that failed, and until when they are left alone. */
  readonly paused: readonly { readonly origin: string; readonly until: EpochMs }[];
}

export interface ScheduledRefresh {
  /** Writes down what was asked for, then refreshes what is due; ends within a minute, and at once when told to stop. */
  round(): Promise<void>;
  /** Writes down what was asked for since, so much of it at most. */
  flush(most: number): Promise<void>;
  /** No round does anything any more. */
  stop(): void;
  status(): Promise<RefreshStatus>;
}

export interface ScheduledRefreshDeps {
  readonly services: Services;
  /** All that are configured, with their ecosystem. */
  readonly upstreams: readonly { readonly upstream: Upstream; readonly ecosystem: Ecosystem }[];
  readonly inUse: PackagesInUse;
  readonly leases: Leases;
  /** The process's name. */
  readonly owner: string;
  /** From 0 to below 1: what was asked for together is not refreshed together. */
  readonly random: () => number;
  readonly onRestored?: OnRestored;
}

interface Target {
  readonly upstream: Upstream;
  readonly ecosystem: Ecosystem;
}

const MINUTE_MS = 60_000;
const ROUND_MS = 45_000;
/** More than a batch takes. */
const LEASE_MS = 60_000;
/** Between two requests to one origin, on average: 300 in a round. */
const PACE_MS = 150;
const BATCH = 50;
/** Uses are written down so many in a round. */
const NOTES = 2_000;
const NOTES_AT_ONCE = 8;
const COUNTED = 10_000;
const LONGEST_PAUSE_MS = 15 * MINUTE_MS;
const WRITTEN_BYTES = 16 * 2 ** 20;

export function createScheduledRefresh(deps: ScheduledRefreshDeps): ScheduledRefresh {
  const { services, inUse, leases, owner, random } = deps;
  const { clock, timers, log } = services;
  const written = createByteCache<EpochMs>({ maxBytes: WRITTEN_BYTES, sizeOf: () => 8 });
  deps.onRestored?.(() => written.clear());
  const pauses = new Map<string, { readonly until: EpochMs; readonly ms: number }>();
  const stopped = new AbortController();
  const done = { confirmed: 0, changed: 0, failed: 0 };
  let lastRoundAt: EpochMs | null = null;

  async function flush(most: number): Promise<void> {
    const waiting = services.inUse.take(most).values();
    await Promise.all(Array.from({ length: NOTES_AT_ONCE }, async () => {
      for (const [id, key] of waiting) await noted(id, key);
    }));
  }

  async function noted(id: string, key: PackageKey): Promise<void> {
    const now = clock();
    const lifetimes = services.lifetimes(key);
    const age = now - (written.get(id) ?? -Infinity);
    if (useCountsFor(lifetimes) === 0 || (age >= 0 && age < writtenOnceIn(lifetimes))) return;
    const checkedAt = services.known.get(id)?.record.checkedAt ?? now;
    await inUse.note(key, { usedAt: now, firstDue: nextRefresh(lifetimes, checkedAt, random()) });
    written.set(id, now);
  }

  async function round(): Promise<void> {
    await flush(NOTES);
    if (stopped.signal.aborted) return;
    lastRoundAt = clock();
    const over = new AbortController();
    const end = AbortSignal.any([over.signal, stopped.signal]);
    const ended = new AbortController();
    timers.sleep(ROUND_MS, ended.signal).then(() => over.abort(), () => {});
    try {
      const origins = Map.groupBy(deps.upstreams, ({ upstream }) => new URL(upstream.root).origin);
      await Promise.all([...origins].map(([origin, targets]) => ofOrigin(origin, targets, end)));
    } finally {
      ended.abort();
    }
  }

  async function ofOrigin(origin: string, targets: readonly Target[], end: AbortSignal): Promise<void> {
    const pause = pauses.get(origin);
    if (pause !== undefined && clock() < pause.until) return;
    const lease = await leases.acquire(`refresh ${origin}`, { owner, ttlMs: LEASE_MS });
    if (lease === null) return;
    try {
      for (const target of targets) await ofUpstream(target, { lease, end });
      pauses.delete(origin);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      leaveAlone(origin, error);
    } finally {
      await lease.release();
    }
  }

  function leaveAlone(origin: string, error: UpstreamError): void {
    const before = pauses.get(origin);
    const ms = Math.min(before === undefined ? MINUTE_MS : before.ms * 2, LONGEST_PAUSE_MS);
    pauses.set(origin, { ms, until: clock() + ms as EpochMs });
    log(before === undefined ? "info" : "debug", `Refreshing by schedule waits: ${error.message}`, {
      "upstream.origin": origin,
      "refresh.pause_ms": ms,
    });
  }

  /** Throws UpstreamError where its origin fails: the others are not asked for either. */
  async function ofUpstream(
    target: Target,
    { lease, end }: { readonly lease: Lease; readonly end: AbortSignal },
  ): Promise<void> {
    for (;;) {
      const batch = await inUse.due(target.upstream.id, { until: clock(), limit: BATCH });
      if (batch.length === 0 || !await lease.renew()) return;
      for (const held of batch) {
        if (end.aborted || lease.signal.aborted) return;
        if (await ofPackage(target, held)) await paced(end);
      }
    }
  }

  async function paced(end: AbortSignal): Promise<void> {
    await timers.sleep(PACE_MS * (0.5 + random()), end).catch(() => {});
  }

  /** true: upstream was asked. */
  async function ofPackage({ upstream, ecosystem }: Target, held: HeldInUse): Promise<boolean> {
    const { key, usedAt, failures } = held.entry;
    const now = clock();
    const lifetimes = services.lifetimes(key);
    const stored = now - usedAt < useCountsFor(lifetimes) ? await services.packages.get(key) : null;
    if (stored === null || stored.record.absent || !await isMirrored(services, key)) {
      written.delete(keyText(key));
      await inUse.drop(held);
      return false;
    }
    const asUsual = nextRefresh(lifetimes, stored.record.checkedAt, random());
    if (asUsual > now && failures === 0 && stored.record.checkedAt <= now) {
      await inUse.move(held, { dueAt: asUsual, failures: 0 });
      return false;
    }
    const moved = await inUse.move(held, { dueAt: nextRefresh(lifetimes, now, random()), failures: 0 });
    if (moved === null) return false;
    try {
      await refreshed(key, { upstream, ecosystem });
    } catch (error) {
      done.failed += 1;
      const dueAt = now + refreshBackOffMs(lifetimes, failures, random()) as EpochMs;
      await inUse.move(moved, { dueAt, failures: failures + 1 });
      if (isOfOrigin(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      log("debug", `Cannot refresh ${key.ecosystem} ${JSON.stringify(key.name)} by schedule: ${why}`);
    }
    return true;
  }

  async function refreshed(key: PackageKey, target: Target): Promise<void> {
    const id = keyText(key);
    const inMemory = services.known.get(id);
    const known = inMemory ?? await fromStorage(services, key);
    const subject = { kind: "package", name: key.name } as const;
    await services.refreshes.run(`revalidate\n${id}`, async () => {
      const result = await refreshOnce(services, { ...target, subject }, key, known);
      if (result !== "absent" && !result.changed) done.confirmed += 1;
      else done.changed += 1;
      return result;
    });
    // What nobody asks for now takes no place from what somebody does.
    if (inMemory === undefined) services.known.delete(id);
  }

  async function status(): Promise<RefreshStatus> {
    const now = clock();
    const counts = await Promise.all(
      deps.upstreams.map(({ upstream }) => inUse.count(upstream.id, { now, most: COUNTED })),
    );
    const next = counts.map(({ nextAt }) => nextAt).filter((at) => at !== null);
    return {
      packages: counts.reduce((sum, { packages }) => sum + packages, 0),
      overdue: counts.reduce((sum, { overdue }) => sum + overdue, 0),
      nextAt: next.length === 0 ? null : Math.min(...next) as EpochMs,
      ...done,
      lastRoundAt,
      paused: [...pauses].filter(([, { until }]) => until > now).map(([origin, { until }]) => ({
        origin,
        until,
      })),
    };
  }

  return { round, flush, stop: () => stopped.abort(new Error("Sluice is stopping")), status };
}
