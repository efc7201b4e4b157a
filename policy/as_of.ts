/** Decisions as of a past instant: what was not there yet, and how old the rest was. */
import type { Draft } from "./decision.ts";
import { formatInstant } from "./instant.ts";
import { ageOf, appearedAt, type Clocks } from "./rules/age.ts";
import type { Artifact, EpochMs } from "./types.ts";

/** What came later was not there: nothing lifts that, and `observe` does not let it through. */
export function notYetThere(artifact: Artifact, clocks: Clocks, asOf: EpochMs | null): readonly Draft[] {
  if (asOf === null) return [];
  const since = appearedAt(artifact, clocks);
  if (since <= asOf) return [];
  const age = ageOf(artifact, clocks);
  const came = age.dated && age.by === "published" ? "published" : "first seen here";
  const message = `${came} ${formatInstant(since)}, after the instant of this address`;
  return [{
    reason: { rule: "instant", verdict: "deny", message, horizon: null, since },
    source: "instant",
    lifter: null,
    turnsAt: null,
  }];
}

/** What a rule found with its clock at the instant, which stands still: no time lifts it, no time turns it. */
export function asOfDraft(draft: Draft): Draft {
  const { reason } = draft;
  if (reason.verdict !== "hold") return { ...draft, reason: { ...reason, horizon: null }, turnsAt: null };
  const message = `${reason.message}, as of the instant of this address`;
  return { ...draft, reason: { ...reason, verdict: "deny", message, horizon: null }, turnsAt: null };
}
