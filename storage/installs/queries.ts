/** Answers from the indexes and the tail, without reading the log. */
import type { EpochMs } from "../../policy/types.ts";
import type { Clock, Timers } from "../runtime.ts";
import { readForgotten } from "./forgotten.ts";
import { groups, type GroupTable, rowOrder } from "./groups.ts";
import { DAY_MS, type IndexKind } from "./keys.ts";
import type { InstallRecord } from "./log.ts";
import { type NamePattern, namePattern } from "./names.ts";
import {
  ALL_TIME,
  consistently,
  type Observation,
  observe,
  type ObserveOptions,
  organisationsOf,
} from "./observations.ts";
import type {
  CountBy,
  CountFilters,
  CountRow,
  InstallFilters,
  InstallQueries,
  PackageRow,
  UserRow,
  WhoRow,
} from "./query_types.ts";
import { boundedName } from "./record.ts";
import { createRecordQueries, type Known } from "./record_queries.ts";
import { readTail } from "./tail.ts";
import type { Tally } from "./tally.ts";
import type { TimeRange } from "./timeline.ts";

export interface QueryDeps {
  readonly kv: Deno.Kv;
  /** The journal's folder, where there is one. */
  readonly journal?: string | null;
  readonly clock: Clock;
  /** To wait while a fold is at it; without, it is asked again at once. */
  readonly timers?: Timers;
}

interface CollectOptions<K extends object> {
  readonly group: (observation: Observation) => K | null;
  readonly below?: (known: Known) => Promise<Deno.KvKeyPart[][]>;
  readonly named?: ObserveOptions["named"];
  /** What of the tail can count at all. */
  readonly unfolded?: (record: InstallRecord) => boolean;
}

/** Reads only: any process may ask, beside those that append and fold. */
export function createInstallQueries(deps: QueryDeps): InstallQueries {
  const { kv, clock } = deps;
  const place = { kv, journal: deps.journal ?? null };

  const tail = sharedNext(async () => await readTail(place, clock(), await readForgotten(kv)));

  /** Adds up what an index and the tail know, by a key that `group` makes; null: not asked for. */
  function collect<K extends object>(
    filters: InstallFilters,
    kind: ObserveOptions["kind"],
    options: CollectOptions<K>,
  ): Promise<GroupTable<K>> {
    return consistently(deps, async () => {
      const table = groups<K>();
      const all = await knownOf(filters);
      const { unfolded = () => true } = options;
      const known = { ...all, tail: all.tail.filter(({ record }) => unfolded(record)) };
      const below = await options.below?.(known) ?? [[]];
      for await (const seen of observe(kv, { kind, below, named: options.named, ...known })) {
        if (filters.ecosystem !== undefined && seen.ecosystem !== filters.ecosystem) continue;
        const key = options.group(seen);
        if (key !== null) table.add(key, seen);
      }
      return table;
    });
  }

  async function knownOf(filters: InstallFilters): Promise<Known> {
    const unfolded = await tail();
    const organisations = filters.organisation === undefined
      ? await organisationsOf(kv, unfolded)
      : [filters.organisation];
    return { tail: unfolded, organisations, ...rangeOf(filters) };
  }

  async function who(
    name: string,
    filters: InstallFilters & { readonly version?: string | undefined } = {},
  ): Promise<WhoRow[]> {
    const pattern = namePattern(boundedName("package", name));
    const table = await collect(filters, "who", {
      group: ({ organisation, ecosystem, user, version, ...seen }) => {
        if (!pattern.matches(seen.package) || isRefusal(seen.tally)) return null;
        if (filters.version !== undefined && version !== filters.version) return null;
        return { organisation, ecosystem, package: seen.package, user };
      },
      below: (known) => packagesLike(kv, known.organisations, { pattern, ecosystem: filters.ecosystem }),
    });
    const rows = table.rows().filter(({ tally }) => sent(tally) > 0).map((
      { key, tally, versions },
    ): WhoRow => ({
      ...key,
      versions,
      ...counted(tally),
      first: tally.first,
      last: tally.last,
    }));
    return limited(
      rows.sort(rowOrder("last", "organisation", "ecosystem", "package", "user")),
      filters.limit,
    );
  }

  async function packages(filters: InstallFilters = {}): Promise<PackageRow[]> {
    const table = await collect(filters, "package", {
      group: ({ organisation, ecosystem, ...seen }) => ({ organisation, ecosystem, package: seen.package }),
    });
    const rows = table.rows().map(({ key, tally }): PackageRow => ({ ...key, ...summed(tally) }));
    return limited(rows.sort(rowOrder(null, "organisation", "ecosystem", "package")), filters.limit);
  }

  async function count(filters: CountFilters = {}, by?: CountBy): Promise<CountRow[]> {
    const table = await collect(filters, kindOf(filters, by), {
      group: (seen) =>
        COUNTED.every((name) => isAsked(filters[name], seen[name])) ? countKey(seen, by) : null,
      ...placeOf(filters, by),
    });
    const found = table.rows().map(({ key, tally }): CountRow => ({ ...key, ...totals(tally) }));
    const rows = by === undefined && found.length === 0 ? [NOTHING] : found;
    const order = by === "day"
      ? rowOrder<CountRow>("day")
      : rowOrder<CountRow>("installs", "ecosystem", "package", "user");
    return limited(rows.sort(order), filters.limit);
  }

  /** Where of the index that is asked. */
  function placeOf(
    filters: CountFilters,
    by: CountBy | undefined,
  ): Pick<CollectOptions<object>, "named" | "below"> {
    const { ecosystem, user, package: name } = filters;
    const kind = kindOf(filters, by);
    if (kind === "package" && name !== undefined) {
      return { named: { kind, ecosystem, name: boundedName("package", name) } };
    }
    if (kind === "person" && user !== undefined) {
      return { named: { kind, ecosystem, name: boundedName("user", user) } };
    }
    if (kind === "user") return { below: () => Promise.resolve([[boundedName("user", user!)]]) };
    if (kind !== "who" || name === undefined) return {};
    const pattern = { exact: boundedName("package", name), matches: (other: string) => other === name };
    return { below: ({ organisations }) => packagesLike(kv, organisations, { pattern, ecosystem }) };
  }

  async function user(name: string, filters: InstallFilters = {}): Promise<UserRow[]> {
    const pattern = namePattern(boundedName("user", name));
    const table = await collect(filters, "user", {
      group: ({ organisation, ecosystem, user, version, ...seen }) => {
        if (user === null || !pattern.matches(user)) return null;
        return { organisation, user, ecosystem, package: seen.package, version };
      },
      below: () => Promise.resolve([pattern.exact === null ? [] : [pattern.exact]]),
    });
    const rows = table.rows().map(({ key, tally }): UserRow => ({ ...key, ...summed(tally) }));
    return limited(
      rows.sort(rowOrder("last", "organisation", "user", "ecosystem", "package", "version")),
      filters.limit,
    );
  }

  async function versionsOf(query: Parameters<InstallQueries["versionsOf"]>[0]): Promise<readonly string[]> {
    const name = boundedName("package", query.package);
    const person = boundedName("user", query.user);
    const table = await collect({ organisation: query.organisation, ecosystem: query.ecosystem }, "user", {
      group: ({ version, ...seen }) => seen.user === person && seen.package === name ? { version } : null,
      below: () => Promise.resolve([[person, query.ecosystem, name]]),
      unfolded: (record) => record.user === person && record.package === name,
    });
    return table.rows().filter(({ tally }) => counted(tally).installs > 0).map(({ key }) => key.version)
      .sort();
  }

  return {
    who,
    packages,
    count,
    user,
    ...createRecordQueries({ kv, knownOf }),
    versionsOf,
  };
}

const NOTHING: CountRow = { installs: 0, partial: 0, refused: 0, observed: 0, bytes: 0 };

function rangeOf({ since = ALL_TIME.since, until = ALL_TIME.until }: InstallFilters): TimeRange {
  const from = Math.max(since, ALL_TIME.since);
  return { since: from as EpochMs, until: Math.max(until, from) as EpochMs };
}

/** Ecosystem and name of every package that may match: the keys below which `who` has to look. */
async function packagesLike(
  kv: Deno.Kv,
  organisations: readonly string[],
  asked: { readonly pattern: NamePattern; readonly ecosystem: string | undefined },
): Promise<Deno.KvKeyPart[][]> {
  const { exact, matches } = asked.pattern;
  if (exact !== null && asked.ecosystem !== undefined) return [[asked.ecosystem, exact]];
  const found = new Map<string, Deno.KvKeyPart[]>();
  const kind = exact === null ? "package" : "total";
  for await (const seen of observe(kv, { kind, below: [[]], organisations, tail: [], ...ALL_TIME })) {
    const name = exact ?? seen.package;
    if (matches(name)) found.set(`${seen.ecosystem}\n${name}`, [seen.ecosystem, name]);
  }
  return Array.from(found.values());
}

/** The smallest index that knows all that is asked for. */
function kindOf(filters: CountFilters, by: CountBy | undefined): IndexKind {
  const ofPackage = filters.package !== undefined || by === "package";
  const ofUser = filters.user !== undefined || by === "user";
  if (filters.version !== undefined || (ofPackage && ofUser)) {
    return filters.user === undefined ? "who" : "user";
  }
  return ofPackage ? "package" : ofUser ? "person" : "total";
}

const COUNTED = ["package", "user", "version"] as const;

function isAsked(wanted: string | undefined, found: string | null): boolean {
  return wanted === undefined || wanted === found;
}

function countKey(seen: Observation, by: CountBy | undefined): Partial<CountRow> {
  if (by === undefined) return {};
  if (by === "ecosystem") return { ecosystem: seen.ecosystem };
  if (by === "package") return { ecosystem: seen.ecosystem, package: seen.package };
  if (by === "user") return { user: seen.user };
  return { day: new Date(seen.day * DAY_MS).toISOString().slice(0, 10) };
}

/** The indexes of users keep refusals apart, so that one does not move the first or last install. */
function isRefusal({ served, partial, observed, refused }: Tally): boolean {
  return refused > 0 && served + partial + observed === 0;
}

function sent({ served, observed, partial }: Tally): number {
  return served + observed + partial;
}

function counted({ served, observed, partial }: Tally): { installs: number; partial: number } {
  return { installs: served + observed, partial };
}

function summed(tally: Tally) {
  const { refused, first, last } = tally;
  return { ...counted(tally), refused, first, last };
}

function totals(tally: Tally) {
  const { refused, observed, bytes } = tally;
  return { ...counted(tally), refused, observed, bytes };
}

function limited<T>(rows: readonly T[], limit: number | undefined): T[] {
  return limit === undefined ? [...rows] : rows.slice(0, Math.max(0, limit));
}

/** Calls while `work` runs share its next run: what they see is never older than they are. */
function sharedNext<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;

  function start(): Promise<T> {
    const started = work().finally(() => running = null);
    running = started;
    return started;
  }

  return () => {
    if (running === null) return start();
    next ??= running.then(() => {}, () => {}).then(() => {
      next = null;
      return start();
    });
    return next;
  };
}
