/** What is said on why pages of rules, verdicts and requests, in every form of the page. */
import type { WhyAnswer } from "../ecosystems/why.ts";
import type { EpochMs, Reason, Verdict } from "../policy/types.ts";
import type { WaiverRequest } from "../storage/waivers.ts";

/** What a verdict is called in a sentence. */
export const VERDICTS: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  warn: "allowed, with a warning",
  hold: "held",
  deny: "denied",
};

const RULES: Readonly<Record<string, string>> = {
  minimumAge: "Minimum age",
  unknownAge: "Unknown age",
  yanked: "Yanked",
  deprecated: "Deprecated",
  publisherDowngrade: "Publisher downgrade",
  override: "The organisation's own lists",
  floor: "The instance's floor",
  freeze: "Freeze",
  instant: "As of that time",
};

/** What a rule is called; its id where it has no other name. */
export function ruleTitle(rule: string): string {
  return Object.hasOwn(RULES, rule) ? RULES[rule]! : rule;
}

/** ISO 8601 in UTC, to the second; null stays null. */
export function instant(at: EpochMs): string;
export function instant(at: EpochMs | null): string | null;
export function instant(at: EpochMs | null): string | null {
  return at === null ? null : new Date(at).toISOString().replace(".000Z", "Z");
}

/** `2026-11-30 09:00 UTC`. */
export function minute(at: EpochMs): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What became of a finding: `observed only`, `lifted by w-1`. */
export function notesOf(reason: Reason): readonly string[] {
  return [
    reason.horizon === null ? null : `until ${instant(reason.horizon)}`,
    reason.observed === true ? "observed only" : null,
    reason.liftedBy === undefined ? null : `lifted by ${reason.liftedBy}`,
    reason.owner === undefined ? null : `owner ${reason.owner}`,
  ].filter((note) => note !== null);
}

/** `granted until 2026-12-01T00:00:00Z by bob`; the word back is not in it. */
export function answerText({ answer, lapsesAt }: WaiverRequest): string {
  if (answer === null) return `waits for an answer until ${instant(lapsesAt)}`;
  if (answer.waiver === null) return `declined by ${answer.by}`;
  return `granted by ${answer.by} until ${instant(answer.waiver.until)}`;
}

/** What has changed since a decision, in sentences. */
export function changeSentences({ record, changes }: WhyAnswer): readonly string[] {
  if (record === null || changes === null) return [];
  const { isPolicyChanged, isFactsChanged, policyRevision, verdict } = changes;
  const before = record.decision?.verdict ?? (record.withheldCount > 0 ? "hold" : "allow");
  const policy = !isPolicyChanged
    ? `The policy is what it was (revision ${policyRevision}).`
    : policyRevision === record.policyRevision
    ? `Waivers, freezes or the instance's floor have changed; the policy itself is still revision ${policyRevision}.`
    : `The policy has changed: revision ${policyRevision} now, ${record.policyRevision} then.`;
  const facts = isFactsChanged
    ? "What the registry says of this package has changed."
    : "What the registry says of this package has not changed.";
  const now = record.version === null
    ? null
    : verdict === null
    ? "It is not listed any more."
    : verdict === before
    ? `It is still ${VERDICTS[verdict]}.`
    : `It was ${VERDICTS[before]} and is ${VERDICTS[verdict]} now.`;
  return [now, policy, facts].filter((sentence) => sentence !== null);
}
