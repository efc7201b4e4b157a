/** Everything that is said about a refusal: the explanation, its record, and the notices. */
import { describe, newestAllowed, speakingSegment } from "../../policy/explain.ts";
import type { Decision, EpochMs } from "../../policy/types.ts";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { DecisionRecord } from "../../storage/kv/decisions.ts";
import { formatPurl } from "../_shared/purl.ts";
import type { Ask, Explanation } from "../ecosystem.ts";
import type { Outcome, RegistryRequest, Trace } from "../outcome.ts";
import { PLAIN_TRACE } from "./answers.ts";
import { examinedOf } from "./examined.ts";
import { installRecord } from "./record.ts";
import type { Services } from "./services.ts";
import { decisionId, type Verdicts } from "./verdicts.ts";

export interface Refused {
  readonly ask: Ask;
  readonly version: string;
  /** null: a release was refused, not a file. */
  readonly filename: string | null;
  readonly decision: Decision;
}

/** The words and the links for one refusal. */
export function explainRefusal(
  request: RegistryRequest,
  verdicts: Verdicts,
  refused: Refused,
  now: EpochMs,
): Explanation {
  const { ecosystem, site } = request;
  const { version, filename, decision } = refused;
  const name = verdicts.known.key.name;
  const newest = newestAllowed(verdicts.known.facts, verdicts.decisions, ecosystem.versions);
  const described = describe({ decision, name, version, newestAllowed: newest, now });
  const id = decisionId(verdicts, filename ?? version, [[filename ?? version, decision]]);
  const purl = formatPurl({ type: ecosystem.purlType, name, version });
  const why = `${site}/-/why/${purl}`;
  return {
    ecosystem: ecosystem.id,
    purl,
    name,
    version,
    filename,
    decision,
    ...described,
    newestAllowed: newest,
    decisionId: id,
    link: `${why}?decision=${id}`,
    // uv takes what stands before an "@" for a user and a password, and does not go there.
    speakingLink: `${site}/-/why/${purl.replaceAll("@", "%40")}/${speakingSegment(decision)}`,
  };
}

/** Refuses: the record is durable before the answer leaves, the notice goes out behind it. HEAD asks leave no trace. */
export async function refuse(
  services: Services,
  request: RegistryRequest,
  verdicts: Verdicts,
  refused: Refused,
): Promise<Outcome> {
  const now = services.clock();
  const explanation = explainRefusal(request, verdicts, refused, now);
  if (request.request.method !== "HEAD") {
    keepDecision(services, verdicts, { ...refused, id: explanation.decisionId });
    if (refused.filename !== null) await recordRefusal(services, request, refused, explanation);
  }
  const refusal = request.ecosystem.refuse(refused.ask, explanation, request.caller.client);
  return { kind: "refused", refusal, trace: refusalTrace(explanation) };
}

function refusalTrace(explanation: Explanation): Trace {
  return {
    ...PLAIN_TRACE,
    detail: "refused",
    decisionId: explanation.decisionId,
    whyLink: explanation.link,
  };
}

async function recordRefusal(
  services: Services,
  request: RegistryRequest,
  refused: Refused,
  explanation: Explanation,
): Promise<void> {
  const record = installRecord(services, request, {
    name: explanation.name,
    version: refused.version,
    filename: refused.filename ?? "",
    decision: refused.decision,
    decisionId: explanation.decisionId,
    outcome: "refused",
    sha256: null,
    bytes: 0,
    cache: "none",
  });
  await services.installs.append(record);
  notify(services, record, explanation);
}

/** Tells the webhooks of a file that would have been refused if its rule were enforced. */
export function notifyObserved(
  services: Services,
  request: RegistryRequest,
  verdicts: Verdicts,
  observed: Refused & { readonly record: InstallRecord },
): void {
  if (observed.record.outcome !== "observed") return;
  notify(services, observed.record, explainRefusal(request, verdicts, observed, services.clock()));
}

function notify(services: Services, record: InstallRecord, explanation: Explanation): void {
  services.refused({
    event: record.outcome === "observed" ? "observed" : "refused",
    organisation: record.organisation,
    user: record.user,
    address: record.address,
    client: record.client,
    ecosystem: record.ecosystem,
    package: record.package,
    version: record.version,
    file: record.file,
    rule: explanation.reason.rule,
    sentence: explanation.sentence,
    until: explanation.until,
    link: explanation.link,
    decisionId: explanation.decisionId,
    at: record.at,
  });
}

/** Writes the record that a decision's id leads to; behind the answer, since only the id is promised with it. */
export function keepDecision(services: Services, verdicts: Verdicts, decided: {
  readonly id: string;
  readonly version: string | null;
  readonly filename: string | null;
  readonly decision: Decision | null;
  readonly withheld?: readonly { readonly version: string; readonly decision: Decision }[];
  readonly withheldCount?: number;
}): void {
  const { organisation, known } = verdicts;
  const kept = `${organisation.id}\n${decided.id}`;
  if (services.keptDecisions.get(kept) !== undefined) return;
  services.keptDecisions.set(kept, true);
  const now = services.clock();
  const { version } = decided;
  const record: DecisionRecord = {
    v: 1,
    id: decided.id,
    organisation: organisation.id,
    ecosystem: known.key.ecosystem,
    name: known.key.name,
    version,
    filename: decided.filename,
    decision: decided.decision,
    withheld: decided.withheld ?? [],
    withheldCount: decided.withheldCount ?? 0,
    policyRevision: organisation.revision,
    stamp: organisation.stamp,
    factsDigest: known.record.factsDigest,
    ...(version === null
      ? {}
      : { examined: examinedOf(verdicts, now, { version, filename: decided.filename }) }),
    decidedAt: now,
  };
  services.background.run("keep decision", async () => {
    try {
      await services.decisions.put(record);
    } catch (error) {
      // The next answer with the same id writes it.
      services.keptDecisions.delete(kept);
      throw error;
    }
  });
}
