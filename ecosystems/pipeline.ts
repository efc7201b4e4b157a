/**
 * serve(): parse → load → read → decide → render | open. The only way to bytes: no other function calls `render`
 * or opens an artifact, so no answer can leave without a decision.
 */
import { failed, noSuchPackage, PLAIN_TRACE, plainLinks } from "./_pipeline/answers.ts";
import { serveArtifact } from "./_pipeline/artifact.ts";
import { serveCatalogue } from "./_pipeline/catalogue.ts";
import { createEntity } from "./_pipeline/entity.ts";
import { serveForward } from "./_pipeline/forward.ts";
import { type Gated, loadOf, reload } from "./_pipeline/gate.ts";
import { LostDocumentError, serveIndex } from "./_pipeline/indexes.ts";
import type { Loaded } from "./_pipeline/load.ts";
import { noCatalogue, noForward, notMirrored } from "./_pipeline/mirror_only.ts";
import type { Services } from "./_pipeline/services.ts";
import { serveSidecar } from "./_pipeline/sidecar.ts";
import type { ArtifactAsk, Ask, IndexAsk, LocalAsk, SidecarAsk, VersionAsk } from "./ecosystem.ts";
import type { Outcome, RegistryRequest, Trace } from "./outcome.ts";

export { createServices, type ServiceOptions, type Services } from "./_pipeline/services.ts";
export { forgetAll, forgetCached } from "./_pipeline/forget.ts";
export {
  createScheduledRefresh,
  type RefreshStatus,
  type ScheduledRefresh,
} from "./_pipeline/scheduled_refresh.ts";
export { explain } from "./_pipeline/explain.ts";
export { type HeldNow, heldNow, type HeldNowQuery, type HeldRelease } from "./_pipeline/held_now.ts";
export {
  inspect,
  type Inspected,
  type InspectedWaiver,
  type InspectQuery,
  newestOffered,
} from "./_pipeline/inspect.ts";
export { lookUp } from "./_pipeline/look_up.ts";
export { createMirror, type Mirror } from "./_pipeline/mirror.ts";
export { outlook } from "./_pipeline/outlook.ts";
export { prefetch } from "./_pipeline/prefetch.ts";
export { createPreview, type MakePreview, type Preview } from "./_pipeline/preview.ts";

/**
 * Answers one admitted request. Throws UpstreamError, IntegrityError, StorageError, TooLargeError or SyntaxError
 * (a document that cannot be read): routes/problem.ts has the status of each; nothing is let through then.
 */
export async function serve(services: Services, request: RegistryRequest): Promise<Outcome> {
  services.arrived();
  const ask = parse(request);
  if (ask === null) {
    return failed(request, { status: 404, code: "not-found", message: "Nothing is served at this path" });
  }
  switch (ask.kind) {
    case "local":
      return await serveLocal(services, request, ask);
    case "forward":
      return noForward(services, request, ask) ?? await serveForward(services, request, ask);
    case "catalogue":
      return noCatalogue(services, request) ?? await serveCatalogue(services, request, ask);
    case "publish":
      return failed(request, {
        status: 405,
        code: "publish-unsupported",
        message: "This Sluice hosts no packages: publish to the registry itself",
      });
    case "index":
    case "version":
    case "artifact":
    case "sidecar":
      return await servePackage(services, request, ask);
  }
}

function parse(request: RegistryRequest): Ask | null {
  if (request.atRoot) return request.ecosystem.parseAtRoot?.(request.request) ?? null;
  return request.ecosystem.parse(request.request);
}

const LOCAL: Trace = { ...PLAIN_TRACE, detail: "local" };

async function serveLocal(services: Services, request: RegistryRequest, ask: LocalAsk): Promise<Outcome> {
  const rendered = request.ecosystem.local(ask, request.caller, plainLinks(request));
  return { kind: "document", entity: await createEntity(rendered, services.timers), trace: LOCAL };
}

async function servePackage(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk | ArtifactAsk | SidecarAsk,
): Promise<Outcome> {
  try {
    return await servePackageOnce(services, request, ask);
  } catch (error) {
    if (!(error instanceof LostDocumentError)) throw error;
    await reload(services, request, ask.subject, error);
    return await servePackageOnce(services, request, ask);
  }
}

async function servePackageOnce(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk | ArtifactAsk | SidecarAsk,
): Promise<Outcome> {
  if (!services.callerNames.admits(request.caller)) {
    return failed(request, {
      status: 429,
      code: "too-many-user-names",
      message: "This address used too many different user names: try again in an hour",
    });
  }
  if (request.at !== undefined && !services.instants.admits(request.caller, request.at)) {
    return failed(request, {
      status: 429,
      code: "too-many-instants",
      message: "This address asked for too many different instants: try again in an hour, or name a snapshot",
    });
  }
  const gate = await loadOf(services, request, ask.subject);
  if (gate === "not-mirrored") return notMirrored(request, ask.subject.name);
  if (gate === "too-many-absences") {
    return failed(request, {
      status: 429,
      code: "too-many-unknown-names",
      message: "This address asked for too many packages that do not exist: try again in ten minutes",
    });
  }
  if ("known" in gate) {
    const { trace, ...outcome } = noSuchPackage(request, ask.subject.name);
    return { ...outcome, trace: { ...trace, copy: gate.copy, forwarded: gate.forwarded } };
  }
  const outcome = await answer(services, request, ask, gate);
  if (outcome.kind !== "failed") services.asked(gate.verdicts, request.organisation, gate.loaded.known.key);
  return decidedBy(gate.loaded, outcome);
}

async function answer(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk | ArtifactAsk | SidecarAsk,
  gate: Gated,
): Promise<Outcome> {
  if (ask.kind === "artifact") return await serveArtifact(services, request, ask, gate);
  if (ask.kind === "sidecar") return await serveSidecar(services, request, ask, gate);
  return await serveIndex(services, request, ask, gate);
}

/** An answer without bytes of a copy's own (a refusal, "no such version") was made from the facts. */
function decidedBy({ known, forwarded }: Loaded, outcome: Outcome): Outcome {
  const { trace } = outcome;
  if (trace.copy !== null || trace.forwarded !== null) return outcome;
  return { ...outcome, trace: { ...trace, copy: known.copy, forwarded } };
}
