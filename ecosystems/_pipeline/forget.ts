/**
 * Empties all that this process has in memory of what KV says, tallies of requests left out: a restore has replaced it.
 */
export function forgetAll(services: Services): void {
  const { keptDecisions, verdictCache, instants } = services;
  forgetCached(services);
  const { verdicts, asOf } = verdictCache;
  for (const cache of [keptDecisions, verdicts, asOf, instants.memo, instants.timelines]) cache.clear();
}

/** Empties what this process has in memory of packages and files: something was purged. */
import type { Services } from "./services.ts";

/** What is needed again is read from storage, or fetched. */
export function forgetCached(services: Services): void {
  const { known, memo, absent, failing, sides, searches, fileRecords, hot } = services;
  for (const cache of [known, memo, absent, failing, sides, searches, fileRecords, hot]) cache.clear();
}
