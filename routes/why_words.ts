/** What is said on why pages of rules, verdicts and requests, in every form of the page. */
import type { WhyAnswer } from "../ecosystems/why.ts";
import { formatInstant, formatInstantUp } from "../policy/instant.ts";
import type { EpochMs, Reason, Verdict } from "../policy/types.ts";
import { DECISIONS_KEPT_DAYS } from "../storage/kv/decisions.ts";
import type { WaiverRequest } from "../storage/waivers.ts";
import { oneLine } from "./text.ts";

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

/** `2026-11-30 09:00 UTC`: cut off, of what has been, and of what is allowed until then. */
export function minute(at: EpochMs): string {
  return spaced(formatInstant(at));
}

/** `2026-11-30 09:01 UTC`: rounded up as sentences have it, of when something lifts: nobody comes back too early. */
export function minuteUp(at: EpochMs): string {
  return spaced(formatInstantUp(at));
}

function spaced(text: string): string {
  return text.replace("T", " ").replace("Z", " UTC");
}

/** What becomes of the verdict at `until`, by time alone. */
export type Turn = "next" | "lifts" | "waiver-ends" | "changes";

export function turnOf({ verdict, until, reasons, waivers }: WhyAnswer): Turn {
  if (verdict === null) return "next";
  if (verdict === "hold" || verdict === "deny") return "lifts";
  const isWaived = waivers.some((waiver) =>
    waiver.until === until && reasons.some(({ liftedBy }) => liftedBy === waiver.id)
  );
  return isWaived ? "waiver-ends" : "changes";
}

/** Of an id in the address that leads to no record that may be shown here; `answer`: what is told in its place. */
export function missingSentence(id: string, answer: WhyAnswer | null): string {
  const instead = answer === null
    ? ""
    : ` This is how it is decided ${answer.asOf === null ? "now" : "as of then"}.`;
  const quoted = JSON.stringify(oneLine(id, 60));
  return `There is no record of decision ${quoted}, or none any more: it is kept for ${DECISIONS_KEPT_DAYS} days.${instead}`;
}

/** Something of it is refused, of which an exception may be asked for. */
export function isRefused({ version, verdict, withheld }: WhyAnswer): boolean {
  return version === null ? withheld.length > 0 : verdict === "hold" || verdict === "deny";
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
