/** How an instance is, gathered from its storage: the same from a server as from a command beside it. */
import type { StatusReport } from "../routes/api/status.ts";
import type { EpochMs } from "../policy/types.ts";
import type { Cached } from "../storage/cached.ts";
import { foldLag } from "../storage/installs/lag.ts";
import type { Processes, ProcessReport } from "../storage/kv/processes.ts";
import type { OriginHealth } from "../storage/upstream/circuit.ts";
import type { Config } from "./config.ts";
import type { Parts } from "./parts.ts";
import { VERSION } from "./version.ts";

const DAY_MS = 86_400_000;
const MAX_JOBS = 1_000;
const FAR = Number.MAX_SAFE_INTEGER as EpochMs;
const WORSE = { ok: 0, failing: 1, open: 2 } as const;

export interface StatusSources {
  readonly config: Pick<Config, "kv">;
  readonly cached: Cached;
  readonly processes: Processes;
  /** Of the process that asks; null: it is no server. */
  readonly self: ProcessReport | null;
}

/** Throws StorageError. */
export async function reportStatus(parts: Parts, sources: StatusSources): Promise<StatusReport> {
  const { kv, journal, jobs, counters, alerts, services } = parts;
  const now = services.clock();
  // Of today and yesterday: a day that has just begun says little.
  const since = (Math.floor(now / DAY_MS) - 1) * DAY_MS as EpochMs;
  const [overview, waiting, dead, lag, counts, open, processes, kvBytes, refreshing] = await Promise.all([
    sources.cached.overview(),
    jobs.due({ now: FAR, limit: MAX_JOBS }),
    jobs.dead(),
    foldLag({ kv, journal }, now),
    counters.read(since),
    alerts.list(),
    allProcesses(sources),
    sizeOfKv(sources.config.kv),
    parts.refreshing.status(),
  ]);
  const sums = [...overview.byEcosystem.values()];
  const hits = sumOf(counts, "hits");
  const misses = sumOf(counts, "misses");
  const oldest = waiting.reduce((first, { runAt }) => Math.min(first, runAt), Infinity);
  return {
    version: VERSION,
    asOf: text(now),
    processes: processes.map(({ startedAt, at, ...each }) => ({
      ...each,
      startedAt: text(startedAt),
      saidAt: text(at),
      uptimeSeconds: Math.max(0, Math.floor((now - startedAt) / 1_000)),
    })),
    storage: {
      kvBytes,
      artifacts: sumOf(sums, "artifacts"),
      cacheBytes: sumOf(sums, "bytes"),
      limitBytes: parts.cache.usage().maxBytes,
    },
    upstreams: healthOf(services.upstream.health(), processes),
    jobs: {
      waiting: waiting.length,
      dead: dead.length,
      oldestDueAt: oldest <= now ? text(oldest) : null,
    },
    refreshing: {
      packages: refreshing.packages,
      overdue: refreshing.overdue,
      nextAt: refreshing.nextAt === null ? null : text(refreshing.nextAt),
    },
    installLog: {
      behindSeconds: lag.oldestAt === null ? 0 : Math.max(0, Math.floor((now - lag.oldestAt) / 1_000)),
      unfoldedBytes: lag.bytes,
      unfoldedSegments: lag.segments,
    },
    cache: {
      since: text(since),
      hits,
      misses,
      hitRate: hits + misses === 0 ? null : hits / (hits + misses),
    },
    openAlerts: open.filter(({ overAt }) => overAt === null).length,
  };
}

/** What others said within the last minutes, and what this one knows now. */
async function allProcesses({ processes, self }: StatusSources): Promise<readonly ProcessReport[]> {
  const others = (await processes.list()).filter(({ instance }) => instance !== self?.instance);
  return self === null ? others : [...others, self].sort((a, b) => a.startedAt - b.startedAt);
}

/** Each origin as the process has it that is worst off with it; asked, if any of them asked it. */
function healthOf(
  known: readonly OriginHealth[],
  processes: readonly ProcessReport[],
): StatusReport["upstreams"] {
  const worst = new Map(known.map((each) => [each.origin, each]));
  for (const each of processes.flatMap(({ upstreams }) => upstreams)) {
    const before = worst.get(each.origin);
    const isWorse = before === undefined || WORSE[each.state] > WORSE[before.state];
    // A process of an older version said so only of those it had asked.
    const asked = before?.asked === true || (each.asked ?? true);
    worst.set(each.origin, { ...(isWorse ? each : before), asked });
  }
  return [...worst.values()].sort((a, b) => a.origin < b.origin ? -1 : 1).map((each) => ({
    ...each,
    lastErrorAt: each.lastErrorAt === null ? null : text(each.lastErrorAt),
  }));
}

/** With what was not yet moved into it; null: no file. */
async function sizeOfKv(path: string | undefined): Promise<number | null> {
  if (path === undefined || path === ":memory:" || /^https?:/.test(path)) return null;
  const sizes = await Promise.all(
    [path, `${path}-wal`].map((file) => Deno.stat(file).then(({ size }) => size, () => 0)),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

function sumOf<K extends string>(rows: readonly Readonly<Record<K, number>>[], key: K): number {
  return rows.reduce((sum, row) => sum + row[key], 0);
}

function text(at: number): string {
  return new Date(at).toISOString();
}
