/** Requests, hits and misses by ecosystem and day: each process adds what it counted, so that no restart loses them. */
import type { EpochMs } from "../../policy/types.ts";
import type { Metrics, MetricsSnapshot } from "../metrics.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";

/** What is counted of one ecosystem on one day, by all processes together. */
export interface DayCount {
  /** `2026-11-21`, UTC. */
  readonly day: string;
  readonly ecosystem: string;
  readonly requests: number;
  /** Answered from what was here, without upstream; stale copies among them. */
  readonly hits: number;
  /** Upstream was asked. */
  readonly misses: number;
}

/** Requests that really went out on one day, to all upstreams, by all processes together. */
export interface UpstreamDay {
  readonly day: string;
  /** Whatever was answered but a 5xx. */
  readonly answered: number;
  readonly failed: number;
}

export interface Counters {
  /** Adds what this process counted since the last call; throws StorageError, and then the next call adds it. */
  fold(): Promise<void>;
  /** Of the days from `since` on, the newest first. */
  read(since: EpochMs): Promise<readonly DayCount[]>;
  /** Of the same days, the newest first. */
  upstreams(since: EpochMs): Promise<readonly UpstreamDay[]>;
}

const NAMES = ["requests", "hits", "misses", "answered", "failed"] as const;
type Counted = Record<(typeof NAMES)[number], number>;
const NOTHING: Counted = { requests: 0, hits: 0, misses: 0, answered: 0, failed: 0 };
/** Stands for an ecosystem where what is counted is of none: requests to upstreams. */
const UPSTREAMS = "";

const HITS: ReadonlySet<string> = new Set(["hit", "fresh", "stale"]);
const MISSES: ReadonlySet<string> = new Set(["revalidated", "fetched", "filled"]);
const DAY_MS = 86_400_000;
const KEPT_DAYS = 400;

/** One for the process. */
export function createCounters(
  kv: Deno.Kv,
  { clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics },
): Counters {
  let folded: ReadonlyMap<string, Counted> = new Map();
  let prunedBefore = "";
  let folding: Promise<void> | null = null;

  async function foldNow(): Promise<void> {
    const now = countedBy(metrics.read());
    const day = dayOf(clock());
    const atomic = kv.atomic();
    let any = false;
    for (const [ecosystem, counted] of now) {
      for (const name of NAMES) {
        const added = counted[name] - (folded.get(ecosystem)?.[name] ?? 0);
        if (added <= 0) continue;
        atomic.sum(keys.counter(day, ecosystem, name), BigInt(added));
        any = true;
      }
    }
    if (any) await attempt("write down what was counted", () => atomic.commit());
    folded = now;
    await prune(dayOf(clock() - KEPT_DAYS * DAY_MS as EpochMs));
  }

  async function prune(before: string): Promise<void> {
    if (before === prunedBefore) return;
    await attempt("drop old counts", async () => {
      const old = { prefix: keys.counters(), end: [...keys.counters(), before] };
      for await (const { key } of kv.list(old)) await kv.delete(key);
    });
    prunedBefore = before;
  }

  async function rowsSince(since: EpochMs): Promise<readonly (Counted & Place)[]> {
    const rows = new Map<string, Counted & Place>();
    await attempt("read what was counted", async () => {
      const range = { prefix: keys.counters(), start: [...keys.counters(), dayOf(since)] };
      for await (const { key, value } of kv.list<Deno.KvU64>(range, { batchSize: 500 })) {
        const [day, ecosystem, name] = key.slice(-3).map(String) as [string, string, keyof Counted];
        const id = `${day} ${ecosystem}`;
        const row = rows.get(id) ?? { day, ecosystem, ...NOTHING };
        row[name] = Number(value.value);
        rows.set(id, row);
      }
    });
    return [...rows.values()].reverse();
  }

  return {
    fold: () => folding ??= foldNow().finally(() => folding = null),
    read: async (since) =>
      (await rowsSince(since)).filter(({ ecosystem }) => ecosystem !== UPSTREAMS).map((
        { day, ecosystem, requests, hits, misses },
      ) => ({ day, ecosystem, requests, hits, misses })),
    upstreams: async (since) =>
      (await rowsSince(since)).filter(({ ecosystem }) => ecosystem === UPSTREAMS).map((
        { day, answered, failed },
      ) => ({ day, answered, failed })),
  };
}

/** Cumulative, by ecosystem; of pages nothing is counted. */
function countedBy({ requests, upstreams }: MetricsSnapshot): ReadonlyMap<string, Counted> {
  const counted = new Map<string, Counted>([[UPSTREAMS, upstreamsOf(upstreams)]]);
  for (const { ecosystem, statuses, caches } of requests) {
    if (ecosystem === null) continue;
    const sums = counted.get(ecosystem) ?? { ...NOTHING };
    for (const count of statuses.values()) sums.requests += count;
    for (const [outcome, count] of caches) {
      if (HITS.has(outcome)) sums.hits += count;
      if (MISSES.has(outcome)) sums.misses += count;
    }
    counted.set(ecosystem, sums);
  }
  return counted;
}

/** What nobody waited for any more says nothing of an upstream. */
function upstreamsOf(upstreams: MetricsSnapshot["upstreams"]): Counted {
  const sums = { ...NOTHING };
  for (const { results } of upstreams) {
    for (const [result, count] of results) {
      if (result === "abandoned") continue;
      sums[/^[1-4]xx$/.test(result) ? "answered" : "failed"] += count;
    }
  }
  return sums;
}

interface Place {
  readonly day: string;
  readonly ecosystem: string;
}

function dayOf(at: EpochMs): string {
  return new Date(at).toISOString().slice(0, 10);
}
