/** A file: decided, and only then opened, or refused. */
import { permits } from "../../policy/types.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { ArtifactAsk } from "../ecosystem.ts";
import type { Outcome, RegistryRequest, Trace } from "../outcome.ts";
import { failed } from "./answers.ts";
import { miss } from "./artifact_open.ts";
import { serveKept } from "./confirm.ts";
import { grantServed } from "./grants.ts";
import type { Loaded } from "./load.ts";
import { keptFile, type Opening, recordOf } from "./opening.ts";
import { keepDecision, refuse } from "./refuse.ts";
import type { Services } from "./services.ts";
import { decisionId, fileOf, type Verdicts } from "./verdicts.ts";
import { countWaived } from "./waived.ts";

export async function serveArtifact(
  services: Services,
  request: RegistryRequest,
  ask: ArtifactAsk,
  options: { readonly loaded: Loaded; readonly verdicts: Verdicts; readonly upstream: Upstream },
): Promise<Outcome> {
  const { verdicts, loaded, upstream } = options;
  const decision = verdicts.decisions.artifact(ask.filename);
  const file = decision === null ? null : fileOf(verdicts, request.ecosystem, ask);
  if (decision === null || file === null) {
    return failed(request, {
      status: 404,
      code: "no-such-file",
      message: `No file ${JSON.stringify(ask.filename)} in ${JSON.stringify(ask.subject.name)}`,
    });
  }
  const { version, location } = file;
  const speaks = decision.reasons.find(({ liftedBy }) => liftedBy === undefined);
  services.metrics.decided(request.ecosystem.id, decision.verdict, speaks?.rule ?? "none");
  if (!permits(decision)) {
    return await refuse(services, request, verdicts, { ask, version, filename: ask.filename, decision });
  }
  const id = decisionId(verdicts, ask.filename, [[ask.filename, decision]]);
  if (decision.reasons.length > 0) {
    keepDecision(services, verdicts, { id, version, filename: ask.filename, decision });
  }
  const trace: Trace = {
    cache: "hit",
    decisionId: id,
    whyLink: null,
    maxAgeSeconds: 0,
    staleSince: loaded.staleSince,
    copy: null,
    forwarded: null,
    detail: null,
  };
  const opening: Opening = {
    services,
    request,
    verdicts,
    upstream,
    ask,
    filename: ask.filename,
    version,
    decision,
    decisionId: id,
    location,
    trace,
  };
  if (verdicts.policy.artifacts === "upstream") return await redirect(opening);
  const kept = await keptFile(opening);
  return kept !== null ? await serveKept(opening, kept) : await miss(opening);
}

/** `artifacts: upstream`: that the client was sent there is all that Sluice can know, and all it records. */
async function redirect(opening: Opening): Promise<Outcome> {
  const { services, request, location, upstream, trace } = opening;
  if (request.request.method === "GET") {
    await services.installs.append(recordOf(opening, { sha256: null, bytes: 0, cache: "none" }));
    countWaived(services, request.organisation, opening.decision);
    grantServed(services, request, opening.verdicts, opening.version);
  }
  return {
    kind: "elsewhere",
    location: new URL(location.url, upstream.root).href,
    trace: { ...trace, cache: "none" },
  };
}
