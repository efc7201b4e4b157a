/** What is told of a Sluice, by a server or beside it: numbers, status, this process. */
import type { Gauges } from "../routes/metrics.ts";
import type { StatusReport } from "../routes/api/status.ts";
import type { EpochMs } from "../policy/types.ts";
import { type Cached, createCached } from "../storage/cached.ts";
import { createInstallQueries } from "../storage/installs/queries.ts";
import type { InstallQueries } from "../storage/installs/query_types.ts";
import { createProcesses, type Processes, type ProcessReport } from "../storage/kv/processes.ts";
import { createStats, type Stats } from "../storage/stats.ts";
import type { Config } from "./config.ts";
import type { Parts } from "./parts.ts";
import { reportStatus } from "./status_report.ts";
import { VERSION } from "./version.ts";

/** Rounds come each minute. */
const SCHEDULE_BEHIND_MS = 10 * 60_000;

/** The server that this process is. */
export interface Live {
  readonly startedAt: EpochMs;
  /** Requests that are being answered. */
  readonly inFlight: () => number;
  /** When the last round of maintenance began; before the first, when it was started. */
  readonly maintainedAt: () => EpochMs;
}

export interface Insight {
  readonly cached: Cached;
  readonly queries: InstallQueries;
  readonly processes: Processes;
  readonly stats: (organisation: string) => Promise<Stats>;
  /** The upstream that an organisation has a package from; null: none. */
  readonly upstreamId: (organisation: string, ecosystem: string, name: string) => string | null;
  /** It is on no default upstream: only this organisation's people may read of it. */
  readonly isPrivate: (organisation: string, ecosystem: string, name: string) => boolean;
  readonly gauges: () => Gauges;
  /** null: this process serves nothing. */
  readonly self: () => ProcessReport | null;
  readonly status: () => Promise<StatusReport>;
  /** Raises an alert where no round of maintenance came for long: the rounds themselves cannot. Throws StorageError. */
  readonly lookAtSchedule: () => Promise<void>;
}

/** `live` null: a command that looks at the storage beside the servers. */
export function createInsight(
  parts: Parts,
  given: { readonly config: Config; readonly live: Live | null },
): Insight {
  const { kv, fence, journal, services, counters, metrics } = parts;
  const { clock, upstreams, ecosystems } = services;
  const { live, config } = given;
  const queries = createInstallQueries({ kv, journal, clock });
  const cached = createCached({ kv, packages: services.packages, clock, onRestored: fence.onRestored });
  const processes = createProcesses(kv, { clock });
  const ecosystemIds = ecosystems.map(({ id }) => id);

  function upstreamOf(organisation: string, ecosystem: string, name: string) {
    const key = Object.keys(ecosystems.find(({ id }) => id === ecosystem)?.upstreams ?? {})[0];
    return key === undefined ? null : upstreams.choose({ ecosystem, key, name, organisation });
  }

  function gauges(): Gauges {
    const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      caches: {
        memo: services.memo.sizeBytes,
        facts: services.known.sizeBytes,
        artifacts: services.hot.sizeBytes,
      },
      fills: services.fills.running,
      maintenanceAgeSeconds: Math.max(0, sinceMaintenance() / 1_000),
    };
  }

  function sinceMaintenance(): number {
    return live === null ? 0 : clock() - live.maintainedAt();
  }

  async function lookAtSchedule(): Promise<void> {
    if (sinceMaintenance() < SCHEDULE_BEHIND_MS) return;
    const minutes = Math.round(sinceMaintenance() / 60_000);
    const detail = `No round of maintenance came for ${minutes} minutes: webhooks, folds and refreshes wait`;
    await parts.alerts.raise({ kind: "schedule-behind", subject: "maintenance", detail, organisation: null });
  }

  function self(): ProcessReport | null {
    if (live === null) return null;
    const { rssBytes, heapUsedBytes, fills } = gauges();
    const { requests } = metrics.read();
    return {
      instance: parts.instance,
      version: VERSION,
      startedAt: live.startedAt,
      at: clock(),
      rssBytes,
      heapBytes: heapUsedBytes,
      inFlight: live.inFlight(),
      fills,
      requests: requests.reduce(
        (sum, { statuses }) => sum + [...statuses.values()].reduce((a, b) => a + b, 0),
        0,
      ),
      upstreams: services.upstream.health().filter(({ asked }) => asked),
    };
  }

  return {
    cached,
    queries,
    processes,
    stats: createStats({ ecosystemIds, cached, counters, queries, clock, onRestored: fence.onRestored }),
    upstreamId: (...of) => upstreamOf(...of)?.id ?? null,
    isPrivate: (...of) => upstreamOf(...of)?.isDefault !== true,
    gauges,
    self,
    lookAtSchedule,
    status: () => reportStatus(parts, { config, cached, processes, self: self() }),
  };
}
