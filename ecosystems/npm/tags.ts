/** Tags after filtering: each one points at a release that is offered, or is gone. */
import type { VersionScheme } from "../../policy/types.ts";
import { prereleaseId } from "../_shared/semver_scheme.ts";

/**
 * `offered` is in version order, lowest first. A tag on an offered release stays. `latest` moves to the greatest
 * offered stable release below it (which is in the same major line if that has any), and to a pre-release only
 * where no stable one is below. Every other tag moves down within its target's line, stable to stable and
 * pre-release to the same pre-release word, or is dropped. By version order, never by date.
 */
export function repairTags(
  tags: readonly (readonly [tag: string, version: string])[],
  offered: readonly string[],
  versions: VersionScheme,
): Map<string, string> {
  const known = new Set(offered);
  const repaired = new Map<string, string>();
  for (const [tag, target] of tags) {
    const version = known.has(target)
      ? target
      : tag === "latest"
      ? latestBelow(target, offered, versions)
      : tagBelow(target, offered, versions);
    if (version !== null) repaired.set(tag, version);
  }
  return repaired;
}

/** The greatest stable version of `offered` (in version order) not above `target`, else the greatest pre-release. */
export function latestBelow(
  target: string,
  offered: readonly string[],
  versions: VersionScheme,
): string | null {
  if (!versions.isValid(target)) return null;
  const below = offered.filter((version) =>
    versions.isValid(version) && versions.compare(version, target) <= 0
  );
  return below.findLast((version) => !versions.isPrerelease(version)) ?? below.at(-1) ?? null;
}

function tagBelow(target: string, offered: readonly string[], versions: VersionScheme): string | null {
  if (!versions.isValid(target)) return null;
  const line = versions.line(target);
  const word = prereleaseId(target);
  return offered.findLast((version) =>
    versions.isValid(version) && versions.compare(version, target) <= 0 && versions.line(version) === line &&
    versions.isPrerelease(version) === versions.isPrerelease(target) && prereleaseId(version) === word
  ) ?? null;
}
