/** A search's answer: what cached facts allow is shown with a version, what is unknown without. */
import { UpstreamError } from "../../storage/errors.ts";
import type { CatalogueAsk, UpstreamDocument } from "../ecosystem.ts";
import type { Outcome, RegistryRequest } from "../outcome.ts";
import { noSuchPackage, notOffered, PLAIN_TRACE, plainLinks } from "./answers.ts";
import { createEntity } from "./entity.ts";
import { loadCached, packageKey } from "./load.ts";
import type { Services } from "./services.ts";
import { chooseUpstream, upstreamOf } from "./upstream.ts";
import { type Verdicts, verdictsOn } from "./verdicts.ts";

const NO_GRANTS: ReadonlySet<string> = new Set();

export async function serveCatalogue(
  services: Services,
  request: RegistryRequest,
  ask: CatalogueAsk,
): Promise<Outcome> {
  const { ecosystem } = request;
  const found = await documentsOf(services, request, ask);
  if (found === null) return notOffered(request, "Upstream does not offer this");
  const { documents, staleSince } = found;
  const rendered = ecosystem.render(ask, {
    documents,
    reading: null,
    ...await cachedVerdicts(services, request, ecosystem.mentions?.(ask, documents) ?? []),
    now: services.clock(),
    notice: () => "",
  }, plainLinks(request));
  if (rendered === null) return noSuchPackage(request, ask.subject.name);
  const entity = await createEntity(rendered, services.timers);
  const cache = staleSince === null ? "fetched" : "stale";
  return { kind: "document", entity, trace: { ...PLAIN_TRACE, cache, staleSince } };
}

/**
 * Asked of upstream each time, and kept in memory only: what strangers search for has no place in the storage. With
 * upstream away, an answer that is still there is given again, marked as stale.
 */
async function documentsOf(services: Services, request: RegistryRequest, ask: CatalogueAsk) {
  const { ecosystem, organisation } = request;
  const documents: UpstreamDocument[] = [];
  for (const source of ecosystem.sources(ask.subject, documents)) {
    const upstream = chooseUpstream(services, { ecosystem, organisation }, {
      key: source.upstream,
      name: null,
    });
    if (upstream === null) return null;
    const id = `${upstream.id}\n${source.key}\n${source.path}`;
    try {
      const answer = await services.upstream.document(upstream, source, {});
      if (answer.status !== 200) return null;
      const document = { key: source.key, fetchedAt: services.clock(), ...answer };
      services.searches.set(id, document);
      documents.push(document);
    } catch (error) {
      const kept = services.searches.get(id);
      const { metadataTtl, staleIfError } = services.lifetimes;
      if (!(error instanceof UpstreamError) || kept === undefined) throw error;
      if (services.clock() - kept.fetchedAt > metadataTtl + staleIfError) throw error;
      documents.push(kept);
      return { documents, staleSince: kept.fetchedAt };
    }
  }
  return { documents, staleSince: null };
}

/** The decisions on those packages that Sluice knows already; no name is asked for upstream. */
async function cachedVerdicts(services: Services, request: RegistryRequest, names: readonly string[]) {
  const { ecosystem, organisation } = request;
  const found = new Map<string, Verdicts>();
  for (const name of new Set(names)) {
    const upstream = upstreamOf(services, request, name);
    const known = upstream === null
      ? null
      : await loadCached(services, packageKey(ecosystem, upstream, name));
    if (known === null) continue;
    const now = services.clock();
    found.set(
      name,
      verdictsOn(services.verdictCache, { known, organisation, ecosystem, grants: NO_GRANTS, now }),
    );
  }
  return {
    decisions: (name: string) => found.get(name)?.decisions ?? null,
    facts: (name: string) => found.get(name)?.known.facts ?? null,
  };
}
