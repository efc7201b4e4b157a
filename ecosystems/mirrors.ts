/** What `mirror` in the configuration means: types, and which packages an ecosystem that is a mirror alone serves. */
import { compileRange } from "../policy/range.ts";
import { type Decisions, type DurationMs, type PackageFacts, permits } from "../policy/types.ts";
import type { Ecosystem } from "./ecosystem.ts";

/** Packages that are kept filled. */
export interface MirrorEntry {
  readonly ecosystem: string;
  /** Canonical; `used`: all that the organisation ever installed. */
  readonly packages: readonly string[] | "used";
  /** The newest so many that are let through, or those of a VERS range that are. */
  readonly versions: { readonly newest: number } | { readonly range: string };
  /** Between two fillings. */
  readonly every: DurationMs;
  /** Whose policy decides. */
  readonly organisation: string;
  /** Nothing else is served from this ecosystem, to anybody. */
  readonly only: boolean;
}

/** What of an ecosystem is served; null: all of it. `used`: beside the names, what is known here already. */
export interface MirrorOnly {
  readonly names: ReadonlySet<string>;
  readonly used: boolean;
}

/** Joined over all entries of the ecosystem, as soon as one of them says `only`. */
export function mirrorOnly(entries: readonly MirrorEntry[], ecosystem: string): MirrorOnly | null {
  const own = entries.filter((entry) => entry.ecosystem === ecosystem);
  if (!own.some(({ only }) => only)) return null;
  const names = own.flatMap(({ packages }) => packages === "used" ? [] : packages);
  return { names: new Set(names), used: own.some(({ packages }) => packages === "used") };
}

/** Why a package (quoted), or whatever else, is not served of an ecosystem that is a mirror alone. */
export function notMirroredText({ title }: Pick<Ecosystem, "title">, what: string): string {
  return `This Sluice serves of ${title} only what it mirrors, and ${what} is none of it`;
}

/** Of the releases that the policy lets through, the wanted ones, newest first. Pre-releases only by range. */
export function mirroredVersions({ versions }: MirrorEntry, ecosystem: Ecosystem) {
  const { isPrerelease, isValid } = ecosystem.versions;
  const range = "range" in versions ? compileRange(versions.range, ecosystem.versions) : null;
  const isOffered = (decisions: Decisions, version: string) => {
    const decision = decisions.release(version);
    return decision !== null && permits(decision);
  };
  return (facts: PackageFacts, decisions: Decisions): readonly string[] => {
    const all = facts.releases.map(({ version }) => version).toReversed();
    if (range !== null) return all.filter((each) => range.contains(each) && isOffered(decisions, each));
    const count = "newest" in versions ? versions.newest : 0;
    const chosen: string[] = [];
    for (const version of all) {
      if (chosen.length >= count) break;
      if (isValid(version) && !isPrerelease(version) && isOffered(decisions, version)) chosen.push(version);
    }
    return chosen;
  };
}
