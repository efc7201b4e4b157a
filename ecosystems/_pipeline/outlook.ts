/** What a waiver would be about: from cached facts only, so that asking for one neither fetches nor tells anything. */
import { describe } from "../../policy/explain.ts";
import {
  type Decision,
  type EpochMs,
  permits,
  type Reason,
  type Release,
  type Verdict,
} from "../../policy/types.ts";
import { coverage, isLiftable, liftsFor } from "../../policy/waivers.ts";
import type { OutlookQuery, WaiverOutlook } from "../why.ts";
import { decideFor } from "./as_of.ts";
import { loadCached, packageKey } from "./load.ts";
import type { Services } from "./services.ts";
import { upstreamOf } from "./upstream.ts";
import type { Verdicts } from "./verdicts.ts";

/** Named of what is withheld. */
const MAX_NAMED = 20;

interface Refused {
  readonly version: string;
  readonly decision: Decision;
}

/** null: nothing is cached of this package. */
export async function outlook(services: Services, query: OutlookQuery): Promise<WaiverOutlook | null> {
  const { organisation, ecosystem, name, version, range } = query;
  const upstream = upstreamOf(services, query, name);
  const known = upstream === null ? null : await loadCached(services, packageKey(ecosystem, upstream, name));
  if (known === null) return null;
  const verdicts = await decideFor(services, { known, organisation, ecosystem });
  const now = services.clock();
  const covers = coverage({ version, range }, ecosystem);
  const covered = known.facts.releases.toReversed().filter((release) => covers(release.version));
  const refused = covered.flatMap((release) => refusedOf(verdicts, release));
  const named = refused.slice(0, MAX_NAMED).map(({ version, decision }) => {
    const { sentence, until } = describe({ decision, name, version, newestAllowed: null, now });
    return { version, verdict: decision.verdict as Verdict, sentence: plain(sentence), until };
  });
  const reasons = refused.flatMap(({ decision }) => decision.reasons);
  return {
    covered: covered.length,
    refused: refused.length,
    named,
    maturesAt: lastHold(verdicts, covered, now),
    lifts: liftsFor(reasons),
    isLiftable: refused.length === 0 || refused.some(({ decision }) => isLiftable(decision.reasons)),
  };
}

/** The first of its files that is refused: a release is let in as long as one of them is. */
function refusedOf(verdicts: Verdicts, release: Release): readonly Refused[] {
  const decision = decidedOn(verdicts, release).find((each) => !permits(each));
  return decision === undefined ? [] : [{ version: release.version, decision }];
}

function decidedOn({ decisions }: Verdicts, { version, artifacts }: Release): readonly Decision[] {
  const decided = artifacts.length === 0
    ? [decisions.release(version)]
    : artifacts.map(({ filename }) => decisions.artifact(filename));
  return decided.filter((decision) => decision !== null);
}

/** When the last hold on any of their files lifts by itself; null: nothing is held that time alone lifts. */
function lastHold(verdicts: Verdicts, releases: readonly Release[], now: EpochMs): EpochMs | null {
  const holds = releases.flatMap((release) => decidedOn(verdicts, release)).flatMap(({ reasons }) =>
    reasons.filter(isStandingHold)
  );
  return holds.reduce<EpochMs | null>(
    (last, { horizon }) =>
      horizon !== null && horizon > now && (last === null || horizon > last) ? horizon : last,
    null,
  );
}

function isStandingHold({ verdict, liftedBy, observed }: Reason): boolean {
  return verdict === "hold" && liftedBy === undefined && observed !== true;
}

/** Without what may be had instead, which the page says once. */
function plain(sentence: string): string {
  return sentence.replace(/ No release is allowed\.$/, "");
}
