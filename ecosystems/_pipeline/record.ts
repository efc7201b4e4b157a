/** Who was given what: one install record, from the request and the decision. */
import type { Decision } from "../../policy/types.ts";
import type { InstallOutcome, InstallRecord } from "../../storage/installs/log.ts";
import type { RegistryRequest } from "../outcome.ts";
import type { Services } from "./services.ts";

export interface InstallFacts {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly decision: Decision;
  readonly decisionId: string;
  readonly outcome: InstallOutcome;
  readonly sha256: string | null;
  readonly bytes: number;
  readonly cache: InstallRecord["cache"];
}

export function installRecord(
  services: Services,
  request: RegistryRequest,
  facts: InstallFacts,
): InstallRecord {
  const { caller } = request;
  const notable = facts.outcome === "refused" || facts.outcome === "observed";
  return {
    id: services.newRecordId(),
    at: services.clock(),
    organisation: caller.organisation,
    user: caller.user,
    address: caller.address,
    client: caller.client.name,
    clientVersion: caller.client.version,
    ecosystem: request.ecosystem.id,
    package: facts.name,
    version: facts.version,
    file: facts.filename,
    digest: facts.sha256 === null ? "" : `sha256:${facts.sha256}`,
    bytes: facts.bytes,
    cache: facts.cache,
    outcome: facts.outcome,
    rule: notable ? facts.decision.reasons.find((reason) => reason.liftedBy === undefined)?.rule ?? "" : "",
    decisionId: facts.decisionId,
    ...(request.at === undefined ? {} : { asOf: request.at.instant }),
  };
}

/** `observed` where the policy would have refused it and only watches. */
export function servedOutcome(decision: Decision): InstallOutcome {
  return decision.enforcedVerdict === "hold" || decision.enforcedVerdict === "deny" ? "observed" : "served";
}
