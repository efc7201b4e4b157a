/** Indexes, versions, catalogues and sidecars: rendered from raw documents under the decisions made. */
import { describe, newestAllowed } from "../../policy/explain.ts";
import { type EpochMs, permits } from "../../policy/types.ts";
import { UpstreamError } from "../../storage/errors.ts";
import { formatPurl } from "../_shared/purl.ts";
import type {
  CatalogueAsk,
  Failure,
  IndexAsk,
  Links,
  Material,
  Rendered,
  SidecarAsk,
  UpstreamDocument,
  VersionAsk,
} from "../ecosystem.ts";
import type { CacheOutcome, Outcome, RegistryRequest, Trace } from "../outcome.ts";
import { createEntity } from "./entity.ts";
import { loadCached, type Loaded, packageKey } from "./load.ts";
import { memoKey, memorise, recall } from "./memo.ts";
import { openDocument } from "./refresh.ts";
import { keepDecision, refuse } from "./refuse.ts";
import type { Known, Services } from "./services.ts";
import { decisionId, type Verdicts, verdictsOn } from "./verdicts.ts";

/** How many withheld releases a decision's record names. */
const NAMED_IN_RECORD = 50;
const NO_GRANTS: ReadonlySet<string> = new Set();

export const PLAIN_TRACE: Trace = {
  cache: "none",
  decisionId: null,
  whyLink: null,
  maxAgeSeconds: 0,
  staleSince: null,
};

/** An error in the client's own form. */
export function failed(request: RegistryRequest, failure: Failure, trace: Trace = PLAIN_TRACE): Outcome {
  const { contentType, body } = request.ecosystem.fail(failure, request.caller.client);
  return { kind: "failed", status: failure.status, contentType, body, trace };
}

export function noSuchPackage(request: RegistryRequest, name: string): Outcome {
  return failed(request, {
    status: 404,
    code: "no-such-package",
    message: `No package ${JSON.stringify(name)} in this ${request.ecosystem.title} registry`,
  });
}

/** For answers that link to no file. */
export function plainLinks(request: RegistryRequest): Links {
  const authRequired = request.organisation.policy.callers !== "anyone";
  return { base: request.mount, authRequired, artifacts: "proxy" };
}

export function linksOf(request: RegistryRequest, verdicts: Verdicts): Links {
  return { ...plainLinks(request), artifacts: verdicts.policy.artifacts };
}

/** A package's index, or one release's own document. */
export async function serveIndex(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk,
  loaded: Loaded,
  verdicts: Verdicts,
): Promise<Outcome> {
  if (ask.kind === "version") {
    const decision = verdicts.decisions.release(ask.version);
    if (decision !== null && !permits(decision)) {
      return await refuse(services, request, verdicts, {
        ask,
        version: ask.version,
        filename: null,
        decision,
      });
    }
  }
  const newest = verdicts.known.facts.releases.at(-1);
  if (ask.kind === "index" && newest !== undefined && isWhollyWithheld(request, ask, verdicts)) {
    const decision = verdicts.decisions.release(newest.version)!;
    return await refuse(services, request, verdicts, {
      ask,
      version: newest.version,
      filename: null,
      decision,
    });
  }
  const key = memoKey(request, ask, loaded.known);
  const kept = verdicts.personal ? null : recall(services, key, verdicts);
  const entry = kept ?? await renderIndex(services, request, ask, verdicts, key);
  if (entry === null) {
    const what = ask.kind === "version" ? `version ${JSON.stringify(ask.version)} of ` : "";
    return failed(request, {
      status: 404,
      code: "no-such-version",
      message: `No ${what}${JSON.stringify(ask.subject.name)}`,
    });
  }
  const trace: Trace = {
    cache: kept !== null && loaded.state === "fresh" ? "hit" : cacheOutcome(loaded),
    decisionId: entry.decisionId,
    whyLink: entry.whyLink,
    maxAgeSeconds: 0,
    staleSince: loaded.staleSince,
  };
  return { kind: "document", entity: entry.entity, trace };
}

/** Nothing is offered, and the plugin says that this client is better told so by a refusal. */
function isWhollyWithheld(request: RegistryRequest, ask: IndexAsk, verdicts: Verdicts): boolean {
  const { ecosystem, caller } = request;
  if (ecosystem.tellsByRefusal?.(ask, caller.client) !== true) return false;
  return newestAllowed(verdicts.known.facts, verdicts.decisions, ecosystem.versions) === null;
}

export function cacheOutcome(loaded: Loaded): CacheOutcome {
  return loaded.state;
}

/** Rendered once for all who ask for it at the same time; what is one caller's own is rendered for that caller. */
async function renderIndex(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk,
  verdicts: Verdicts,
  key: string,
) {
  const work = () => renderNow(services, request, ask, verdicts, key);
  if (verdicts.personal) return await work();
  const state = `${verdicts.organisation.stamp}\n${verdicts.known.revision}`;
  return await services.renders.run(`render\n${state}\n${key}`, work);
}

async function renderNow(
  services: Services,
  request: RegistryRequest,
  ask: IndexAsk | VersionAsk,
  verdicts: Verdicts,
  key: string,
) {
  const { known } = verdicts;
  const room = 3 * known.record.documents.reduce((sum, document) => sum + document.sizeBytes, 0);
  return await services.work.run(room, async () => {
    const documents = await openAll(services, known);
    const layout = await services.packages.layout(known.key, known.record);
    const rendered = request.ecosystem.render(ask, {
      documents,
      reading: { facts: known.facts, layout },
      decisions: (name) => name === known.key.name ? verdicts.decisions : null,
      now: services.clock(),
      notice: (withheld) => noticeOf(request, verdicts, withheld, services.clock()),
    }, linksOf(request, verdicts));
    if (rendered === null) return null;
    return await memorise(services, {
      key,
      verdicts,
      rendered,
      note: () => noteWithheld(services, request, verdicts, rendered),
    });
  });
}

/** The raw documents; serve() fetches them anew where one is lost. */
async function openAll(services: Services, known: Known): Promise<readonly UpstreamDocument[]> {
  const documents = await Promise.all(known.record.documents.map((record) => openDocument(services, record)));
  if (documents.every((document) => document !== null)) return documents;
  throw new LostDocumentError(
    `Cannot render ${known.key.ecosystem} ${JSON.stringify(known.key.name)}: its raw document is lost`,
    known.revision,
  );
}

/** A record points at bytes that are gone from the store. */
export class LostDocumentError extends Error {
  override readonly name = "LostDocumentError";
  /** `revision`: of the Known that named the bytes. */
  constructor(message: string, readonly revision: string) {
    super(message);
  }
}

/** For a client's own notice channel: why the newest of what is withheld is, and where the rest is told. */
function noticeOf(
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
function noteWithheld(
  services: Services,
  request: RegistryRequest,
  verdicts: Verdicts,
  rendered: Rendered,
): Promise<{ readonly decisionId: string | null; readonly whyLink: string | null }> {
  const { known, decisions } = verdicts;
  const withheld = known.facts.releases.flatMap((release) => {
    const decision = decisions.release(release.version);
    const counts = decision !== null &&
      (decision.enforcedVerdict === "hold" || decision.enforcedVerdict === "deny");
    return counts ? [{ version: release.version, decision }] : [];
  });
  if (withheld.length === 0 && rendered.withheld() === 0) {
    return Promise.resolve({ decisionId: null, whyLink: null });
  }
  const id = decisionId(
    verdicts,
    "index",
    withheld.map(({ version, decision }) => [version, decision] as const),
  );
  keepDecision(services, verdicts, {
    id,
    version: null,
    filename: null,
    decision: null,
    withheld: withheld.slice(-NAMED_IN_RECORD),
    withheldCount: withheld.length,
  });
  const purl = formatPurl({ type: request.ecosystem.purlType, name: known.key.name, version: null });
  return Promise.resolve({ decisionId: id, whyLink: `${request.site}/-/why/${purl}?decision=${id}` });
}

/** A search's answer: what cached facts allow is shown with a version, what is unknown without. Not kept. */
export async function serveCatalogue(
  services: Services,
  request: RegistryRequest,
  ask: CatalogueAsk,
): Promise<Outcome> {
  const { ecosystem } = request;
  const documents: UpstreamDocument[] = [];
  for (const source of ecosystem.sources(ask.subject, documents)) {
    const upstream = services.upstreams.choose({
      ecosystem: ecosystem.id,
      key: source.upstream,
      name: null,
      organisation: request.organisation.id,
    });
    if (upstream === null) return noSuchPackage(request, ask.subject.name);
    const answer = await services.upstream.document(upstream, source, {});
    if (answer.status !== 200) {
      return failed(request, { status: 404, code: "not-offered", message: "Upstream does not offer this" });
    }
    documents.push({ key: source.key, fetchedAt: services.clock(), ...answer });
  }
  const material: Material = {
    documents,
    reading: null,
    ...await cachedVerdicts(services, request, ecosystem.mentions?.(ask, documents) ?? []),
    now: services.clock(),
    notice: () => "",
  };
  const rendered = ecosystem.render(ask, material, plainLinks(request));
  if (rendered === null) return noSuchPackage(request, ask.subject.name);
  return {
    kind: "document",
    entity: await createEntity(rendered, services.timers),
    trace: { ...PLAIN_TRACE, cache: "fetched" },
  };
}

/** The decisions on those packages that Sluice knows already; no name is asked for upstream. */
async function cachedVerdicts(services: Services, request: RegistryRequest, names: readonly string[]) {
  const { ecosystem, organisation } = request;
  const found = new Map<string, Verdicts>();
  for (const name of new Set(names)) {
    const known = await cachedPackage(services, request, name);
    if (known === null) continue;
    found.set(
      name,
      verdictsOn(services.verdictCache, {
        known,
        organisation,
        ecosystem,
        grants: NO_GRANTS,
        now: services.clock(),
      }),
    );
  }
  return {
    decisions: (name: string) => found.get(name)?.decisions ?? null,
    facts: (name: string) => found.get(name)?.known.facts ?? null,
  };
}

async function cachedPackage(
  services: Services,
  request: RegistryRequest,
  name: string,
): Promise<Known | null> {
  const { ecosystem, organisation } = request;
  const [key] = Object.keys(ecosystem.upstreams);
  const upstream = services.upstreams.choose({
    ecosystem: ecosystem.id,
    key: key ?? "",
    name,
    organisation: organisation.id,
  });
  return upstream === null ? null : await loadCached(services, packageKey(ecosystem, upstream, name));
}

/** Signatures, provenance, metadata: passed on as they are, under the verdict of their file or release. */
export async function serveSidecar(
  services: Services,
  request: RegistryRequest,
  ask: SidecarAsk,
  loaded: Loaded,
  verdicts: Verdicts,
): Promise<Outcome> {
  const about = ask.filename ?? ask.version ?? "";
  const decision = ask.filename !== null
    ? verdicts.decisions.artifact(about)
    : verdicts.decisions.release(about);
  if (decision === null) {
    return failed(request, {
      status: 404,
      code: "no-such-version",
      message: `No ${JSON.stringify(about)} of ${JSON.stringify(ask.subject.name)}`,
    });
  }
  if (!permits(decision)) {
    return await refuse(services, request, verdicts, {
      ask,
      version: ask.version ?? about,
      filename: null,
      decision,
    });
  }
  const upstream = services.upstreams.choose({
    ecosystem: request.ecosystem.id,
    key: ask.source.upstream,
    name: ask.subject.name,
    organisation: request.organisation.id,
  });
  if (upstream === null) return noSuchPackage(request, ask.subject.name);
  const answer = await services.upstream.document(upstream, ask.source, {});
  if (answer.status === 404) {
    return failed(request, {
      status: 404,
      code: "not-offered",
      message: `Upstream has no ${ask.source.key} for ${JSON.stringify(about)}`,
    });
  }
  if (answer.status === 304) {
    throw new UpstreamError(
      "Cannot fetch a document: upstream answered 304 to a request without a validator",
      { kind: "content", origin: "" },
    );
  }
  const rendered: Rendered = {
    status: 200,
    contentType: answer.contentType,
    headers: {},
    body: [answer.body],
    withheld: () => 0,
  };
  const entity = await createEntity(rendered, services.timers);
  return {
    kind: "document",
    entity,
    trace: {
      ...PLAIN_TRACE,
      cache: "fetched",
      decisionId: decisionId(verdicts, about, [[about, decision]]),
      staleSince: loaded.staleSince,
    },
  };
}
