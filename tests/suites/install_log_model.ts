/** The install log's answers, counted by hand over a list of records. */
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { CountBy, CountRow, InstallFilters, RecordFilters } from "../../storage/installs/query_types.ts";
import { bounded } from "../../storage/installs/record.ts";

/** What is held against each record. */
export type Narrowed = Pick<RecordFilters, "package" | "user" | "version" | "outcome">;

export interface Asked {
  readonly filters: InstallFilters;
  readonly package: string;
  readonly version: string | undefined;
  readonly user: string;
  readonly narrowed: Narrowed;
}

type Values = readonly (string | number | null)[];

/** Answers for records in their final state. */
export function brute(all: readonly InstallRecord[], asked: Asked) {
  const { filters } = asked;
  const { organisation, ecosystem, since = -1, until = Infinity, limit } = filters;
  const found = all.filter((r) =>
    (organisation === undefined || r.organisation === organisation) &&
    (ecosystem === undefined || r.ecosystem === ecosystem) && r.at >= since && r.at < until
  );
  const sorted = found.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const cut = <T>(rows: readonly T[], most = limit): T[] => rows.slice(0, most ?? rows.length);

  function who() {
    const asKnown = bounded({ ...(all[0] as InstallRecord), package: asked.package }).package;
    const sent = found.filter((r) =>
      r.outcome !== "refused" && like(r.package, asKnown) &&
      (asked.version === undefined || r.version === asked.version)
    );
    const rows = grouped(sent, (r) => [r.organisation, r.ecosystem, r.package, r.user]).map((
      [key, group],
    ) => ({
      organisation: key[0],
      ecosystem: key[1],
      package: key[2],
      user: key[3],
      versions: Array.from(new Set(group.map(({ version }) => version))).sort(),
      ...counts(group),
      ...span(group),
    }));
    return cut(order(rows, (r) => [-r.last, r.organisation, r.ecosystem, r.package, r.user] as Values));
  }

  function packages() {
    const rows = grouped(found, (r) => [r.organisation, r.ecosystem, r.package]).map(([key, group]) => ({
      organisation: key[0],
      ecosystem: key[1],
      package: key[2],
      ...counts(group),
      refused: refusals(group),
      ...span(group),
    }));
    return cut(order(rows, (r) => [r.organisation, r.ecosystem, r.package] as Values));
  }

  function user() {
    const theirs = found.filter((r) => r.user !== null && like(r.user, asked.user));
    const rows = grouped(theirs, (r) => [r.organisation, r.user, r.ecosystem, r.package, r.version]).map((
      [key, group],
    ) => ({
      organisation: key[0],
      user: key[1],
      ecosystem: key[2],
      package: key[3],
      version: key[4],
      ...counts(group),
      refused: refusals(group),
      ...span(group),
    }));
    return cut(
      order(rows, (r) => [-r.last, r.organisation, r.user, r.ecosystem, r.package, r.version] as Values),
    );
  }

  const isOf = (narrowed: Narrowed) => (r: InstallRecord) =>
    Object.entries(narrowed).every(([field, value]) => r[field as keyof Narrowed] === value);

  function count(by: CountBy | undefined, narrowed: Narrowed = {}) {
    const counted = found.filter(isOf(narrowed));
    const dayOf = (r: InstallRecord) => new Date(r.at).toISOString().slice(0, 10);
    const keyOf = (r: InstallRecord): Record<string, string | null> => {
      if (by === undefined) return {};
      if (by === "package") return { ecosystem: r.ecosystem, package: r.package };
      return by === "day" ? { day: dayOf(r) } : { [by]: r[by] };
    };
    const total = (group: readonly InstallRecord[]) => ({
      ...counts(group),
      refused: refusals(group),
      observed: group.filter(({ outcome }) => outcome === "observed").length,
      bytes: group.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    if (by === undefined) return cut([total(counted)]);
    const rows = grouped(counted, (r) => [JSON.stringify(keyOf(r))]).map(([, group]): CountRow => ({
      ...keyOf(group[0] as InstallRecord),
      ...total(group),
    }));
    if (by === "day") return cut(rows.toSorted((a, b) => String(a.day) < String(b.day) ? 1 : -1));
    const text = (value: unknown) => value === undefined ? null : value as string | null;
    return cut(order(rows, (r) => [-r.installs, text(r.ecosystem), text(r.package), text(r.user)]));
  }

  function versionsOf(query: { organisation: string; user: string; ecosystem: string; package: string }) {
    const theirs = all.filter((r) =>
      r.user === query.user && r.organisation === query.organisation && r.ecosystem === query.ecosystem &&
      r.package === query.package && (r.outcome === "served" || r.outcome === "observed")
    );
    return Array.from(new Set(theirs.map(({ version }) => version))).sort();
  }

  const against = (r: InstallRecord) =>
    r.outcome === "refused" || r.outcome === "observed" || (r.outcome === "partial" && r.rule !== "");
  return {
    who,
    packages,
    user,
    count,
    versionsOf,
    recent: () => cut(sorted.toReversed(), limit ?? 50),
    refused: () => cut(sorted.toReversed().filter(against), limit ?? 50),
    export: ({ unlimited = false, ...narrowed }: Narrowed & { readonly unlimited?: boolean } = {}) =>
      cut(
        sorted.filter(isOf(narrowed)),
        unlimited ? Infinity : limit,
      ),
  };
}

function counts(group: readonly InstallRecord[]) {
  return {
    installs: group.filter(({ outcome }) => outcome === "served" || outcome === "observed").length,
    partial: group.filter(({ outcome }) => outcome === "partial").length,
  };
}

function refusals(group: readonly InstallRecord[]): number {
  return group.filter(({ outcome }) => outcome === "refused").length;
}

function span(group: readonly InstallRecord[]) {
  const times = group.map(({ at }) => at);
  return { first: Math.min(...times), last: Math.max(...times) };
}

function grouped(records: readonly InstallRecord[], key: (record: InstallRecord) => Values) {
  const groups = new Map<string, [Values, InstallRecord[]]>();
  for (const record of records) {
    const values = key(record);
    const group = groups.get(JSON.stringify(values)) ?? [values, []];
    group[1].push(record);
    groups.set(JSON.stringify(values), group);
  }
  return Array.from(groups.values());
}

function order<T>(rows: readonly T[], key: (row: T) => Values): T[] {
  return rows.toSorted((a, b) => {
    const [left, right] = [key(a), key(b)];
    for (const [index, value] of left.entries()) {
      const other = right[index] as string | number | null;
      if (value === other) continue;
      if (value === null) return -1;
      if (other === null) return 1;
      return value < other ? -1 : 1;
    }
    return 0;
  });
}

function like(name: string, asked: string): boolean {
  if (!asked.includes("%")) return name === asked;
  const text = asked.replaceAll("%", "").toLowerCase();
  const [start, end] = [asked.startsWith("%"), asked.endsWith("%") && asked !== "%"];
  if (start && end) return name.toLowerCase().includes(text);
  return start ? name.toLowerCase().endsWith(text) : name.toLowerCase().startsWith(text);
}
