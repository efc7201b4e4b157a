/** Whose clock counts: from when on a file's age is reckoned, or that nothing dates it. */
import { epochMs } from "../instant.ts";
import type { Artifact, EpochMs, FirstSeen, Published } from "../types.ts";

/** Clocks differ a little; a date further ahead of ours than this was made up. */
export const MAX_AHEAD_MS = 5 * 60_000;

export type Age =
  | {
    readonly dated: true;
    readonly since: EpochMs;
    /** `seen`: a publisher's claim was older than its appearance here, which therefore counts. */
    readonly by: "published" | "seen";
  }
  | {
    readonly dated: false;
    readonly seen: FirstSeen;
    /** When a date that lies ahead will be close enough to be read; null: there is none. */
    readonly readableFrom: EpochMs | null;
  };

/** What is known of time around a file. */
export interface Clocks {
  readonly now: EpochMs;
  firstSeen(filename: string): FirstSeen | null;
}

/**
 * Reckons a file's age. A registry's clock is believed. A publisher's claim is never believed to be older than
 * the file's appearance, and not at all for what was there when Sluice first saw its package: nothing but the
 * claim speaks for it.
 */
export function ageOf(artifact: Artifact, clocks: Clocks): Age {
  const { publishedAt, filename } = artifact;
  if (!publishedAt.known) return undated(filename, clocks, null);
  const readableFrom = publishedAt.value.at - MAX_AHEAD_MS;
  if (!(clocks.now >= readableFrom)) return undated(filename, clocks, readableFrom);
  return publishedAt.value.clock === "registry"
    ? { dated: true, since: publishedAt.value.at, by: "published" }
    : byPublisher(publishedAt.value, filename, clocks);
}

/** From when on a file was there: its date where one counts, else its first sight; now, where it was never seen. */
export function appearedAt(artifact: Artifact, clocks: Clocks): EpochMs {
  const age = ageOf(artifact, clocks);
  return age.dated ? age.since : age.seen.at;
}

/**
 * When a file was published, for telling which came first; null: unknown. Does not depend on the present: a
 * registry's date is taken as it is, and of a publisher's claim nothing but the file's appearance counts.
 */
export function publicationOf(artifact: Artifact, clocks: Clocks): EpochMs | null {
  const { publishedAt, filename } = artifact;
  if (!publishedAt.known) return null;
  if (publishedAt.value.clock === "registry") {
    return Number.isFinite(publishedAt.value.at) ? publishedAt.value.at : null;
  }
  const seen = firstSeen(filename, clocks);
  return seen.original ? null : seen.at;
}

function byPublisher(published: Published, filename: string, clocks: Clocks): Age {
  const seen = firstSeen(filename, clocks);
  if (seen.original) return { dated: false, seen, readableFrom: null };
  return published.at >= seen.at
    ? { dated: true, since: published.at, by: "published" }
    : { dated: true, since: seen.at, by: "seen" };
}

function undated(filename: string, clocks: Clocks, readableFrom: number | null): Age {
  const usable = readableFrom !== null && Number.isSafeInteger(readableFrom);
  return {
    dated: false,
    seen: firstSeen(filename, clocks),
    readableFrom: usable ? epochMs(readableFrom) : null,
  };
}

function firstSeen(filename: string, clocks: Clocks): FirstSeen {
  return clocks.firstSeen(filename) ?? { at: clocks.now, original: false };
}
