/** Numbers of the cache and of one organisation's installs: nothing about people. */
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../policy/types.ts";
import { type Cached, keptFor } from "./cached.ts";
import type { InstallQueries } from "./installs/query_types.ts";
import type { Counters, UpstreamDay } from "./kv/counters.ts";
import type { OnRestored } from "./kv/fence.ts";
import type { Clock } from "./runtime.ts";

/** Of the install log, of one organisation; refusals are no installs. */
interface InstallSums {
  readonly installs: number;
  readonly refusals: number;
  readonly bytesServed: number;
}

/** Of all organisations and processes. */
interface RequestSums {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
}

export interface EcosystemStats extends InstallSums, RequestSums {
  readonly ecosystem: string;
  readonly packages: number;
  readonly artifacts: number;
  readonly bytes: number;
}

export interface DayStats extends InstallSums, RequestSums {
  readonly day: string;
  readonly ecosystem: string;
  /** Files that came into the cache. */
  readonly filled: number;
}

export interface PopularPackage {
  readonly ecosystem: string;
  readonly package: string;
  readonly installs: number;
}

export interface RecentInstall {
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly at: EpochMs;
}

export interface Stats {
  readonly asOf: EpochMs;
  /** How far the days reach back. */
  readonly since: EpochMs;
  readonly ecosystems: readonly EcosystemStats[];
  /** The newest first. */
  readonly days: readonly DayStats[];
  /** Requests to upstreams, of all organisations; the newest day first. */
  readonly upstreams: readonly UpstreamDay[];
  /** The most first, of the same days. */
  readonly popular: readonly PopularPackage[];
  /** Each release once, the newest first. */
  readonly recent: readonly RecentInstall[];
}

export interface StatsDeps {
  readonly ecosystemIds: readonly string[];
  readonly cached: Cached;
  readonly counters: Pick<Counters, "read" | "upstreams">;
  readonly queries: Pick<InstallQueries, "count" | "recent">;
  readonly clock: Clock;
  readonly onRestored?: OnRestored;
}

const DAY_MS = 86_400_000;
const DAYS = 30;
const MAX_POPULAR = 1_000;
const MAX_RECENT = 200;
const KEEPING = { leastMs: 5_000, mostMs: 60_000 } as const;

/**
 * Of an organisation, some seconds old: anybody who may read may ask. `withPopular` false: without the popular, for
 * which every package of the days is read. Throws StorageError.
 */
export function createStats(
  deps: StatsDeps,
): (organisation: string, withPopular?: boolean) => Promise<Stats> {
  const kept = new LRUCache<string, () => Promise<Stats>>({ max: 1_000 });
  deps.onRestored?.(() => kept.clear());
  return function stats(organisation, withPopular = true) {
    const id = `${organisation}\n${withPopular}`;
    let read = kept.get(id);
    if (read === undefined) {
      kept.set(id, read = keptFor(KEEPING, deps.clock, () => readStats(deps, organisation, withPopular)));
    }
    return read();
  };
}

async function readStats(deps: StatsDeps, organisation: string, withPopular: boolean): Promise<Stats> {
  const { queries, counters, cached } = deps;
  const asOf = deps.clock();
  const since = (Math.floor(asOf / DAY_MS) - DAYS + 1) * DAY_MS as EpochMs;
  const [overview, counts, upstreams, popular, recent] = await Promise.all([
    cached.overview(),
    counters.read(since),
    counters.upstreams(since),
    withPopular ? queries.count({ organisation, since, limit: MAX_POPULAR }, "package") : [],
    queries.recent({ organisation, limit: MAX_RECENT }),
  ]);
  const days = new Map<string, Mutable<DayStats>>();
  const dayOf = (day: string, ecosystem: string) => {
    const id = `${day} ${ecosystem}`;
    const known = days.get(id) ?? { day, ecosystem, filled: 0, ...NOTHING };
    days.set(id, known);
    return known;
  };
  for (const { day, ecosystem, ...sums } of counts) Object.assign(dayOf(day, ecosystem), sums);
  for (const ecosystem of deps.ecosystemIds) {
    for (const row of await queries.count({ organisation, ecosystem, since }, "day")) {
      Object.assign(dayOf(row.day!, ecosystem), installsOf(row));
    }
  }
  const first = new Date(since).toISOString().slice(0, 10);
  for (const [id, filled] of overview.filledByDay) {
    const [day = "", ecosystem = ""] = id.split(" ");
    if (day >= first) dayOf(day, ecosystem).filled = filled;
  }
  const rows = [...days.values()].sort((a, b) =>
    a.day === b.day ? (a.ecosystem < b.ecosystem ? -1 : 1) : a.day < b.day ? 1 : -1
  );
  return {
    asOf,
    since,
    ecosystems: deps.ecosystemIds.map((ecosystem) => ({
      ecosystem,
      ...(overview.byEcosystem.get(ecosystem) ?? { packages: 0, artifacts: 0, bytes: 0 }),
      ...summed(rows.filter((row) => row.ecosystem === ecosystem)),
    })),
    days: rows,
    upstreams,
    popular: popular.filter(({ installs }) => installs > 0).map((row) => ({
      ecosystem: row.ecosystem!,
      package: row.package!,
      installs: row.installs,
    })),
    recent: eachOnce(recent.filter(({ outcome }) => outcome !== "refused")),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NOTHING = { installs: 0, refusals: 0, bytesServed: 0, requests: 0, hits: 0, misses: 0 } as const;

function installsOf(row: { readonly installs: number; readonly refused: number; readonly bytes: number }) {
  return { installs: row.installs, refusals: row.refused, bytesServed: row.bytes };
}

function summed(rows: readonly (InstallSums & RequestSums)[]): InstallSums & RequestSums {
  const sums: Mutable<InstallSums & RequestSums> = { ...NOTHING };
  for (const row of rows) {
    for (const key of Object.keys(NOTHING) as (keyof typeof NOTHING)[]) sums[key] += row[key];
  }
  return sums;
}

function eachOnce(
  records: readonly { ecosystem: string; package: string; version: string; at: EpochMs }[],
): readonly RecentInstall[] {
  const seen = new Map<string, RecentInstall>();
  for (const { ecosystem, package: name, version, at } of records) {
    const id = `${ecosystem}\n${name}\n${version}`;
    if (!seen.has(id)) seen.set(id, { ecosystem, package: name, version, at });
  }
  return [...seen.values()];
}
