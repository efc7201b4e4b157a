/** Questions that are answered with records: from the log in the order of time, by the indexes where they can tell. */
import type { EpochMs } from "../../policy/types.ts";
import type { TimelineKind } from "./keys.ts";
import type { InstallRecord } from "./log.ts";
import type { InstallFilters, InstallQueries, RecordFilters, RecordPage } from "./query_types.ts";
import { boundedName, type LogEntry } from "./record.ts";
import { spansOf, type SpansOptions } from "./spans.ts";
import { timeline, type TimeRange } from "./timeline.ts";

/** What a question starts from. */
export interface Known extends TimeRange {
  readonly tail: readonly LogEntry[];
  readonly organisations: readonly string[];
}

export interface RecordQueryDeps {
  readonly kv: Deno.Kv;
  readonly knownOf: (filters: InstallFilters) => Promise<Known>;
}

const DEFAULT_LIMIT = 50;

export function createRecordQueries(
  { kv, knownOf }: RecordQueryDeps,
): Pick<InstallQueries, "recent" | "refused" | "export" | "page"> {
  /** All that match are among them. */
  async function* candidates(
    filters: RecordFilters,
    { kind, reverse }: { readonly kind: TimelineKind; readonly reverse: boolean },
  ): AsyncGenerator<InstallRecord> {
    const known = await knownOf(filters);
    const named = nameIn(filters);
    const { ecosystem, outcome } = filters;
    const spans = named === null
      ? undefined
      : (organisation: string) =>
        spansOf(kv, { ...known, ...named, organisation, ecosystem, outcome, reverse });
    yield* timeline(kv, { kind, reverse, ...known, spansOf: spans });
  }

  async function* records(
    filters: RecordFilters,
    options: { readonly kind: TimelineKind; readonly reverse: boolean },
  ): AsyncGenerator<InstallRecord> {
    let left = filters.limit ?? Infinity;
    if (left <= 0) return;
    for await (const record of candidates(filters, options)) {
      if (!matches(record, filters)) continue;
      yield record;
      left -= 1;
      if (left <= 0) return;
    }
  }

  function newest(kind: TimelineKind, filters: RecordFilters = {}): Promise<InstallRecord[]> {
    const limit = filters.limit ?? DEFAULT_LIMIT;
    return Array.fromAsync(records({ ...filters, limit }, { kind, reverse: true }));
  }

  async function page(
    filters: RecordFilters,
    { limit, below, mostLooked }: Parameters<InstallQueries["page"]>[1],
  ): Promise<RecordPage> {
    const found: InstallRecord[] = [];
    const until = below === null
      ? filters.until
      : Math.min(below.at + 1, filters.until ?? Infinity) as EpochMs;
    let looked = 0;
    for await (const record of candidates({ ...filters, until }, { kind: kindOf(filters), reverse: true })) {
      if (below !== null && record.at === below.at && record.id >= below.id) continue;
      if (matches(record, filters)) found.push(record);
      looked += 1;
      if (found.length >= limit || looked >= mostLooked) {
        return { records: found, next: { at: record.at, id: record.id } };
      }
    }
    return { records: found, next: null };
  }

  return {
    recent: (filters) => newest("log", filters),
    refused: (filters) => newest("refused", filters),
    export: (filters = {}) => records(filters, { kind: kindOf(filters), reverse: false }),
    page,
  };
}

/** By whom the indexes are asked; packages first, for people and machines take many. */
function nameIn({ package: name, user }: RecordFilters): Pick<SpansOptions, "kind" | "name"> | null {
  if (name !== undefined) return { kind: "package", name: boundedName("package", name) };
  return user === undefined ? null : { kind: "person", name: boundedName("user", user) };
}

/** What a rule spoke against has a timeline of its own. */
function kindOf({ outcome }: RecordFilters): TimelineKind {
  return outcome === "refused" || outcome === "observed" ? "refused" : "log";
}

function matches(record: InstallRecord, filters: RecordFilters): boolean {
  return MATCHED.every((field) => filters[field] === undefined || record[field] === filters[field]);
}

const MATCHED = ["ecosystem", "package", "user", "version", "outcome"] as const;
