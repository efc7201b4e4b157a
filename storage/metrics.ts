/** What this process has counted since it began: a few additions for each request, read when somebody asks. */
import type { Verdict } from "../policy/types.ts";

/** How an answer came about, as routes/ knows it. `site`: a page or the API; `rejected`: it was never read. */
export type RequestKind =
  | "document"
  | "artifact"
  | "elsewhere"
  | "refused"
  | "failed"
  | "site"
  | "rejected";

/** One request whose answer was begun. */
export interface SeenRequest {
  /** A mounted one; null: no registry's. */
  readonly ecosystem: string | null;
  readonly kind: RequestKind;
  /** The way that the cache took part; null: it did not come to that. */
  readonly cache: string | null;
  readonly status: number;
  /** Until the answer's head was there, its body not yet sent. */
  readonly ms: number;
}

/** Counts of times: `counts[i]` is what took no longer than BOUNDS_MS[i] and longer than the bound before; the last has no bound. */
export interface Histogram {
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export interface MetricsSnapshot {
  readonly requests: readonly {
    readonly ecosystem: string | null;
    readonly kind: RequestKind;
    /** By the first digit of the status. */
    readonly statuses: ReadonlyMap<number, number>;
    readonly caches: ReadonlyMap<string, number>;
    readonly times: Histogram;
  }[];
  readonly decisions: readonly {
    readonly ecosystem: string;
    readonly verdict: Verdict;
    /** The rule that counted most; `none` where nothing spoke. */
    readonly rule: string;
    readonly count: number;
  }[];
  readonly upstreams: readonly {
    readonly origin: string;
    /** `2xx` and its like, or the kind of failure. */
    readonly results: ReadonlyMap<string, number>;
    readonly times: Histogram;
  }[];
}

export interface Metrics {
  request(seen: SeenRequest): void;
  /** One file was decided on. */
  decided(ecosystem: string, verdict: Verdict, rule: string): void;
  /** One request to an origin has its head, or failed. */
  upstream(origin: string, result: string, ms: number): void;
  read(): MetricsSnapshot;
}

/** The bounds that Prometheus' own clients begin with. */
export const BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;
/** More origins than this are counted together: redirects may lead to hosts without end. */
const MAX_ORIGINS = 100;
const OTHER_ORIGINS = "other";

interface Times {
  readonly counts: number[];
  sumMs: number;
}

interface Slot {
  readonly statuses: Map<number, number>;
  readonly caches: Map<string, number>;
  readonly times: Times;
}

/** One for the process; every label is one of a bounded few, so that it never grows. */
export function createMetrics(): Metrics {
  const slots = new Map<string | null, Map<RequestKind, Slot>>();
  const decisions = new Map<string, Map<Verdict, Map<string, number>>>();
  const origins = new Map<string, { readonly results: Map<string, number>; readonly times: Times }>();

  function slotOf(ecosystem: string | null, kind: RequestKind): Slot {
    const kinds = getOrAdd(slots, ecosystem, () => new Map());
    return getOrAdd(kinds, kind, () => ({ statuses: new Map(), caches: new Map(), times: noTimes() }));
  }

  return {
    request({ ecosystem, kind, cache, status, ms }) {
      const slot = slotOf(ecosystem, kind);
      increase(slot.statuses, Math.trunc(status / 100));
      if (cache !== null) increase(slot.caches, cache);
      addTime(slot.times, ms);
    },
    decided(ecosystem, verdict, rule) {
      const verdicts = getOrAdd(decisions, ecosystem, () => new Map());
      increase(getOrAdd(verdicts, verdict, () => new Map()), rule);
    },
    upstream(origin, result, ms) {
      const name = origins.has(origin) || origins.size < MAX_ORIGINS ? origin : OTHER_ORIGINS;
      const slot = getOrAdd(origins, name, () => ({ results: new Map(), times: noTimes() }));
      increase(slot.results, result);
      addTime(slot.times, ms);
    },
    read: () => ({
      requests: [...slots].flatMap(([ecosystem, kinds]) =>
        [...kinds].map(([kind, slot]) => ({ ecosystem, kind, ...slot }))
      ),
      decisions: [...decisions].flatMap(([ecosystem, verdicts]) =>
        [...verdicts].flatMap(([verdict, rules]) =>
          [...rules].map(([rule, count]) => ({ ecosystem, verdict, rule, count }))
        )
      ),
      upstreams: [...origins].map(([origin, slot]) => ({ origin, ...slot })),
    }),
  };
}

function noTimes(): Times {
  return { counts: new Array(BOUNDS_MS.length + 1).fill(0), sumMs: 0 };
}

/** A clock that was set back counts as no time. */
function addTime(times: Times, ms: number): void {
  const taken = ms > 0 ? ms : 0;
  let at = 0;
  while (at < BOUNDS_MS.length && taken > BOUNDS_MS[at]!) at++;
  times.counts[at]!++;
  times.sumMs += taken;
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
