/**
 * What came before a release in its line, and how strongly it was published. Built once for a package in
 * O(n log n); each question is two binary searches.
 */
import type { DurationMs, EpochMs, PackageFacts, Release, TrustLevel, VersionScheme } from "../types.ts";
import { type Clocks, publicationOf } from "./age.ts";

/** The stronger, the greater; what is unknown ranks with `none`: neither can be fallen below. */
export const TRUST_RANK: Readonly<Record<TrustLevel, number>> = {
  "trusted-publisher": 2,
  provenance: 1,
  none: 0,
};

export interface Predecessor {
  readonly version: string;
  readonly trust: TrustLevel;
}

export interface Predecessors {
  /**
   * The strongest release before one in its line, stable with stable and pre-release with pre-release, if it is
   * stronger than `than`; null: none.
   */
  stronger(
    question: {
      readonly release: Release;
      /** When the file in question was published; null: unknown, and version order tells. */
      readonly at: EpochMs | null;
      readonly than: number;
      readonly window: DurationMs;
    },
  ): Predecessor | null;
}

interface Entry extends Predecessor {
  readonly rank: number;
  readonly at: EpochMs | null;
  /** Its place in version order. */
  readonly place: number;
}

/** Releases of one line and kind with a rank of at least 1 or 2, each in the orders that are asked for. */
interface Ranked {
  readonly byTime: readonly Entry[];
  readonly byPlace: readonly Entry[];
  readonly undatedByPlace: readonly Entry[];
}

/** What was uploaded this long after a release's first file says nothing of how the release was published. */
const SAME_UPLOAD_MS = 86_400_000;
const STRONGEST_FIRST = [2, 1] as const;

const NONE: Predecessors = Object.freeze({ stronger: () => null });

export function findPredecessors(facts: PackageFacts, versions: VersionScheme, clocks: Clocks): Predecessors {
  const keyOf = ({ version }: Release) =>
    `${versions.isPrerelease(version) ? "pre" : "stable"} ${versions.line(version)}`;
  const groups = Map.groupBy(
    facts.releases.flatMap((release, place) => {
      const entry = entryOf(release, place, clocks);
      return entry === null ? [] : [{ key: keyOf(release), entry }];
    }),
    ({ key }) => key,
  );
  const lines = new Map(
    [...groups].map((
      [key, group],
    ) => [key, STRONGEST_FIRST.map((rank) => rankGroup(group.map((each) => each.entry), rank))]),
  );
  if (lines.size === 0) return NONE;
  const places = new Map(facts.releases.map((release, place) => [release, place]));
  return {
    stronger({ release, at, than, window }) {
      const line = lines.get(keyOf(release));
      if (line === undefined) return null;
      const place = places.get(release) ?? -1;
      for (const [index, rank] of STRONGEST_FIRST.entries()) {
        const ranked = line[index];
        if (rank <= than || ranked === undefined) return null;
        const found = before(ranked, { at, place, window });
        if (found !== null) return { version: found.version, trust: found.trust };
      }
      return null;
    },
  };
}

/** null: as weak as can be, so that nothing is weaker. */
function entryOf(release: Release, place: number, clocks: Clocks): Entry | null {
  if (!release.artifacts.some(({ trust }) => trust.known && TRUST_RANK[trust.value] > 0)) return null;
  const files = release.artifacts.map((artifact) => ({
    at: publicationOf(artifact, clocks),
    trust: artifact.trust.known ? artifact.trust.value : "none" as const,
  }));
  const at = files.reduce<EpochMs | null>((first, file) => earlier(first, file.at), null);
  // A weak file that joins years later must not excuse weak releases from then on.
  const initial = files.filter((file) => file.at === null || at === null || file.at - at < SAME_UPLOAD_MS);
  const ranks = initial.map((file) => file.trust).sort((a, b) => TRUST_RANK[a] - TRUST_RANK[b]);
  const trust = ranks[0] ?? "none";
  return TRUST_RANK[trust] === 0
    ? null
    : { version: release.version, trust, rank: TRUST_RANK[trust], at, place };
}

function earlier(a: EpochMs | null, b: EpochMs | null): EpochMs | null {
  if (a === null || b === null) return a ?? b;
  return a <= b ? a : b;
}

function rankGroup(entries: readonly Entry[], rank: number): Ranked {
  const strong = entries.filter((entry) => entry.rank >= rank);
  return {
    byTime: strong.filter((entry) => entry.at !== null).sort((a, b) => (a.at ?? 0) - (b.at ?? 0)),
    byPlace: strong,
    undatedByPlace: strong.filter((entry) => entry.at === null),
  };
}

function before(
  ranked: Ranked,
  { at, place, window }: { readonly at: EpochMs | null; readonly place: number; readonly window: DurationMs },
): Entry | null {
  if (at === null) return lastBelow(ranked.byPlace, place, (entry) => entry.place);
  const dated = lastBelow(ranked.byTime, at, (entry) => entry.at ?? 0);
  if (dated !== null && at - (dated.at ?? 0) <= window) return dated;
  return lastBelow(ranked.undatedByPlace, place, (entry) => entry.place);
}

/** The last entry whose key is below a bound; the entries are sorted by it. */
function lastBelow(entries: readonly Entry[], bound: number, key: (entry: Entry) => number): Entry | null {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = entries[middle];
    if (entry !== undefined && key(entry) < bound) low = middle + 1;
    else high = middle;
  }
  return entries[low - 1] ?? null;
}
