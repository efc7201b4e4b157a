/** What an answer says about itself: how long it holds, where it came from, and what was decided. */
import type { CacheOutcome, Forwarded, Trace } from "../ecosystems/outcome.ts";
import type { EpochMs } from "../policy/types.ts";
import { putHeader } from "./headers.ts";

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
  /** Seconds since upstream last stood by what it is made from; null: it is from nothing that is kept. */
  readonly ageSeconds: number | null;
  /** Whole seconds that it is still fresh, below 0 where it is stale; null: for ever, or it is from nothing kept. */
  readonly ttlSeconds: number | null;
  readonly isStale: boolean;
  readonly forwarded: Forwarded | null;
  readonly detail: string | null;
}

export function stampOf(trace: Trace, keeping: Keeping, now: EpochMs): Stamp {
  const { copy, cache, staleSince } = trace;
  const since = copy?.checkedAt ?? staleSince;
  const age = since === null ? null : Math.max(0, Math.floor((now - since) / 1_000));
  const freshMs = copy?.freshMs ?? null;
  return {
    cacheControl: cacheControl(keeping, trace.maxAgeSeconds),
    cache,
    decisionId: trace.decisionId,
    whyLink: trace.whyLink,
    ageSeconds: age,
    // Both change at the same moment, so that an answer is stamped anew once a second at most.
    ttlSeconds: age === null || freshMs === null ? null : Math.floor(freshMs / 1_000) - age,
    isStale: cache === "stale" || staleSince !== null,
    forwarded: trace.forwarded,
    detail: trace.detail,
  };
}

export function equalStamps(a: Stamp, b: Stamp): boolean {
  return a.cacheControl === b.cacheControl && a.cache === b.cache && a.decisionId === b.decisionId &&
    a.whyLink === b.whyLink && a.ageSeconds === b.ageSeconds && a.ttlSeconds === b.ttlSeconds &&
    a.isStale === b.isStale && a.forwarded === b.forwarded && a.detail === b.detail;
}

/** Sets what the stamp has and removes what it has not, so that a kept answer can be stamped again. */
export function putStamp(headers: Headers, stamp: Stamp): void {
  putHeader(headers, "cache-control", stamp.cacheControl);
  putHeader(headers, "cache-status", cacheStatus(stamp));
  putHeader(headers, "x-sluice-cache", stamp.cache === "none" ? null : stamp.cache);
  putHeader(headers, "x-sluice-decision", stamp.decisionId);
  putHeader(headers, "link", stamp.whyLink === null ? null : `<${stamp.whyLink}>; rel="describedby"`);
  putHeader(headers, "age", stamp.ageSeconds === null ? null : String(stamp.ageSeconds));
  putHeader(headers, "warning", stamp.isStale ? '110 sluice "Response is Stale"' : null);
}

/** RFC 9211, 2: what came of what is kept is a hit, unless upstream was asked for it. */
function cacheStatus({ forwarded, ageSeconds, ttlSeconds, detail }: Stamp): string {
  const words = ["sluice"];
  if (forwarded !== null) {
    words.push(`fwd=${forwarded.why}`);
    if (forwarded.status !== null) words.push(`fwd-status=${forwarded.status}`);
    if (forwarded.stored) words.push("stored");
  } else if (ageSeconds !== null) words.push("hit");
  if (ttlSeconds !== null) words.push(`ttl=${ttlSeconds}`);
  if (detail !== null) words.push(`detail=${detail}`);
  return words.join("; ");
}

/** Of an answer that the pipeline did not make: `code` is the error's. */
export function cacheStatusOf(code: string): string {
  return code.startsWith("upstream-") ? `sluice; fwd=miss; detail=${code}` : `sluice; detail=${code}`;
}
