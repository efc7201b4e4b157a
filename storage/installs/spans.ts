/** When a package or a person was in the log, by the indexes of days: what lies between need not be read. */
import type { EpochMs } from "../../policy/types.ts";
import { BUCKET_MS, bucketOf } from "./keys.ts";
import { namedCells, type NamedOptions, periodsOf } from "./named.ts";
import type { InstallOutcome } from "./log.ts";
import type { TimeRange } from "./timeline.ts";

export interface SpansOptions extends TimeRange, NamedOptions {
  /** Days without it are left out; undefined: any. */
  readonly outcome: InstallOutcome | undefined;
  /** The newest first. */
  readonly reverse: boolean;
}

/** Every folded record of that name lies in one; whole buckets, in the order of time, no bucket twice. */
export async function* spansOf(kv: Deno.Kv, options: SpansOptions): AsyncGenerator<TimeRange> {
  const { reverse } = options;
  for await (const { period, ecosystems } of periodsOf(kv, options)) {
    const spans: Span[] = [];
    for (const ecosystem of ecosystems) spans.push(...await spansIn(kv, options, { period, ecosystem }));
    const joined = joinedSpans(spans);
    for (const { from, to } of reverse ? joined.toReversed() : joined) {
      const since = Math.max(options.since, from * BUCKET_MS) as EpochMs;
      const until = Math.min(options.until, (to + 1) * BUCKET_MS - 1) as EpochMs;
      if (since <= until) yield { since, until };
    }
  }
}

/** Numbers of buckets, both inclusive. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** A day's first and last: a record alone on its day is found to its bucket. */
async function spansIn(
  kv: Deno.Kv,
  options: SpansOptions,
  at: { readonly period: number; readonly ecosystem: string },
): Promise<Span[]> {
  const { outcome } = options;
  const spans: Span[] = [];
  for await (const { tally } of namedCells(kv, { ...options, ...at })) {
    if (outcome !== undefined && tally[outcome] <= 0) continue;
    spans.push({ from: bucketOf(tally.first), to: bucketOf(tally.last) });
  }
  return spans;
}

/** In the order of time, none beside another. */
function joinedSpans(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || span.from > last.to + 1) joined.push(span);
    else joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return joined;
}
