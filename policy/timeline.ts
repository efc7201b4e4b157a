/** When what is decided as of an instant changed: the points between which all instants are alike. */
import { earliest } from "./decision.ts";
import { evaluate } from "./judge.ts";
import type { CompiledPolicy } from "./resolve.ts";
import { appearedAt, type Clocks } from "./rules/age.ts";
import { findPredecessors, type Predecessors } from "./rules/predecessors.ts";
import type { RuleContext } from "./rules/rule.ts";
import type { Artifact, EpochMs, Freeze, Joined, PackageFacts, Release } from "./types.ts";

/** A file's ages end after few steps; more than this is a rule that never does. */
const MAX_TURNS = 16;
const RELEASES_PER_STEP = 25;
const DAY_MS = 86_400_000;

/** See `ResolvedPolicy.changes`. */
export function* changesOf(
  { policy, facts, joined, now }: {
    readonly policy: CompiledPolicy;
    readonly facts: PackageFacts;
    readonly joined: Joined;
    readonly now: EpochMs;
  },
): Iterable<EpochMs | undefined> {
  const clocks = { now, firstSeen: (filename: string) => joined.firstSeen(filename) };
  let known: Predecessors | null = null;
  const predecessors = () => known ??= findPredecessors(facts, policy.versions, clocks);
  for (const [place, release] of facts.releases.entries()) {
    for (const artifact of release.artifacts) {
      const context = { ...clocks, release, settings: policy.settings, predecessors };
      yield* turnsOf(artifact, context, policy);
    }
    if (place % RELEASES_PER_STEP === RELEASES_PER_STEP - 1) yield undefined;
  }
}

/** When a file appeared, and when any rule then said something else of it. */
function* turnsOf(artifact: Artifact, context: RuleContext, { rules }: CompiledPolicy): Iterable<EpochMs> {
  let at: EpochMs | null = appearedAt(artifact, context);
  for (let i = 0; i < MAX_TURNS && at !== null; i++) {
    yield at;
    const now: EpochMs = at;
    at = rules.reduce<EpochMs | null>((first, rule) => {
      const { finding } = evaluate(rule, artifact, { ...context, now });
      const next = earliest(finding?.horizon ?? null, finding?.turnsAt ?? null);
      return next !== null && next > now ? earliest(first, next) : first;
    }, null);
  }
}

/** See `ResolvedPolicy.frozenAt`. */
export function frozenAt(freezes: readonly Freeze[], now: EpochMs) {
  const standing = freezes.filter(({ until }) => until === null || now < until);
  if (standing.length === 0) return null;
  const at = standing.map((freeze) => freeze.at).reduce((a, b) => a <= b ? a : b);
  const until = standing.reduce<EpochMs | null>((first, freeze) => earliest(first, freeze.until), null);
  return { at, until };
}

/**
 * When a release was published: the last file of its first day, since a wheel that joins years later does not make
 * it new. null: it has no files.
 */
export function releasedAt(release: Release, clocks: Clocks): EpochMs | null {
  const dates = release.artifacts.map((artifact) => appearedAt(artifact, clocks)).sort((a, b) => a - b);
  const [first] = dates;
  if (first === undefined) return null;
  return dates.findLast((date) => date - first < DAY_MS) ?? first;
}
