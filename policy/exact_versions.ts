/** Overrides for exact versions, found without walking through them. */
import type { Override } from "./documents.ts";
import { foldVersion } from "./name.ts";
import type { VersionScheme } from "./types.ts";

export interface ExactVersions {
  /** Allows of exactly this string; denials of any version equal to it, however written. */
  find(version: string): readonly Override[];
}

interface Ordered {
  readonly version: string;
  readonly overrides: readonly Override[];
}

const NONE: readonly Override[] = [];

/** Each override must have a version that is no glob. */
export function compileExact(overrides: readonly Override[], versions: VersionScheme): ExactVersions {
  if (overrides.length === 0) return { find: () => NONE };
  const allows = Map.groupBy(overrides.filter(({ effect }) => effect === "allow"), versionOf);
  const denials = overrides.filter(({ effect }) => effect === "deny");
  const folded = Map.groupBy(denials, (override) => foldVersion(versionOf(override)));
  const ordered = order(denials, versions);
  return {
    find(version) {
      const equal = [...folded.get(foldVersion(version)) ?? NONE, ...findEqual(ordered, version, versions)];
      return [...allows.get(version) ?? NONE, ...new Set(equal)];
    },
  };
}

function versionOf(override: Override): string {
  return override.version ?? "";
}

/** Sorted, with those that the scheme calls equal put together. */
function order(denials: readonly Override[], versions: VersionScheme): readonly Ordered[] {
  const sorted = denials.toSorted((a, b) => versions.compare(versionOf(a), versionOf(b)));
  const ordered: { version: string; overrides: Override[] }[] = [];
  for (const override of sorted) {
    const last = ordered.at(-1);
    if (last !== undefined && versions.compare(last.version, versionOf(override)) === 0) {
      last.overrides.push(override);
    } else ordered.push({ version: versionOf(override), overrides: [override] });
  }
  return ordered;
}

function findEqual(
  ordered: readonly Ordered[],
  version: string,
  versions: VersionScheme,
): readonly Override[] {
  let [low, high] = [0, ordered.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = ordered[middle];
    if (found === undefined) return NONE;
    const side = versions.compare(found.version, version);
    if (side === 0) return found.overrides;
    if (side < 0) low = middle + 1;
    else high = middle - 1;
  }
  return NONE;
}
