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
  /** The floor holds in `observe` as well, and so does what was not there at an instant. */
  readonly source: "floor" | "instant" | "override" | "freeze" | "rule";
  /** null: nothing lifts it. */
  readonly lifter: Lifter | null;
  /** From then on something else may be found, whatever becomes of this reason; null: never. */
  readonly turnsAt: EpochMs | null;
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
    isUnconditional(draft) || (enforcement === "enforce" && !draft.reason.observed)
  );
  const [enforcedVerdict, counted] = [worst(standing), worst(counting)];
  const observed = isBlocking(enforcedVerdict) ? "warn" : enforcedVerdict;
  const verdict = compareVerdicts(counted, observed) >= 0 ? counted : observed;
  return {
    verdict,
    enforcedVerdict,
    reasons: drafts.map((draft) => toReason(draft, enforcement)).sort(byWeight(isBlocking(verdict))),
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
 * The earliest of: the end of the last of the worst reasons; an instant from which something else may be found;
 * the end of an allow without which a reason would still stand.
 */
function horizonOf(drafts: readonly Draft[], counting: readonly Draft[]): EpochMs | null {
  const verdict = worst(counting);
  const blocking = counting.filter(({ reason }) => isBlocking(verdict) && reason.verdict === verdict);
  const lifted = drafts.flatMap(({ reason, lifter }) => {
    const end = lifter?.until ?? null;
    return end !== null && (reason.horizon === null || end < reason.horizon) ? [end] : [];
  });
  return [...drafts.map(({ turnsAt }) => turnsAt), ...lifted].reduce(
    earliest,
    lastEnd(blocking.map(({ reason }) => reason.horizon)),
  );
}

function isUnconditional({ source }: Draft): boolean {
  return source === "floor" || source === "instant";
}

function isBlocking(verdict: Verdict): boolean {
  return compareVerdicts(verdict, "warn") > 0;
}

function toReason(draft: Draft, enforcement: "enforce" | "observe"): Reason {
  const { reason, lifter } = draft;
  const observed = reason.observed === true ||
    (enforcement === "observe" && !isUnconditional(draft) && isBlocking(reason.verdict));
  return {
    ...reason,
    ...(lifter === null ? {} : { liftedBy: lifter.id }),
    ...(observed && lifter === null ? { observed } : {}),
  };
}

/** What stands before what was lifted; of a refusal first what refuses; then the more severe. */
function byWeight(refused: boolean): (a: Reason, b: Reason) => number {
  const [isLifted, observes] = [
    ({ liftedBy }: Reason) => liftedBy !== undefined,
    ({ observed }: Reason) => observed ?? false,
  ];
  return (a, b) => {
    const byObservation = Number(observes(a)) - Number(observes(b));
    return Number(isLifted(a)) - Number(isLifted(b)) || (refused ? byObservation : 0) ||
      compareVerdicts(b.verdict, a.verdict) || byObservation;
  };
}
