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
  let channels: ReadonlyMap<string, readonly string[]> | null = null;
  for (const [tag, target] of tags) {
    let version: string | null = target;
    if (!known.has(target)) {
      // Once for all tags: some packages have thousands of both.
      channels ??= channelsOf(offered, versions);
      version = tag === "latest"
        ? latestBelow(target, offered, versions)
        : greatestBelow(target, channels.get(channelOf(target, versions)) ?? [], versions);
    }
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
  const readable = offered.filter((version) => versions.isValid(version));
  const stable = readable.filter((version) => !versions.isPrerelease(version));
  return greatestBelow(target, stable, versions) ?? greatestBelow(target, readable, versions);
}

/** `sorted` is in version order and holds only what the scheme can read. */
function greatestBelow(target: string, sorted: readonly string[], versions: VersionScheme): string | null {
  if (!versions.isValid(target)) return null;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (versions.compare(sorted[middle]!, target) <= 0) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1] ?? null;
}

function channelsOf(offered: readonly string[], versions: VersionScheme): Map<string, string[]> {
  const channels = new Map<string, string[]>();
  for (const version of offered) {
    if (!versions.isValid(version)) continue;
    const channel = channelOf(version, versions);
    const members = channels.get(channel);
    if (members === undefined) channels.set(channel, [version]);
    else members.push(version);
  }
  return channels;
}

/** What a tag keeps to: the line, and stable or the pre-release word. */
function channelOf(version: string, versions: VersionScheme): string {
  const word = versions.isPrerelease(version) ? `pre-release ${prereleaseId(version) ?? ""}` : "stable";
  return `${versions.line(version)} ${word}`;
}
