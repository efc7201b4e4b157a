/** Empties what this process has in memory of packages and files: something was purged. */
import type { Services } from "./services.ts";

/** What is needed again is read from storage, or fetched. */
export function forgetCached(services: Services): void {
  const { known, memo, absent, failing, sides, searches, fileRecords, hot } = services;
  for (const cache of [known, memo, absent, failing, sides, searches, fileRecords, hot]) cache.clear();
}
