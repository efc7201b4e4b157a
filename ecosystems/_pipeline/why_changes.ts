/** What has become of a decision: its record held against what would be decided now. */
import { compareVerdicts } from "../../policy/decision.ts";
import type { Decision, EpochMs, Examined, Reason, Verdict } from "../../policy/types.ts";
import type { DecisionRecord } from "../../storage/kv/decisions.ts";
import type { RuleChange, WhyChanges, WhyRule } from "../why.ts";
import { examinedOf } from "./examined.ts";
import type { Verdicts } from "./verdicts.ts";

type Said = Omit<WhyRule, "rule">;

/** Every rule with what it found, in the order in which they are shown; then what else there was (a block, a freeze). */
export function rulesOf(examined: readonly Examined[], reasons: readonly Reason[]): readonly WhyRule[] {
  const known = new Set(examined.map(({ rule }) => rule));
  const others = [...new Set(reasons.map(({ rule }) => rule))].filter((rule) => !known.has(rule));
  const unlisted = others.map((rule): Examined => ({ rule, setting: "", facts: [] }));
  return [...unlisted, ...examined].map((each) => ({
    ...each,
    found: reasons.filter(({ rule }) => rule === each.rule),
  }));
}

export function changesOf(verdicts: Verdicts, record: DecisionRecord, now: EpochMs): WhyChanges {
  const { organisation, known, decisions } = verdicts;
  const decided = record.filename !== null
    ? decisions.artifact(record.filename)
    : record.version !== null
    ? decisions.release(record.version)
    : null;
  const versions = record.version === null ? versionsOf(verdicts, record) : [];
  return {
    verdict: record.version === null ? worstOf(versions) : decided?.verdict ?? null,
    policyRevision: organisation.revision,
    isPolicyChanged: record.stamp === undefined
      ? record.policyRevision !== organisation.revision
      : record.stamp !== organisation.stamp,
    isFactsChanged: record.factsDigest !== known.record.factsDigest,
    rules: record.version === null
      ? []
      : ruleChanges(verdicts, { ...record, version: record.version }, decided, now),
    versions: versions.filter(({ before, now }) => before !== now),
  };
}

function versionsOf({ decisions }: Verdicts, { withheld }: DecisionRecord): WhyChanges["versions"] {
  return withheld.map(({ version, decision }) => ({
    version,
    before: decision.verdict,
    now: decisions.release(version)?.verdict ?? null,
  }));
}

function worstOf(versions: WhyChanges["versions"]): Verdict {
  return versions.reduce<Verdict>(
    (worst, { now }) => now !== null && compareVerdicts(now, worst) > 0 ? now : worst,
    "allow",
  );
}

function ruleChanges(
  verdicts: Verdicts,
  record: DecisionRecord & { readonly version: string },
  decided: Decision | null,
  now: EpochMs,
): readonly RuleChange[] {
  const then = byRule(rulesOf(record.examined ?? [], record.decision?.reasons ?? []));
  const today = byRule(decided === null ? [] : rulesOf(examinedOf(verdicts, now, record), decided.reasons));
  const rules = [...new Set([...then.keys(), ...today.keys()])];
  return rules.flatMap((rule) => {
    const change = { rule, before: then.get(rule) ?? null, now: today.get(rule) ?? null };
    return isSame(change, record.examined !== undefined) ? [] : [change];
  });
}

function byRule(rules: readonly WhyRule[]): ReadonlyMap<string, Said> {
  return new Map(rules.map(({ rule, ...said }) => [rule, said]));
}

/** Of an older record nothing is known but what was found. */
function isSame({ before, now }: RuleChange, hasFacts: boolean): boolean {
  const [then, today] = [before, now].map((said) =>
    JSON.stringify([
      said?.found.map(({ verdict, message, liftedBy, observed }) => [verdict, message, liftedBy, observed]) ??
        [],
      hasFacts ? [said?.setting ?? "", said?.facts ?? []] : null,
    ])
  );
  return then === today;
}
