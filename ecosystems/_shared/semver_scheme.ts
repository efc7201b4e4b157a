/** Semantic versions (semver.org 2.0) as npm, Cargo and others order them. */
import semver from "semver";
import type { SemVer } from "semver";
import type { VersionScheme } from "../../policy/types.ts";

const CACHED_VERSIONS = 20_000;

/**
 * A total order over all strings: those that `semver` cannot read, even loosely, sort below all others by code
 * unit. Build metadata does not count, so `1.0.0+a` and `1.0.0+b` are equal. The line is the
 * major version, 0 too: with a line for each `0.minor`, a downgrade could be had by raising the minor version.
 */
export function createSemverScheme(): VersionScheme {
  // Bounded: when full it starts anew, which costs one pass of parsing.
  const cache = new Map<string, SemVer | null>();

  function parse(version: string): SemVer | null {
    let parsed = cache.get(version);
    if (parsed !== undefined) return parsed;
    parsed = semver.parse(version, { loose: true });
    if (cache.size >= CACHED_VERSIONS) cache.clear();
    cache.set(version, parsed);
    return parsed;
  }

  function compare(a: string, b: string): number {
    if (a === b) return 0;
    const left = parse(a);
    const right = parse(b);
    if (left !== null && right !== null) return left.compare(right);
    if (left !== null) return 1;
    if (right !== null) return -1;
    return a < b ? -1 : 1;
  }

  function line(version: string): string {
    const parsed = parse(version);
    return parsed === null ? version : String(parsed.major);
  }

  return Object.freeze({
    compare,
    line,
    isValid: (version: string) => parse(version) !== null,
    isPrerelease: (version: string) => (parse(version)?.prerelease.length ?? 0) > 0,
  });
}

/** The first part of a pre-release that is a word (`beta` of `2.0.0-beta.3`); null where there is none. */
export function prereleaseId(version: string): string | null {
  const parts = semver.parse(version, { loose: true })?.prerelease ?? [];
  return parts.find((part): part is string => typeof part === "string") ?? null;
}
