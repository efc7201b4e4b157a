/** `/-/why/{purl}`: why something is refused, from cached facts, for callers who could read that package's index. */
import type { EpochMs, Reason, Verdict } from "../policy/types.ts";
import type { WhyAnswer } from "../ecosystems/why.ts";
import type { DecisionRecord } from "../storage/kv/decisions.ts";
import { jsonPage, textPage } from "./page.tsx";
import { oneLine, preferredForm } from "./text.ts";

const SHOWN_WITHHELD = 50;

/** What a verdict is called in a sentence. */
const WORDS: Readonly<Record<Verdict, string>> = {
  allow: "allowed",
  warn: "allowed, with a warning",
  hold: "held",
  deny: "denied",
};

/**
 * 200 for a person who asks. A client that followed a refusal's redirect gets 403, and the sentence as JSON's
 * `error` too: what it was refused must not end as a success.
 */
export function whyPage(answer: WhyAnswer, options: {
  readonly accept: string | null;
  readonly format: string | null;
  readonly isSpeaking: boolean;
}): Response {
  const status = options.isSpeaking ? 403 : 200;
  const isJson = options.format === "json" ||
    (options.format === null && preferredForm(options.accept) === "json");
  return isJson ? jsonPage(whyJson(answer, options.isSpeaking), status) : textPage(whyText(answer), status);
}

function whyJson(answer: WhyAnswer, isSpeaking: boolean): unknown {
  return {
    ...(isSpeaking ? { error: answer.sentence } : {}),
    purl: answer.purl,
    name: answer.name,
    version: answer.version,
    verdict: answer.verdict,
    sentence: answer.sentence,
    reasons: answer.reasons.map(reasonJson),
    publishedAt: instant(answer.publishedAt),
    firstSeenAt: instant(answer.firstSeenAt),
    until: instant(answer.until),
    newestAllowed: answer.newestAllowed,
    withheld: answer.withheld.map(({ version, verdict, reason, until }) => ({
      version,
      verdict,
      reason: reasonJson(reason),
      until: instant(until),
    })),
    policyRevision: answer.policyRevision,
    asOf: instant(answer.asOf),
    decidedAt: instant(answer.decidedAt),
    decision: answer.record === null ? null : recordJson(answer.record),
  };
}

function reasonJson(reason: Reason): unknown {
  return { ...reason, horizon: instant(reason.horizon) };
}

function recordJson(record: DecisionRecord): unknown {
  return {
    id: record.id,
    decidedAt: instant(record.decidedAt),
    policyRevision: record.policyRevision,
    factsDigest: record.factsDigest,
    version: record.version,
    filename: record.filename,
    verdict: record.decision?.verdict ?? null,
    reasons: record.decision?.reasons.map(reasonJson) ?? [],
    withheldCount: record.withheldCount,
    withheld: record.withheld.map(({ version, decision }) => ({
      version,
      verdict: decision.verdict,
      reasons: decision.reasons.map(reasonJson),
    })),
  };
}

function whyText(answer: WhyAnswer): string {
  const facts: readonly (readonly [string, string | null])[] = [
    ["Package", answer.purl],
    ["Verdict", answer.verdict === null ? null : WORDS[answer.verdict]],
    ["Lifts", instant(answer.until)],
    ["Published", instant(answer.publishedAt)],
    ["First seen", instant(answer.firstSeenAt)],
    ["Newest allowed", answer.newestAllowed],
    ["As of", instant(answer.asOf)],
    ["Decided", `${instant(answer.decidedAt)}, policy revision ${answer.policyRevision}`],
  ];
  return [
    oneLine(answer.sentence, 2_000),
    "",
    ...facts.filter(([, value]) => value !== null).map(([label, value]) =>
      `${label.padEnd(15)} ${oneLine(value!)}`
    ),
    ...section("What each rule found", answer.reasons.map(reasonText)),
    ...section(answer.asOf === null ? "Withheld now" : "Withheld as of then", withheldText(answer)),
    ...(answer.record === null ? [] : recordText(answer.record)),
  ].join("\n");
}

function withheldText(answer: WhyAnswer): readonly string[] {
  const lines = answer.withheld.slice(0, SHOWN_WITHHELD).map(({ version, reason }) =>
    `${oneLine(version, 128)}  ${reasonText(reason)}`
  );
  const hidden = answer.withheld.length - lines.length;
  return hidden > 0 ? [...lines, `and ${hidden} more`] : lines;
}

function recordText(record: DecisionRecord): readonly string[] {
  const about = record.version === null ? `the index, ${record.withheldCount} withheld` : record.version;
  const found = record.decision?.reasons.map(reasonText) ??
    record.withheld.slice(0, SHOWN_WITHHELD).map(({ version, decision }) =>
      `${oneLine(version, 128)}  ${decision.reasons.map(reasonText).join("; ")}`
    );
  const title = `Decision ${record.id} of ${
    instant(record.decidedAt)
  }, policy revision ${record.policyRevision}: ${about}`;
  return section(oneLine(title), found);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

function reasonText(reason: Reason): string {
  const notes = [
    reason.horizon === null ? null : `until ${instant(reason.horizon)}`,
    reason.observed === true ? "observed only" : null,
    reason.liftedBy === undefined ? null : `lifted by ${reason.liftedBy}`,
    reason.owner === undefined ? null : `owner ${reason.owner}`,
  ].filter((note) => note !== null);
  const suffix = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return oneLine(`${WORDS[reason.verdict]} by ${reason.rule}: ${reason.message}${suffix}`, 1_000);
}

/** ISO 8601 in UTC, to the second; null stays null. */
function instant(at: EpochMs | null): string | null {
  return at === null ? null : new Date(at).toISOString().replace(".000Z", "Z");
}
