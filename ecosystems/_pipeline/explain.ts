/** What `/-/why/…` is told: from cached facts only, so that asking neither touches upstream nor tells what is not cached. */
import { describe, describeWaived, newestAllowed } from "../../policy/explain.ts";
import { type Decision, type EpochMs, permits } from "../../policy/types.ts";
import type { DecisionRecord } from "../../storage/kv/decisions.ts";
import { formatPurl } from "../_shared/purl.ts";
import type { WhyAnswer, WhyQuery, WhyWithheld } from "../why.ts";
import { decideFor } from "./as_of.ts";
import { loadCached, packageKey } from "./load.ts";
import { examinedOf, speakingFile } from "./examined.ts";
import type { Known, Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";
import type { Verdicts } from "./verdicts.ts";
import { changesOf, rulesOf } from "./why_changes.ts";

const MAX_WITHHELD = 200;
const MAX_WAIVERS = 50;

/** null: nothing is cached of this package, or it has no such version. */
export async function explain(services: Services, query: WhyQuery): Promise<WhyAnswer | null> {
  const known = await cached(services, query);
  if (known === null) return null;
  const { organisation, ecosystem, at } = query;
  const now = services.clock();
  const verdicts = await decideFor(services, { known, organisation, ecosystem, at });
  const record = await recordOf(services, query);
  return query.version === null
    ? aboutPackage(query, verdicts, record, now)
    : aboutVersion(query, verdicts, record, now, query.version);
}

async function cached(services: Services, query: WhyQuery): Promise<Known | null> {
  const { ecosystem, name } = query;
  const upstream = upstreamOf(services, query, name);
  return upstream === null ? null : await loadCached(services, packageKey(ecosystem, upstream, name));
}

async function recordOf(services: Services, query: WhyQuery): Promise<DecisionRecord | null> {
  if (query.decisionId === null) return null;
  const record = await services.decisions.get(query.organisation.id, query.decisionId);
  return record !== null && record.ecosystem === query.ecosystem.id && record.name === query.name
    ? record
    : null;
}

function aboutVersion(
  query: WhyQuery,
  verdicts: Verdicts,
  record: DecisionRecord | null,
  now: EpochMs,
  version: string,
): WhyAnswer | null {
  const decision = verdicts.decisions.release(version);
  const release = verdicts.known.facts.releases.find((candidate) => candidate.version === version);
  if (decision === null || release === undefined) {
    return record === null ? null : aboutRecord(query, verdicts, record, now, version);
  }
  const filename = speakingFile(verdicts, version);
  const file = release.artifacts.find((each) => each.filename === filename);
  const published = file?.publishedAt;
  const seen = file === undefined ? null : verdicts.known.firstSeen?.of(file.filename) ?? null;
  return {
    ...common(query, verdicts, record, now),
    version,
    purl: formatPurl({ type: query.ecosystem.purlType, name: query.name, version }),
    verdict: decision.verdict,
    sentence: sentenceOf(query, verdicts, decision, now, version),
    reasons: decision.reasons,
    publishedAt: published?.known === true ? published.value.at : null,
    firstSeenAt: seen?.at ?? null,
    until: decision.horizon,
    withheld: [],
    rules: rulesOf(examinedOf(verdicts, now, { version, filename }), decision.reasons),
    file: filename === null ? null : { filename, of: release.artifacts.length },
  };
}

/** A version that was decided on and is not listed any more. */
function aboutRecord(
  query: WhyQuery,
  verdicts: Verdicts,
  record: DecisionRecord,
  now: EpochMs,
  version: string,
): WhyAnswer {
  return {
    ...aboutPackage(query, verdicts, record, now),
    version,
    purl: formatPurl({ type: query.ecosystem.purlType, name: query.name, version }),
    sentence: `${query.name} has no version ${version} any more.`,
    publishedAt: null,
    firstSeenAt: null,
    until: null,
    withheld: [],
  };
}

function sentenceOf(
  query: WhyQuery,
  verdicts: Verdicts,
  decision: Decision,
  now: EpochMs,
  version: string,
): string {
  const newest = newestAllowed(verdicts.known.facts, verdicts.decisions, query.ecosystem.versions);
  if (decision.reasons.length === 0) return `${query.name} ${version} is allowed.`;
  const waived = waivedSentence(query, decision, version);
  if (waived !== null) return waived;
  return describe({ decision, name: query.name, version, newestAllowed: newest, now }).sentence;
}

/** null: it is not a waiver that lets it through. */
function waivedSentence(
  { name, organisation }: WhyQuery,
  decision: Decision,
  version: string,
): string | null {
  if (!permits(decision) || decision.reasons.some(({ liftedBy }) => liftedBy === undefined)) return null;
  const lifted = decision.reasons.map(({ liftedBy }) => liftedBy);
  const waiver = organisation.waivers.find(({ id }) => lifted.includes(id));
  return waiver === undefined
    ? null
    : describeWaived({ name, version, until: waiver.until, reasons: decision.reasons });
}

function aboutPackage(
  query: WhyQuery,
  verdicts: Verdicts,
  record: DecisionRecord | null,
  now: EpochMs,
): WhyAnswer {
  const withheld = withheldNow(query, verdicts, now);
  const base = common(query, verdicts, record, now);
  const [count, verb] = withheld.length === 1 ? ["1 release", "is"] : [`${withheld.length} releases`, "are"];
  const newest = base.newestAllowed === null
    ? "No release is allowed."
    : `Newest allowed: ${base.newestAllowed}.`;
  return {
    ...base,
    version: null,
    purl: formatPurl({ type: query.ecosystem.purlType, name: query.name, version: null }),
    verdict: null,
    sentence: withheld.length === 0
      ? `Nothing of ${query.name} is withheld. ${newest}`
      : `${count} of ${query.name} ${verb} withheld. ${newest}`,
    reasons: [],
    publishedAt: null,
    firstSeenAt: verdicts.known.firstSeen?.packageAt ?? null,
    until: verdicts.decisions.horizon,
    withheld: withheld.slice(0, MAX_WITHHELD),
    rules: [],
    file: null,
  };
}

function withheldNow(query: WhyQuery, verdicts: Verdicts, now: EpochMs): readonly WhyWithheld[] {
  return verdicts.known.facts.releases.toReversed().flatMap(({ version }) => {
    const decision = verdicts.decisions.release(version);
    if (decision === null || permits(decision)) return [];
    const { reason, until } = describe({ decision, name: query.name, version, newestAllowed: null, now });
    return [{ version, verdict: decision.verdict, reason, until }];
  });
}

function common(query: WhyQuery, verdicts: Verdicts, record: DecisionRecord | null, now: EpochMs) {
  return {
    name: query.name,
    newestAllowed: newestAllowed(verdicts.known.facts, verdicts.decisions, query.ecosystem.versions),
    policyRevision: query.organisation.revision,
    asOf: query.at?.instant ?? null,
    decidedAt: now,
    record,
    // As of a past instant there is no "since".
    changes: record === null || query.at !== undefined ? null : changesOf(verdicts, record, now),
    waivers: query.organisation.waivers.filter(({ ecosystem, name, until }) =>
      ecosystem === query.ecosystem.id && name === query.name && now < until
    ).slice(0, MAX_WAIVERS),
  };
}
