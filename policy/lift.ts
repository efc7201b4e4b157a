/** What an allow lifts: design.md section 4, "What an allow lifts". */
import type { Lifter } from "./decision.ts";
import type { Liftable, Override } from "./documents.ts";
import type { Match } from "./overrides.ts";
import type { EpochMs, Reason, Waiver } from "./types.ts";

/** What stands to be lifted. */
export type Obstacle =
  | { readonly kind: "override"; readonly specificity: number }
  | { readonly kind: "freeze" }
  /** `failed`: the rule threw; nothing lifts that. */
  | { readonly kind: "rule"; readonly reason: Reason; readonly failed: boolean };

const BY_ITSELF: ReadonlySet<string> = new Set<Liftable>(["yanked", "deprecated", "publisherDowngrade"]);

/** Among the overrides that match and still count, those with this effect. */
export function standing(
  matches: readonly Match[],
  effect: Override["effect"],
  now: EpochMs,
): readonly Match[] {
  return matches.filter(({ override }) =>
    override.effect === effect && (override.until === null || now < override.until)
  );
}

/** The allows that speak: the most specific; several of equal rank together. */
export function mostSpecific(allows: readonly Match[]): readonly Match[] {
  const rank = Math.max(...allows.map(({ specificity }) => specificity));
  return allows.filter(({ specificity }) => specificity === rank);
}

/** What may lift something of one version. */
export interface Lifters {
  readonly allows: readonly Match[];
  readonly waivers: readonly Waiver[];
}

/** Who lifts an obstacle, the one that lasts longest; null: nobody. */
export function findLifter(obstacle: Obstacle, by: Lifters): Lifter | null {
  const speaking = obstacle.kind === "override"
    ? by.allows.filter(({ specificity }) => specificity > obstacle.specificity)
    : mostSpecific(by.allows);
  const allows = speaking.map(({ override }) => override).filter((override) => lifts(override, obstacle));
  return longest([...allows, ...by.waivers.filter((waiver) => waives(waiver, obstacle))]);
}

/** Holds by itself; else what it names, and nothing but that. */
function waives({ lifts = null }: Waiver, obstacle: Obstacle): boolean {
  if (obstacle.kind !== "rule") return lifts?.includes(obstacle.kind) ?? false;
  if (obstacle.failed || obstacle.reason.verdict === "allow") return false;
  const { rule, verdict } = obstacle.reason;
  return lifts === null ? verdict === "hold" : lifts.some((name) => name === rule);
}

function lifts(allow: Override, obstacle: Obstacle): boolean {
  if (obstacle.kind === "freeze") return allow.lifts?.includes("freeze") ?? false;
  if (obstacle.kind === "override") return allow.lifts?.includes("override") ?? true;
  if (obstacle.failed) return false;
  const { rule, verdict } = obstacle.reason;
  if (verdict === "allow") return false;
  if (allow.lifts !== null) return allow.lifts.some((name) => name === rule);
  return verdict === "hold" || BY_ITSELF.has(rule);
}

function longest(lifters: readonly Lifter[]): Lifter | null {
  const first = lifters[0];
  if (first === undefined) return null;
  const { id, until } = lifters.reduce((kept, each) => endOf(each) > endOf(kept) ? each : kept, first);
  return { id, until };
}

function endOf({ until }: Lifter): number {
  return until ?? Number.POSITIVE_INFINITY;
}
