/** What an answer says about itself: how long it holds, where it came from, and what was decided. */
import type { CacheOutcome, Trace } from "../ecosystems/outcome.ts";
import type { EpochMs } from "../policy/types.ts";
import { putHeader } from "./headers.ts";

/** What Cache-Status (RFC 9211) says for each way that the cache took part; null: nothing. */
const CACHE_STATUS: Readonly<Record<CacheOutcome, string | null>> = {
  hit: "sluice; hit",
  fresh: "sluice; hit",
  revalidated: "sluice; fwd=stale; fwd-status=304",
  fetched: "sluice; fwd=miss; stored",
  filled: "sluice; fwd=miss; stored",
  stale: "sluice; hit; detail=stale",
  none: null,
};

/** `kept`: an index; `validated`: an artifact; `never`: refusals and errors. Always private, never transformed. */
export type Keeping = "kept" | "validated" | "never";

/**
 * A shared cache would hand one organisation's answer to another without decision or record; `no-transform` keeps
 * Deno 2.5 from compressing what it is given.
 */
export function cacheControl(keeping: Keeping, maxAgeSeconds: number): string {
  if (keeping === "never") return "no-store";
  if (keeping === "validated" || maxAgeSeconds <= 0) return "private, no-cache, no-transform";
  return `private, max-age=${Math.floor(maxAgeSeconds)}, must-revalidate, no-transform`;
}

/** The trace's headers, worked out; equal stamps make equal headers. */
export interface Stamp {
  readonly cacheControl: string;
  readonly cache: CacheOutcome;
  readonly decisionId: string | null;
  readonly whyLink: string | null;
  /** Seconds since upstream last confirmed a stale copy; null: it is not stale. */
  readonly ageSeconds: number | null;
}

export function stampOf(trace: Trace, keeping: Keeping, now: EpochMs): Stamp {
  const age = trace.staleSince === null ? null : Math.max(0, Math.floor((now - trace.staleSince) / 1_000));
  return {
    cacheControl: cacheControl(keeping, trace.maxAgeSeconds),
    cache: trace.cache,
    decisionId: trace.decisionId,
    whyLink: trace.whyLink,
    ageSeconds: age,
  };
}

export function equalStamps(a: Stamp, b: Stamp): boolean {
  return a.cacheControl === b.cacheControl && a.cache === b.cache && a.decisionId === b.decisionId &&
    a.whyLink === b.whyLink && a.ageSeconds === b.ageSeconds;
}

/** Sets what the stamp has and removes what it has not, so that a kept answer can be stamped again. */
export function putStamp(headers: Headers, stamp: Stamp): void {
  const status = CACHE_STATUS[stamp.cache];
  putHeader(headers, "cache-control", stamp.cacheControl);
  putHeader(headers, "cache-status", status);
  putHeader(headers, "x-sluice-cache", status === null ? null : stamp.cache);
  putHeader(headers, "x-sluice-decision", stamp.decisionId);
  putHeader(headers, "link", stamp.whyLink === null ? null : `<${stamp.whyLink}>; rel="describedby"`);
  putHeader(headers, "age", stamp.ageSeconds === null ? null : String(stamp.ageSeconds));
  putHeader(headers, "warning", stamp.ageSeconds === null ? null : '110 sluice "Response is Stale"');
}
