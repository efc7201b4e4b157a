/** How long what an upstream said is believed and waited for: set for the instance, an ecosystem, or one upstream. */
import type { DurationMs } from "../policy/types.ts";

/** All of it, for one upstream. */
export interface Lifetimes {
  /** A document is fresh for this long. */
  readonly metadataTtl: DurationMs;
  /** Then it is served for this long while one request revalidates it. */
  readonly staleWhileRevalidate: DurationMs;
  /** Then, if upstream fails, for this long. */
  readonly staleIfError: DurationMs;
  /** What does not exist is remembered for this long. */
  readonly absentTtl: DurationMs;
  /** A kept file is served for this long before upstream is asked whether it still has it; null: for ever. */
  readonly artifactTtl: DurationMs | null;
  /** A package that was asked for within this long is refreshed by schedule; 0: none is. */
  readonly refreshUsedWithin: DurationMs;
  /** For the whole of a document's request, tries and redirects among it; of a file's, until its bytes begin. */
  readonly upstreamTimeout: DurationMs;
  readonly userAgent: string;
}

/** What one level sets; the rest is the next level's. */
export type SomeLifetimes = Partial<Lifetimes>;

/** From the general to the particular. */
export interface LifetimeLevels {
  readonly instance: Lifetimes;
  /** By ecosystem. */
  readonly ecosystems: Readonly<Record<string, SomeLifetimes>>;
}

/** What holds for an upstream: each setting as it was set closest to it. Of what no upstream is named, the ecosystem's. */
export function resolveLifetimes(
  levels: LifetimeLevels,
  of: { readonly ecosystem: string; readonly upstream?: SomeLifetimes | undefined },
): Lifetimes {
  const { instance, ecosystems } = levels;
  const ecosystem = Object.hasOwn(ecosystems, of.ecosystem) ? ecosystems[of.ecosystem] : {};
  return Object.freeze({ ...instance, ...ecosystem, ...of.upstream });
}

/** One of a package's records, or any other that names its upstream. */
export interface OfUpstream {
  readonly ecosystem: string;
  readonly upstreamId: string;
}

/** Worked out once; of an upstream that is configured no more, the ecosystem's. */
export function lifetimesOf(
  levels: LifetimeLevels,
  upstreams: readonly {
    readonly id: string;
    readonly ecosystem: string;
    readonly lifetimes?: SomeLifetimes | undefined;
  }[],
): (of: OfUpstream) => Lifetimes {
  const known = new Map(upstreams.map(({ id, ecosystem, lifetimes }) => [
    id,
    resolveLifetimes(levels, { ecosystem, upstream: lifetimes }),
  ]));
  return ({ ecosystem, upstreamId }) => known.get(upstreamId) ?? resolveLifetimes(levels, { ecosystem });
}
