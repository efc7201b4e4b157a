/** From the reasons that were found to one decision: what counts, which is worst, and when time may change it. */
import type { Decision, EpochMs, Reason, Verdict } from "./types.ts";

/** Whoever lifted a reason. */
export interface Lifter {
  readonly id: string;
  /** null: for ever. */
  readonly until: EpochMs | null;
}

/** A reason on its way to a decision. */
export interface Draft {
  readonly reason: Reason;
  /** The instance's floor: it holds in `observe` as well. */
  readonly isFloor: boolean;
  /** null: nothing lifts it. */
  readonly lifter: Lifter | null;
}

const SEVERITY: Readonly<Record<Verdict, number>> = { allow: 0, warn: 1, hold: 2, deny: 3 };

/** Nothing found: shared, since that is what most files are. */
const ALLOWED: Decision = Object.freeze({
  verdict: "allow",
  enforcedVerdict: "allow",
  reasons: Object.freeze([]),
  horizon: null,
});

/** Negative where `a` is milder. */
export function compareVerdicts(a: Verdict, b: Verdict): number {
  return SEVERITY[a] - SEVERITY[b];
}

/** Adds up what was found; `observe` lets everything through but for the floor's denials. */
export function toDecision(drafts: readonly Draft[], enforcement: "enforce" | "observe"): Decision {
  if (drafts.length === 0) return ALLOWED;
  const standing = drafts.filter((draft) => draft.lifter === null);
  const counting = standing.filter((draft) =>
    draft.isFloor || (enforcement === "enforce" && !draft.reason.observed)
  );
  const [enforcedVerdict, counted] = [worst(standing), worst(counting)];
  const observed = compareVerdicts(enforcedVerdict, "warn") > 0 ? "warn" : enforcedVerdict;
  return {
    verdict: compareVerdicts(counted, observed) >= 0 ? counted : observed,
    enforcedVerdict,
    reasons: drafts.map((draft) => toReason(draft, enforcement)).sort(byWeight),
    horizon: earliest(horizonOf(drafts, standing), horizonOf(drafts, counting)),
  };
}

/** The earlier of two instants, where null is never. */
export function earliest(a: EpochMs | null, b: EpochMs | null): EpochMs | null {
  if (a === null || b === null) return a ?? b;
  return a <= b ? a : b;
}

/** When the last of several things ends; null: never, or there are none. */
export function lastEnd(ends: readonly (EpochMs | null)[]): EpochMs | null {
  const known = ends.filter((end) => end !== null);
  if (known.length < ends.length) return null;
  return known.reduce<EpochMs | null>((last, end) => last === null || end > last ? end : last, null);
}

function worst(drafts: readonly Draft[]): Verdict {
  return drafts.reduce<Verdict>(
    (found, { reason }) => compareVerdicts(reason.verdict, found) > 0 ? reason.verdict : found,
    "allow",
  );
}

/**
 * The earliest of: the end of the last of the worst reasons; an instant from which a mild finding may be a
 * worse one; the end of an allow without which a reason would still stand.
 */
function horizonOf(drafts: readonly Draft[], counting: readonly Draft[]): EpochMs | null {
  const verdict = worst(counting);
  const blocks = compareVerdicts(verdict, "warn") > 0;
  const worstOnes = counting.filter(({ reason }) => blocks && reason.verdict === verdict);
  const mild = counting.filter(({ reason }) => compareVerdicts(reason.verdict, "warn") <= 0);
  const lifted = drafts.flatMap(({ reason, lifter }) => {
    const end = lifter?.until ?? null;
    return end !== null && (reason.horizon === null || end < reason.horizon) ? [end] : [];
  });
  return [...mild.map(({ reason }) => reason.horizon), ...lifted].reduce(
    earliest,
    lastEnd(worstOnes.map(({ reason }) => reason.horizon)),
  );
}

function toReason({ reason, lifter, isFloor }: Draft, enforcement: "enforce" | "observe"): Reason {
  const observed = reason.observed === true ||
    (enforcement === "observe" && !isFloor && compareVerdicts(reason.verdict, "warn") > 0);
  return {
    ...reason,
    ...(lifter === null ? {} : { liftedBy: lifter.id }),
    ...(observed && lifter === null ? { observed } : {}),
  };
}

/** What stands before what was lifted, the more severe first, what counts before what only observes. */
function byWeight(a: Reason, b: Reason): number {
  return Number(a.liftedBy !== undefined) - Number(b.liftedBy !== undefined) ||
    compareVerdicts(b.verdict, a.verdict) || Number(a.observed ?? false) - Number(b.observed ?? false);
}
