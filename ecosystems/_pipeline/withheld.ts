/** What is said of what an index leaves out. */
import { describe, newestAllowed } from "../../policy/explain.ts";
import type { Decision, Decisions, EpochMs, Release } from "../../policy/types.ts";
import { formatPurl } from "../_shared/purl.ts";
import type { RegistryRequest } from "../outcome.ts";
import { keepDecision } from "./refuse.ts";
import type { Services } from "./services.ts";
import { decisionId, type Verdicts } from "./verdicts.ts";

export const NOTHING_WITHHELD: WithheldNote = { decisionId: null, whyLink: null };

/** How many withheld releases a decision's record names. */
const NAMED_IN_RECORD = 50;

/** The id of what was decided and the page that tells of it; both null where nothing is withheld. */
export interface WithheldNote {
  readonly decisionId: string | null;
  readonly whyLink: string | null;
}

/** For a client's own notice channel: why the newest of what is withheld is, and where the rest is told. */
export function noticeOf(
  request: RegistryRequest,
  verdicts: Verdicts,
  withheld: readonly string[],
  now: EpochMs,
): string {
  const { ecosystem, site } = request;
  const { known, decisions } = verdicts;
  const name = known.key.name;
  const link = `${site}/-/why/${formatPurl({ type: ecosystem.purlType, name, version: null })}`;
  const [version] = withheld;
  const decision = version === undefined ? null : decisions.release(version);
  if (version === undefined || decision === null) return `Withheld by policy: ${link}`;
  const newest = newestAllowed(known.facts, decisions, ecosystem.versions);
  return `${describe({ decision, name, version, newestAllowed: newest, now }).sentence} ${link}`;
}

/** What was withheld (or, observing, would have been), as one decision with an id; written once, at render. */
export function noteWithheld(
  services: Services,
  request: RegistryRequest,
  verdicts: Verdicts,
): WithheldNote {
  const { known, decisions } = verdicts;
  const withheld = known.facts.releases.flatMap((release) => {
    const decision = withheldOf(release, decisions);
    return decision === null ? [] : [{ version: release.version, decision }];
  });
  if (withheld.length === 0) return NOTHING_WITHHELD;
  const id = decisionId(
    verdicts,
    "index",
    withheld.map(({ version, decision }) => [version, decision] as const),
  );
  // As of a past instant nearly everything withholds something, and the page of that instant tells it.
  if (verdicts.asOf === null) {
    keepDecision(services, verdicts, {
      id,
      version: null,
      filename: null,
      decision: null,
      withheld: withheld.slice(-NAMED_IN_RECORD),
      withheldCount: withheld.length,
    });
  }
  const purl = formatPurl({ type: request.ecosystem.purlType, name: known.key.name, version: null });
  return { decisionId: id, whyLink: `${request.site}/-/why/${purl}?decision=${id}` };
}

/** The first of a release's files that the policy does not let through: one may join an old release years later. */
function withheldOf(release: Release, decisions: Decisions): Decision | null {
  const decided = release.artifacts.length === 0
    ? [decisions.release(release.version)]
    : release.artifacts.map(({ filename }) => decisions.artifact(filename));
  return decided.find((decision) => {
    return decision?.enforcedVerdict === "hold" || decision?.enforcedVerdict === "deny";
  }) ?? null;
}
