/** What each rule looked at: a file's facts and the policy's setting, in words that are kept with a decision. */
import type { RuleId, RuleSettings } from "./documents.ts";
import { durationInWords } from "./duration.ts";
import { formatInstant } from "./instant.ts";
import type { RuleContext } from "./rules/rule.ts";
import type { Artifact, EpochMs, Examined, ExaminedFact, Fact, Finding, TrustLevel } from "./types.ts";

const LONGEST = 300;
/** The last instant that a Date can hold. */
const LAST_INSTANT = 8_640_000_000_000_000;
const TRUST: Readonly<Record<TrustLevel, string>> = {
  "trusted-publisher": "by a trusted publisher",
  provenance: "with provenance",
  none: "with neither trusted publisher nor provenance",
};
const UNKNOWN: Readonly<Record<Extract<Fact<unknown>, { known: false }>["why"], string>> = {
  absent: "the registry does not say",
  malformed: "what the registry says cannot be read",
  unsupported: "this registry has no such thing",
};

/** In the order in which the rules are shown. */
export function examine(artifact: Artifact, context: RuleContext): readonly Examined[] {
  const { settings, release } = context;
  const published = { what: "published", value: publishedText(artifact) };
  const seen = { what: "first seen here", value: seenText(artifact, context) };
  const settingsText = settingTexts(settings);
  const facts: Readonly<Record<RuleId, readonly ExaminedFact[]>> = {
    yanked: [{ what: "yanked", value: factText(artifact.yanked, (yanked) => yanked ? "yes" : "no") }],
    publisherDowngrade: [
      published,
      { what: "how", value: factText(artifact.trust, (trust) => TRUST[trust]) },
      { what: "by", value: factText(release.publisher, (name) => name) },
    ],
    minimumAge: [published, seen],
    unknownAge: [published, seen],
    deprecated: [{
      what: "deprecated",
      value: factText(release.deprecated, (text) => text === false || text === "" ? "no" : `yes: ${text}`),
    }],
  };
  const ids = Object.keys(facts) as RuleId[];
  return ids.map((rule) => ({ rule, setting: settingsText[rule], facts: facts[rule] }));
}

function settingTexts(settings: RuleSettings): Readonly<Record<RuleId, string>> {
  const observing = (rule: RuleId, text: string) =>
    settings.observe.includes(rule) ? `${text}, observed only` : text;
  const { minimumAge, unknownAge, yanked, deprecated, publisherDowngrade } = settings;
  const age = durationInWords(minimumAge);
  return {
    yanked: observing("yanked", VERDICTS[yanked]),
    publisherDowngrade: observing("publisherDowngrade", VERDICTS[publisherDowngrade.verdict]),
    minimumAge: observing("minimumAge", age),
    unknownAge: observing("unknownAge", `${unknownAge}, minimum age ${age}`),
    deprecated: observing("deprecated", VERDICTS[deprecated]),
  };
}

const VERDICTS: Readonly<Record<Exclude<Finding["verdict"], "hold">, string>> = {
  allow: "off",
  warn: "warn",
  deny: "deny",
};

function publishedText({ publishedAt }: Artifact): string {
  return factText(publishedAt, ({ at, clock }) => `${instantText(at)}, by the ${clock}'s clock`);
}

/** A fact may be anything: this must not throw. */
function instantText(at: number): string {
  return Math.abs(at) <= LAST_INSTANT ? formatInstant(Math.trunc(at) as EpochMs) : "at no time that there is";
}

function seenText({ filename }: Artifact, context: RuleContext): string {
  const seen = context.firstSeen(filename);
  if (seen === null) return "never before";
  return `${formatInstant(seen.at)}${seen.original ? ", with its package" : ""}`;
}

/** Upstream's words: one line, bounded, well-formed. */
function factText<T>(fact: Fact<T>, words: (value: T) => string): string {
  const text = fact.known ? words(fact.value) : UNKNOWN[fact.why];
  const line = text.slice(0, 2 * LONGEST).replace(/\s+/g, " ").trim();
  return (line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 3)}...`).toWellFormed();
}
