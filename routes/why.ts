/** `/-/why/{purl}` for programs and terminals: why something is refused, as JSON and as text. */
import type { Examined, Reason } from "../policy/types.ts";
import type { RuleChange, WhyAnswer, WhyRule } from "../ecosystems/why.ts";
import type { DecisionRecord } from "../storage/kv/decisions.ts";
import type { WaiverRequest } from "../storage/waivers.ts";
import { jsonPage, textPage } from "./page.tsx";
import { oneLine } from "./text.ts";
import {
  answerText,
  changeSentences,
  instant,
  isRefused,
  missingSentence,
  notesOf,
  type Turn,
  turnOf,
  VERDICTS,
} from "./why_words.ts";

const SHOWN_WITHHELD = 50;

/** An answer, and what was asked of this package's exceptions. */
export interface WhyShown {
  readonly answer: WhyAnswer;
  /** The newest first. */
  readonly requests: readonly WaiverRequest[];
  /** The decision id in the address that has no record, as it stands there; null: it has one, or there is none. */
  readonly missing: string | null;
  /** What precedes `/-/why/…`, no trailing slash. */
  readonly site: string;
}

const TURNS: Readonly<Record<Turn, string>> = {
  next: "Next change",
  lifts: "Lifts",
  "waiver-ends": "Waiver ends",
  changes: "Changes",
};

/**
 * 200 for a person who asks. A client that followed a refusal's redirect gets 403, and the sentence as JSON's
 * `error` too: what it was refused must not end as a success.
 */
export function whyPage(shown: WhyShown, options: {
  readonly form: "json" | "text";
  readonly isSpeaking: boolean;
}): Response {
  const status = options.isSpeaking ? 403 : 200;
  return options.form === "json"
    ? jsonPage(whyJson(shown, options.isSpeaking), status)
    : textPage(whyText(shown), status);
}

function whyJson({ answer, requests, missing }: WhyShown, isSpeaking: boolean): unknown {
  return {
    ...(isSpeaking ? { error: answer.sentence } : {}),
    purl: answer.purl,
    name: answer.name,
    version: answer.version,
    verdict: answer.verdict,
    sentence: answer.sentence,
    reasons: answer.reasons.map(reasonJson),
    rules: answer.rules.map(({ rule, ...said }) => ({ rule, ...saidJson(said) })),
    file: answer.file,
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
    waivers: answer.waivers.map(({ id, version, range = null, owner, until }) => ({
      id,
      version,
      range,
      owner,
      until: instant(until),
    })),
    requests: requests.map(requestJson),
    policyRevision: answer.policyRevision,
    asOf: instant(answer.asOf),
    decidedAt: instant(answer.decidedAt),
    decision: answer.record === null ? null : recordJson(answer.record),
    decisionMissing: missing === null ? null : missingSentence(missing, answer),
    changes: answer.changes === null ? null : {
      ...answer.changes,
      rules: answer.changes.rules.map(changeJson),
    },
  };
}

function reasonJson(reason: Reason): unknown {
  const { since } = reason;
  return {
    ...reason,
    horizon: instant(reason.horizon),
    ...(since === undefined ? {} : { since: instant(since) }),
  };
}

function saidJson({ setting, facts, found }: Omit<WhyRule, "rule">) {
  return { setting, facts, found: found.map(reasonJson) };
}

function changeJson({ rule, before, now }: RuleChange): unknown {
  return {
    rule,
    before: before === null ? null : saidJson(before),
    now: now === null ? null : saidJson(now),
  };
}

/** Not why they asked, nor from where: that is for those who answer. */
function requestJson({ id, version, range, until, asker, askedAt, answer }: WaiverRequest): unknown {
  return {
    id,
    version,
    range,
    until: instant(until),
    askedBy: asker.user,
    isVerified: asker.isVerified,
    askedAt: instant(askedAt),
    answer: answer === null ? null : {
      granted: answer.granted,
      by: answer.by,
      at: instant(answer.at),
      word: answer.word,
      until: answer.waiver === null ? null : instant(answer.waiver.until),
    },
  };
}

function recordJson(record: DecisionRecord): unknown {
  return {
    id: record.id,
    firstMadeAt: instant(record.decidedAt),
    policyRevision: record.policyRevision,
    factsDigest: record.factsDigest,
    version: record.version,
    filename: record.filename,
    verdict: record.decision?.verdict ?? null,
    reasons: record.decision?.reasons.map(reasonJson) ?? [],
    facts: record.examined ?? [],
    withheldCount: record.withheldCount,
    withheld: record.withheld.map(({ version, decision }) => ({
      version,
      verdict: decision.verdict,
      reasons: decision.reasons.map(reasonJson),
    })),
  };
}

function whyText({ answer, requests, missing, site }: WhyShown): string {
  const facts: readonly (readonly [string, string | null])[] = [
    ["Package", answer.purl],
    ["Verdict", answer.verdict === null ? null : VERDICTS[answer.verdict]],
    [TURNS[turnOf(answer)], instant(answer.until)],
    ["Published", instant(answer.publishedAt)],
    ["First seen", instant(answer.firstSeenAt)],
    ["Newest allowed", answer.newestAllowed],
    ["As of", instant(answer.asOf)],
    ["Decided", `${instant(answer.decidedAt)}, policy revision ${answer.policyRevision}`],
  ];
  return [
    oneLine(answer.sentence, 2_000),
    ...(missing === null ? [] : [missingSentence(missing, answer)]),
    "",
    ...facts.filter(([, value]) => value !== null).map(([label, value]) =>
      `${label.padEnd(15)} ${oneLine(value!)}`
    ),
    ...(isRefused(answer) && answer.asOf === null
      ? ["", `Ask for an exception: ${site}/-/why/${answer.purl.replaceAll("%40", "@")}#ask`]
      : []),
    ...section("What each rule found", answer.reasons.map(reasonText)),
    ...section("What they looked at", answer.rules.filter(({ facts }) => facts.length > 0).map(examinedText)),
    ...section(answer.asOf === null ? "Withheld now" : "Withheld as of then", withheldText(answer)),
    ...section("Exceptions that were asked for", requests.map(requestText)),
    ...(answer.record === null ? [] : recordText(answer.record)),
    ...section("Since then", sinceText(answer)),
  ].join("\n");
}

function withheldText(answer: WhyAnswer): readonly string[] {
  const lines = answer.withheld.slice(0, SHOWN_WITHHELD).map(({ version, reason }) =>
    `${oneLine(version, 128)}  ${reasonText(reason)}`
  );
  const hidden = answer.withheld.length - lines.length;
  return hidden > 0 ? [...lines, `and ${hidden} more`] : lines;
}

function requestText(request: WaiverRequest): string {
  const { version, range, asker, askedAt, answer } = request;
  const who = asker.user === null ? "somebody" : asker.isVerified ? asker.user : `${asker.user} (unverified)`;
  const word = answer?.word === null || answer?.word === undefined ? "" : `: ${answer.word}`;
  const what = version ?? range ?? "";
  return oneLine(`${what}  asked for by ${who} on ${instant(askedAt)}, ${answerText(request)}${word}`, 1_500);
}

function recordText(record: DecisionRecord): readonly string[] {
  const about = record.version === null ? `the index, ${record.withheldCount} withheld` : record.version;
  const found = record.decision?.reasons.map(reasonText) ??
    record.withheld.slice(0, SHOWN_WITHHELD).map(({ version, decision }) =>
      `${oneLine(version, 128)}  ${decision.reasons.map(reasonText).join("; ")}`
    );
  const title = `Decision ${record.id}, first made at ${
    instant(record.decidedAt)
  }, policy revision ${record.policyRevision}: ${about}`;
  return section(oneLine(title), [...found, ...(record.examined ?? []).map(examinedText)]);
}

function sinceText(answer: WhyAnswer): readonly string[] {
  const { changes } = answer;
  if (changes === null) return [];
  return [
    ...changeSentences(answer),
    ...changes.rules.map(({ rule, before, now }) =>
      oneLine(`${rule}: ${foundText(before)}; now ${foundText(now)}`, 1_000)
    ),
    ...changes.versions.slice(0, SHOWN_WITHHELD).map(({ version, before, now }) =>
      oneLine(
        `${version}: was ${VERDICTS[before]}, ${now === null ? "is not listed" : `is ${VERDICTS[now]}`}`,
      )
    ),
  ];
}

function foundText(said: Omit<WhyRule, "rule"> | null): string {
  if (said === null || said.found.length === 0) {
    return `nothing${said === null || said.setting === "" ? "" : ` (${said.setting})`}`;
  }
  return said.found.map(reasonText).join(", ");
}

function examinedText({ rule, setting, facts }: Examined): string {
  const words = facts.map(({ what, value }) => `${what}: ${value}`).join("; ");
  return oneLine(`${rule} (${setting}): ${words}`, 1_500);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

function reasonText(reason: Reason): string {
  const notes = notesOf(reason);
  const suffix = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return oneLine(`${VERDICTS[reason.verdict]} by ${reason.rule}: ${reason.message}${suffix}`, 1_000);
}
