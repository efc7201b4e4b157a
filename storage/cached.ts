/** An overview of what is cached, read from its records now and then and kept between: sums, and names to search. */
import type { EpochMs } from "../policy/types.ts";
import { isPackage, listReferences } from "./cache/references.ts";
import type { OnRestored } from "./kv/fence.ts";
import type { PackageKey, Packages } from "./kv/packages.ts";
import type { Clock } from "./runtime.ts";

/** Of one ecosystem. `bytes`: of its files and raw documents. */
export interface CachedSums {
  readonly packages: number;
  readonly artifacts: number;
  readonly bytes: number;
}

export interface CachedOverview {
  readonly asOf: EpochMs;
  readonly byEcosystem: ReadonlyMap<string, CachedSums>;
  /** Files that came in, by `2026-11-21` and ecosystem, with a space between. */
  readonly filledByDay: ReadonlyMap<string, number>;
}

/** A package of which documents are cached. */
export interface CachedPackage {
  readonly key: PackageKey;
  readonly name: string;
  readonly description: string | null;
}

export interface CachedNames {
  readonly packages: readonly CachedPackage[];
  /** More packages are cached than are looked at. */
  readonly isCut: boolean;
}

export interface Cached {
  /** A second old, or more (a minute at most) where reading it takes long. Throws StorageError. */
  overview(): Promise<CachedOverview>;
  /** As old as the overview, sorted by name. Throws StorageError. */
  names(): Promise<CachedNames>;
}

/** About 20 MB in memory, and a second or two to read. */
const MAX_NAMES = 100_000;

/** One for the process; what several ask at once is read once. */
export function createCached(
  deps: {
    readonly kv: Deno.Kv;
    readonly packages: Pick<Packages, "list">;
    readonly clock: Clock;
    readonly onRestored?: OnRestored;
  },
): Cached {
  const { kv, packages, clock, onRestored } = deps;
  const keeping = { ...ONE_SECOND_OR_MORE, onRestored };
  return {
    overview: keptFor(keeping, clock, () => readOverview(kv, clock())),
    names: keptFor(keeping, clock, () => readNames(packages)),
  };
}

/** How long a result is told again: a fiftieth of the time goes into reading it anew, at most. */
export interface Keeping {
  readonly leastMs: number;
  readonly mostMs: number;
  readonly onRestored?: OnRestored | undefined;
}

const ONE_SECOND_OR_MORE: Keeping = { leastMs: 1_000, mostMs: 60_000 };

/** Work that is shared by all who ask while it runs, and whose result is kept; a failure is not. */
export function keptFor<T>(keeping: Keeping, clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let kept: { readonly result: Promise<T>; at: EpochMs; forMs: number } | null = null;
  keeping.onRestored?.(() => kept = null);
  return function result() {
    const now = clock();
    if (kept !== null && now >= kept.at && now - kept.at < kept.forMs) return kept.result;
    const mine = { result: work(), at: now, forMs: Infinity };
    kept = mine;
    mine.result.then(() => {
      const tookMs = clock() - mine.at;
      mine.at = clock();
      mine.forMs = Math.min(keeping.mostMs, Math.max(keeping.leastMs, 50 * tookMs));
    }, () => {
      if (kept === mine) kept = null;
    });
    return mine.result;
  };
}

async function readOverview(kv: Deno.Kv, asOf: EpochMs): Promise<CachedOverview> {
  const byEcosystem = new Map<string, { packages: number; artifacts: number; bytes: number }>();
  const filledByDay = new Map<string, number>();
  for await (const { kind, isPackage: isThere, ecosystem, pointers, at } of listReferences(kv)) {
    const sums = byEcosystem.get(ecosystem) ?? { packages: 0, artifacts: 0, bytes: 0 };
    if (kind === "file") sums.artifacts++;
    if (isThere) sums.packages++;
    for (const { sizeBytes } of pointers) sums.bytes += sizeBytes;
    byEcosystem.set(ecosystem, sums);
    if (kind !== "file") continue;
    const day = `${new Date(at).toISOString().slice(0, 10)} ${ecosystem}`;
    filledByDay.set(day, (filledByDay.get(day) ?? 0) + 1);
  }
  return { asOf, byEcosystem, filledByDay };
}

async function readNames(packages: Pick<Packages, "list">): Promise<CachedNames> {
  const found: CachedPackage[] = [];
  for await (const { key, record } of packages.list()) {
    if (!isPackage(key, record)) continue;
    if (found.length >= MAX_NAMES) return { packages: sorted(found), isCut: true };
    found.push({ key, name: key.name, description: record.description ?? null });
  }
  return { packages: sorted(found), isCut: false };
}

function sorted(packages: readonly CachedPackage[]): readonly CachedPackage[] {
  return packages.toSorted((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}
