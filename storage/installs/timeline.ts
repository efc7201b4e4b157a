/** The log in the order of time: folded buckets and the tail as one, each record once, as amended. */
import type { EpochMs } from "../../policy/types.ts";
import type { InstallRecord } from "./log.ts";
import { bucketOf, timelineKey, type TimelineKind } from "./keys.ts";
import type { LogEntry } from "./record.ts";
import { decodeLines } from "./tail.ts";
import { amended, wasRefused } from "./tally.ts";

/** From `since` on, before `until`. */
export interface TimeRange {
  readonly since: EpochMs;
  readonly until: EpochMs;
}

export interface TimelineOptions extends TimeRange {
  readonly kind: TimelineKind;
  readonly organisations: readonly string[];
  /** Newest first. */
  readonly reverse: boolean;
  /** Read before the folded part is: what is in both counts once. */
  readonly tail: readonly LogEntry[];
  /** Whole buckets of what was folded, in the same order, that are read instead of all. */
  readonly spansOf?: ((organisation: string) => AsyncIterable<TimeRange>) | undefined;
}

interface Bucket {
  readonly number: number;
  readonly entries: readonly LogEntry[];
}

export function within({ since, until }: TimeRange, at: EpochMs): boolean {
  return at >= since && at < until;
}

/** Holds one bucket (ten minutes) of each organisation in memory, and the tail. */
export async function* timeline(kv: Deno.Kv, options: TimelineOptions): AsyncGenerator<InstallRecord> {
  const { reverse, kind } = options;
  const streams: AsyncGenerator<Bucket>[] = options.organisations.map((organisation) =>
    options.spansOf === undefined
      ? foldedBuckets(kv, { ...options, organisation })
      : bucketsWithin(kv, { ...options, organisation, spans: options.spansOf(organisation) })
  );
  streams.push(tailBuckets(options));
  const heads = await Promise.all(streams.map((stream) => stream.next()));
  while (true) {
    const numbers = heads.flatMap((head) => head.done === true ? [] : [head.value.number]);
    if (numbers.length === 0) return;
    const number = reverse
      ? numbers.reduce((a, b) => Math.max(a, b))
      : numbers.reduce((a, b) => Math.min(a, b));
    const entries: LogEntry[] = [];
    for (const [index, head] of heads.entries()) {
      if (head.done === true || head.value.number !== number) continue;
      entries.push(...head.value.entries);
      heads[index] = await (streams[index] as AsyncGenerator<Bucket>).next();
    }
    const records = joined(entries).filter(({ at }) => within(options, at)).sort(byTime);
    if (reverse) records.reverse();
    yield* kind === "refused" ? records.filter(wasRefused) : records;
  }
}

function byTime(a: InstallRecord, b: InstallRecord): number {
  if (a.at !== b.at) return a.at - b.at;
  return a.id < b.id ? -1 : 1;
}

/** Each record once, with its amendment. */
function joined(entries: readonly LogEntry[]): InstallRecord[] {
  const records = new Map<string, InstallRecord>();
  const cutOff = new Map<string, number>();
  for (const { record, cutOffAt } of entries) {
    records.set(record.id, record);
    if (cutOffAt !== null) cutOff.set(record.id, cutOffAt);
  }
  for (const [id, bytes] of cutOff) records.set(id, amended(records.get(id) as InstallRecord, bytes));
  return Array.from(records.values());
}

/** Raw lines of one organisation that were folded, within a range, in no order within ten minutes. */
export async function* foldedEntries(
  kv: Deno.Kv,
  options: TimeRange & { readonly organisation: string },
): AsyncGenerator<LogEntry> {
  for await (const { entries } of foldedBuckets(kv, { ...options, kind: "log", reverse: false })) {
    yield* entries.filter(({ record }) => within(options, record.at));
  }
}

interface BucketsOptions extends TimeRange {
  readonly kind: TimelineKind;
  readonly organisation: string;
  readonly reverse: boolean;
}

async function* bucketsWithin(
  kv: Deno.Kv,
  { spans, ...options }: BucketsOptions & { readonly spans: AsyncIterable<TimeRange> },
): AsyncGenerator<Bucket> {
  for await (const span of spans) yield* foldedBuckets(kv, { ...options, ...span });
}

async function* foldedBuckets(kv: Deno.Kv, options: BucketsOptions): AsyncGenerator<Bucket> {
  const { kind, organisation, reverse } = options;
  const start = timelineKey(kind, organisation, bucketOf(options.since));
  const end = timelineKey(kind, organisation, bucketOf(options.until) + 1);
  let number = -1;
  let entries: LogEntry[] = [];
  for await (const { key, value } of kv.list<Uint8Array>({ start, end }, { reverse, batchSize: 20 })) {
    const bucket = Number(key[3]);
    if (bucket !== number && entries.length > 0) yield { number, entries };
    if (bucket !== number) entries = [];
    number = bucket;
    for (const entry of decodeLines(value)) {
      if (entry !== null) entries.push(entry);
    }
  }
  if (entries.length > 0) yield { number, entries };
}

async function* tailBuckets(options: TimelineOptions): AsyncGenerator<Bucket> {
  const { kind, reverse, tail } = options;
  const organisations = new Set(options.organisations);
  const buckets = new Map<number, LogEntry[]>();
  for (const entry of tail) {
    const { organisation, outcome, at } = entry.record;
    if (!organisations.has(organisation)) continue;
    if (kind === "refused" && outcome !== "refused" && outcome !== "observed") continue;
    const number = bucketOf(at);
    const entries = buckets.get(number);
    if (entries === undefined) buckets.set(number, [entry]);
    else entries.push(entry);
  }
  const numbers = Array.from(buckets.keys()).sort((a, b) => reverse ? b - a : a - b);
  for (const number of numbers) yield { number, entries: buckets.get(number) ?? [] };
}
