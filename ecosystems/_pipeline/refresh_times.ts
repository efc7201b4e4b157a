/** When a package in use is refreshed next: pure, but for the spread that it is given. */
import type { EpochMs } from "../../policy/types.ts";
import { UpstreamError } from "../../storage/errors.ts";
import type { Lifetimes } from "../../storage/lifetimes.ts";

const MINUTE_MS = 60_000;
const HALF_A_DAY_MS = 43_200_000;
const FIRST_BACK_OFF_MS = 2 * MINUTE_MS;
const LONGEST_BACK_OFF_MS = 6 * 3_600_000;

/** How long a use counts; 0: nothing is refreshed by schedule, as it is where copies are fresh for less than a minute. */
export function useCountsFor({ refreshUsedWithin, metadataTtl }: Lifetimes): number {
  return metadataTtl < MINUTE_MS ? 0 : refreshUsedWithin;
}

/** A use is written down once in so long. */
export function writtenOnceIn(lifetimes: Lifetimes): number {
  return Math.min(HALF_A_DAY_MS, useCountsFor(lifetimes) / 8);
}

/** Late in its lifetime, but two minutes before its end; at half of it where it is short. `spread`: 0 to below 1. */
export function nextRefresh({ metadataTtl }: Lifetimes, checkedAt: EpochMs, spread: number): EpochMs {
  const late = Math.min(metadataTtl * (0.75 + 0.15 * spread), metadataTtl - 2 * MINUTE_MS);
  return Math.round(checkedAt + Math.max(metadataTtl / 2, late)) as EpochMs;
}

/** After so many failures before this one: twice as long each time. `spread`: 0 to below 1. */
export function refreshBackOffMs({ metadataTtl }: Lifetimes, failures: number, spread: number): number {
  const longest = Math.max(metadataTtl, LONGEST_BACK_OFF_MS);
  return Math.round(Math.min(FIRST_BACK_OFF_MS * 2 ** failures, longest) * (0.75 + spread / 2));
}

/** About the origin, not the package: it cannot be reached, is busy, or asks to be left alone. */
export function isOfOrigin(error: unknown): error is UpstreamError {
  if (!(error instanceof UpstreamError)) return false;
  const { kind, status } = error.detail;
  if (kind === "status") return status === 429 || status === 503;
  return kind === "circuit" || kind === "connection" || kind === "timeout";
}
