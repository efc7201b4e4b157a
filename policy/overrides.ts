/** Overrides compiled for one ecosystem: what does not concern a package costs it one look into a map. */
import type { Override } from "./documents.ts";
import { compileGlob } from "./glob.ts";
import { foldName, foldVersion, pathOfName } from "./name.ts";
import { isGlob } from "./pattern.ts";
import { compileRange } from "./range.ts";
import { compileExact, type ExactVersions } from "./exact_versions.ts";
import type { VersionScheme } from "./types.ts";

/** What of an ecosystem a policy needs to know. */
export interface PolicyEcosystem {
  readonly id: string;
  readonly purlType: string;
  readonly versions: VersionScheme;
  /** The one name of a package that its registry knows by several spellings; absent: names are exact as they stand. */
  canonicalName?(name: string): string;
}

/** How specific an override is: exact version, range (or glob) of versions, package, glob of names. */
export const SPECIFICITY = { exact: 3, range: 2, package: 1, glob: 0 } as const;

export interface Match {
  readonly override: Override;
  /** Of SPECIFICITY; the greater goes first. */
  readonly specificity: number;
}

/** The overrides that concern one package. */
export interface PackageOverrides {
  /** None concerns it, whatever the version. */
  readonly isEmpty: boolean;
  /** Those that match a version, ended ones included, in no order. */
  matching(version: string): readonly Match[];
}

export interface OverrideIndex {
  /** By registry-exact name. */
  of(name: string): PackageOverrides;
}

type VersionTest = (version: string) => boolean;

interface Ranged extends Match {
  readonly test: VersionTest;
}

/** All the overrides of one effect with one exact name. */
interface Group {
  readonly exact: ExactVersions;
  readonly ranged: readonly Ranged[];
}

interface Globbed extends Ranged {
  readonly matchesName: (name: string) => boolean;
}

const NONE: readonly Match[] = [];
const NOTHING: PackageOverrides = { isEmpty: true, matching: () => NONE };

/** Throws SyntaxError where a range cannot be read in this ecosystem's versions. */
export function compileOverrides(overrides: readonly Override[], ecosystem: PolicyEcosystem): OverrideIndex {
  const ours = overrides.filter(({ type }) => type === ecosystem.purlType || type === ecosystem.id);
  const named = ours.filter((override) => !isGlob(override.name));
  const exactName = (name: string) => ecosystem.canonicalName?.(name) ?? name;
  const allows = groupByName(named.filter(({ effect }) => effect === "allow"), ecosystem, exactName);
  const denials = groupByName(named.filter(({ effect }) => effect === "deny"), ecosystem, foldName);
  const globs = ours.filter(({ name }) => isGlob(name)).map((override) =>
    compileGlobbed(override, ecosystem)
  );
  return {
    of(name) {
      const path = pathOfName(ecosystem.purlType, name);
      const groups = [allows.get(path), denials.get(foldName(path))].filter((group) => group !== undefined);
      const ranged = globs.filter((globbed) => globbed.matchesName(path));
      return groups.length + ranged.length === 0 ? NOTHING : concerning(groups, ranged);
    },
  };
}

/** Those that name a package, whatever their versions and whether or not they have ended, in the order given. */
export function overridesNaming(
  overrides: readonly Override[],
  ecosystem: PolicyEcosystem,
  name: string,
): readonly Override[] {
  const path = pathOfName(ecosystem.purlType, name);
  return overrides.filter((override) => {
    if (override.type !== ecosystem.purlType && override.type !== ecosystem.id) return false;
    const named = { ...override, version: null, range: null };
    if (isGlob(override.name)) return compileGlobbed(named, ecosystem).matchesName(path);
    const own = pathOfName(ecosystem.purlType, override.name);
    if (override.effect === "deny") return foldName(own) === foldName(path);
    return (ecosystem.canonicalName?.(own) ?? own) === path;
  });
}

function concerning(groups: readonly Group[], globs: readonly Ranged[]): PackageOverrides {
  const ranged = [...groups.flatMap((group) => group.ranged), ...globs];
  return {
    isEmpty: false,
    matching(version) {
      const exact = groups.flatMap((group) => group.exact.find(version));
      return [
        ...exact.map((override) => ({ override, specificity: SPECIFICITY.exact })),
        ...ranged.filter((each) => each.test(version)),
      ];
    },
  };
}

function groupByName(
  overrides: readonly Override[],
  ecosystem: PolicyEcosystem,
  key: (name: string) => string,
): ReadonlyMap<string, Group> {
  const grouped = Map.groupBy(overrides, ({ name }) => key(pathOfName(ecosystem.purlType, name)));
  return new Map([...grouped].map(([name, group]) => [name, compileGroup(group, ecosystem.versions)]));
}

function compileGroup(overrides: readonly Override[], versions: VersionScheme): Group {
  const isExact = ({ version }: Override) => version !== null && !isGlob(version);
  const ranged = overrides.filter((override) => !isExact(override)).map((override) => ({
    override,
    specificity: override.version === null && override.range === null
      ? SPECIFICITY.package
      : SPECIFICITY.range,
    test: versionTest(override, versions),
  }));
  return { exact: compileExact(overrides.filter(isExact), versions), ranged };
}

function compileGlobbed(override: Override, ecosystem: PolicyEcosystem): Globbed {
  const denies = override.effect === "deny";
  const name = pathOfName(ecosystem.purlType, override.name);
  const exactName = ecosystem.canonicalName?.(name) ?? name;
  const glob = compileGlob(denies ? foldName(name) : exactName, { crossesSlash: denies });
  return {
    override,
    specificity: SPECIFICITY.glob,
    matchesName: denies ? (name) => glob.matches(foldName(name)) : (name) => glob.matches(name),
    test: versionTest(override, ecosystem.versions),
  };
}

function versionTest(override: Override, versions: VersionScheme): VersionTest {
  const { version, range, effect } = override;
  if (range !== null) return rangeTest(range, effect === "deny", versions);
  if (version === null) return () => true;
  if (!isGlob(version)) {
    const exact = compileExact([override], versions);
    return (candidate) => exact.find(candidate).length > 0;
  }
  const glob = compileGlob(effect === "deny" ? foldVersion(version) : version, { crossesSlash: true });
  return effect === "deny"
    ? (candidate) => glob.matches(foldVersion(candidate))
    : (candidate) => glob.matches(candidate);
}

/** A version that the scheme cannot read may be anything: a denial's range holds it, an allow's does not. */
function rangeTest(text: string, denies: boolean, versions: VersionScheme): VersionTest {
  const range = compileRange(text, versions);
  return (version) => versions.isValid(version) ? range.contains(version) : denies;
}
