/** The install log's questions, asked of a running Sluice. */
import type { EpochMs } from "../policy/types.ts";
import type { InstallRecord } from "../storage/installs/log.ts";
import type {
  CountRow,
  InstallFilters,
  InstallQueries,
  PackageRow,
  RecordFilters,
  UserRow,
  WhoRow,
} from "../storage/installs/query_types.ts";
import type { ApiClient } from "./api_client.ts";

type Questions = Omit<InstallQueries, "versionsOf" | "page">;

/** `named`: the address names an organisation; else every organisation is asked, unless the filters name one. */
export function remoteQueries(api: ApiClient, options: { readonly named: boolean }): Questions {
  async function rows<R extends object>(
    path: string,
    filters: InstallFilters,
    more: Readonly<Record<string, string | undefined>> = {},
  ): Promise<R[]> {
    const query = { ...searchOf(filters), ...more };
    const answer = await api.call<Record<string, readonly R[]>>("GET", `/installs/${path}`, { query });
    return (answer.rows ?? answer.installs ?? []).map(undated);
  }

  function searchOf({ ecosystem, since, until, limit }: InstallFilters) {
    return {
      ecosystem,
      since: textOf(since),
      until: textOf(until),
      limit: limit === undefined ? undefined : String(limit),
      everywhere: options.named ? undefined : "true",
    };
  }

  function matchingOf({ package: name, user, version, outcome }: RecordFilters) {
    return { package: name, user, version, outcome };
  }

  return {
    who: (name, filters = {}) => rows<WhoRow>("who", filters, { package: name, version: filters.version }),
    packages: (filters = {}) => rows<PackageRow>("packages", filters),
    count: (filters = {}, by) => rows<CountRow>("count", filters, { by, ...matchingOf(filters) }),
    user: (name, filters = {}) => rows<UserRow>("user", filters, { name }),
    recent: async (filters = {}) => {
      const limit = String(Math.min(filters.limit ?? 50, 1_000));
      const query = { ...searchOf(filters), ...matchingOf(filters), limit };
      const found: InstallRecord[] = [];
      let cursor: string | undefined;
      for (;;) {
        const page = await api.call<{ installs: readonly InstallRecord[]; next: string | null }>(
          "GET",
          "/installs",
          { query: { ...query, cursor } },
        );
        found.push(...page.installs.map(undated));
        if (page.next === null || found.length >= (filters.limit ?? 50)) break;
        cursor = page.next;
      }
      return found.slice(0, filters.limit ?? 50);
    },
    refused: (filters = {}) => rows<InstallRecord>("refused", filters, matchingOf(filters)),
    async *export(filters = {}) {
      const query = { ...searchOf(filters), ...matchingOf(filters) };
      for await (const record of api.lines<InstallRecord>("/installs/export", { query })) {
        yield undated(record);
      }
    },
  };
}

function textOf(at: EpochMs | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString();
}

/** Times as the log has them. */
function undated<R extends object>(row: R): R {
  const times = ["at", "asOf", "first", "last"].filter((key) => key in row);
  const read = times.map((key) => [key, Date.parse((row as Record<string, string>)[key]!)]);
  return { ...row, ...Object.fromEntries(read) };
}
