/** What a question adds up: whole days from the indexes, the days' edges and the tail from the records. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Timers } from "../runtime.ts";
import { decodeCells } from "./cells.ts";
import {
  DAY_MS,
  dayOf,
  HEAD_KEY,
  type IndexKind,
  indexParts,
  ORGANISATION_PREFIX,
  periodOf,
} from "./keys.ts";
import { namedCells, type NamedOptions, periodsOf } from "./named.ts";
import type { LogEntry } from "./record.ts";
import { type Tally, tallyOf } from "./tally.ts";
import { foldedEntries, type TimeRange, within } from "./timeline.ts";

/** A tally of something. What its index does not know is `""` (or null, the user). */
export interface Observation {
  readonly organisation: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly user: string | null;
  readonly version: string;
  readonly day: number;
  readonly tally: Tally;
}

export interface ObserveOptions extends TimeRange {
  readonly kind: IndexKind;
  readonly organisations: readonly string[];
  /** Keys of the index to read, per organisation, behind `["installs", kind, organisation]`; `[[]]`: all. */
  readonly below: readonly Deno.KvKeyPart[][];
  /** Instead of `below`, for the kinds `package` and `person`: this one alone. */
  readonly named?: Pick<NamedOptions, "kind" | "name" | "ecosystem"> | undefined;
  readonly tail: readonly LogEntry[];
}

/** Without limits of time: 0 and the end of time. */
export const ALL_TIME: TimeRange = { since: 0 as EpochMs, until: Number.MAX_SAFE_INTEGER as EpochMs };

/** Everything the index may know within the range, and more of the same organisations: the caller filters. */
export async function* observe(kv: Deno.Kv, options: ObserveOptions): AsyncGenerator<Observation> {
  const organisations = new Set(options.organisations);
  for (const entry of options.tail) {
    const { organisation, at } = entry.record;
    if (organisations.has(organisation) && within(options, at)) yield ofEntry(entry);
  }
  const { days, edges } = splitRange(options);
  for (const organisation of organisations) {
    for (const range of edges) {
      for await (const entry of foldedEntries(kv, { organisation, ...range })) yield ofEntry(entry);
    }
    if (options.named !== undefined) {
      yield* ofNamed(kv, { ...options.named, organisation, days });
      continue;
    }
    for (const parts of options.below) yield* ofIndex(kv, { ...options, organisation, parts, days });
  }
}

function ofEntry(entry: LogEntry): Observation {
  const { organisation, ecosystem, user, version, at } = entry.record;
  const names = { organisation, ecosystem, package: entry.record.package, user, version };
  return { ...names, day: dayOf(at), tally: tallyOf(entry) };
}

interface Days {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** Whole days, and what is left of the range before and after them. */
function splitRange({ since, until }: TimeRange): { days: Days; edges: TimeRange[] } {
  const from = Math.ceil(since / DAY_MS);
  const to = Math.floor(until / DAY_MS);
  if (from >= to) return { days: { from: 0, to: 0 }, edges: [{ since, until }] };
  const fromMs = from * DAY_MS as EpochMs;
  const toMs = to * DAY_MS as EpochMs;
  const edges = [{ since, until: fromMs }, { since: toMs, until }];
  const open = until >= ALL_TIME.until;
  return {
    days: { from, to },
    edges: edges.filter((edge) => edge.since < edge.until && !(open && edge.since === toMs)),
  };
}

async function* ofIndex(
  kv: Deno.Kv,
  options: {
    readonly kind: IndexKind;
    readonly organisation: string;
    readonly parts: readonly Deno.KvKeyPart[];
    readonly days: Days;
  },
): AsyncGenerator<Observation> {
  const { kind, organisation, parts, days } = options;
  if (days.from >= days.to) return;
  const prefix = ["installs", kind, organisation, ...parts];
  for await (const { key, value } of kv.list<Uint8Array>(rangeOf(kind, prefix, days), { batchSize: 200 })) {
    const known = indexParts(kind, key);
    if (known.period < periodOf(days.from) || known.period > periodOf(days.to - 1)) continue;
    const user = known.user === undefined || known.user === false ? null : known.user;
    for (const { labels, tally } of decodeCells(value)) {
      const [day, version] = [Number(labels[0]), String(labels[1] ?? "")];
      if (day < days.from || day >= days.to) continue;
      yield { organisation, ecosystem: known.ecosystem, package: known.package, user, version, day, tally };
    }
  }
}

async function* ofNamed(
  kv: Deno.Kv,
  options: NamedOptions & { readonly days: Days },
): AsyncGenerator<Observation> {
  const { organisation, kind, name, days } = options;
  if (days.from >= days.to) return;
  const range = { since: days.from * DAY_MS as EpochMs, until: (days.to * DAY_MS - 1) as EpochMs };
  const names = kind === "package" ? { package: name, user: null } : { package: "", user: name };
  for await (const { period, ecosystems } of periodsOf(kv, { ...options, ...range, reverse: false })) {
    for (const ecosystem of ecosystems) {
      for await (const { labels, tally } of namedCells(kv, { ...options, period, ecosystem })) {
        const day = Number(labels[0]);
        if (day < days.from || day >= days.to) continue;
        yield { organisation, ecosystem, ...names, version: "", day, tally };
      }
    }
  }
}

/** Totals are sorted by period first, so that a range of time is a range of keys. */
function rangeOf(kind: IndexKind, prefix: Deno.KvKey, days: Days): Deno.KvListSelector {
  if (kind === "who" || kind === "user") return { prefix };
  return { start: [...prefix, periodOf(days.from)], end: [...prefix, periodOf(days.to - 1) + 1] };
}

/** The organisations that were ever folded, and those of the tail, sorted. */
export async function organisationsOf(kv: Deno.Kv, tail: readonly LogEntry[]): Promise<string[]> {
  const names = new Set(tail.map(({ record }) => record.organisation));
  for await (const { key } of kv.list({ prefix: [...ORGANISATION_PREFIX] }, { batchSize: 500 })) {
    names.add(String(key.at(-1)));
  }
  return Array.from(names).sort();
}

const ATTEMPTS = 20;

/**
 * Runs a read until no commit to the indexes fell into it, so that nothing is counted twice or not at all.
 * Throws StorageError if one always did.
 */
export async function consistently<T>(
  deps: { readonly kv: Deno.Kv; readonly timers?: Timers | undefined },
  read: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const before = await deps.kv.get(HEAD_KEY);
    const result = await read();
    const after = await deps.kv.get(HEAD_KEY);
    if (before.versionstamp === after.versionstamp) return result;
    await deps.timers?.sleep(10 * attempt);
  }
  throw new StorageError("Cannot read install log: it is being folded all the time; ask again in a minute");
}
