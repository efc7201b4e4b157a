/** A search's answer: what cached facts allow is shown with a version, what is unknown without. */
import { UpstreamError } from "../../storage/errors.ts";
import type { CatalogueAsk, UpstreamDocument } from "../ecosystem.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { Copy, Outcome, RegistryRequest } from "../outcome.ts";
import { noSuchPackage, notOffered, PLAIN_TRACE, plainLinks } from "./answers.ts";
import { decideFor } from "./as_of.ts";
import { createEntity } from "./entity.ts";
import { levelOf } from "./lifetimes.ts";
import { loadCached, packageKey } from "./load.ts";
import type { Services } from "./services.ts";
import { rootOf } from "./side.ts";
import { chooseUpstream, upstreamOf } from "./upstream.ts";
import type { Verdicts } from "./verdicts.ts";
import { noteWithheld, NOTHING_WITHHELD, type WithheldNote } from "./withheld.ts";

export async function serveCatalogue(
  services: Services,
  request: RegistryRequest,
  ask: CatalogueAsk,
): Promise<Outcome> {
  const { ecosystem } = request;
  const found = await documentsOf(services, request, ask);
  if (found === null) return notOffered(request, "Upstream does not offer this");
  const { documents, staleSince } = found;
  const verdicts = await cachedVerdicts(services, request, ecosystem.mentions?.(ask, documents) ?? []);
  const rendered = ecosystem.render(ask, {
    documents,
    reading: null,
    decisions: (name) => verdicts.get(name)?.decisions ?? null,
    facts: (name) => verdicts.get(name)?.known.facts ?? null,
    now: services.clock(),
    notice: () => "",
  }, plainLinks(request));
  if (rendered === null) return noSuchPackage(request, ask.subject.name);
  const entity = await createEntity(rendered, services.timers);
  const note = rendered.withheld() > 0 ? noteFirst(services, request, verdicts.values()) : NOTHING_WITHHELD;
  const asked = staleSince === null ? ANSWERED : { ...FAILED, staleSince, copy: copyOf(staleSince) };
  return { kind: "document", entity, trace: { ...PLAIN_TRACE, ...note, ...asked } };
}

const ANSWERED = { cache: "fetched", forwarded: { why: "miss", status: 200, stored: false } } as const;
const FAILED = {
  cache: "stale",
  forwarded: { why: "miss", status: null, stored: false },
  detail: "stale-if-error",
} as const;

/** Kept for when upstream is away, and fresh at no time. */
function copyOf(checkedAt: EpochMs): Copy {
  return { checkedAt, freshMs: 0 };
}

/** No decision covers many packages: an answer names that on the first of which something is withheld. */
function noteFirst(services: Services, request: RegistryRequest, all: Iterable<Verdicts>): WithheldNote {
  for (const verdicts of all) {
    const note = noteWithheld(services, request, verdicts);
    if (note.decisionId !== null) return note;
  }
  return NOTHING_WITHHELD;
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
      const root = await rootOf(services, { ecosystem, upstream, source });
      if (root === null) return null;
      const options = root === undefined ? {} : { root };
      const answer = await services.upstream.document(upstream, source, options);
      if (answer.status !== 200) return null;
      const document = { key: source.key, fetchedAt: services.clock(), ...answer };
      source.check?.(document);
      services.searches.set(id, document);
      documents.push(document);
    } catch (error) {
      const kept = services.searches.get(id);
      const of = { ecosystem: ecosystem.id, upstreamId: upstream.id };
      const { metadataTtl, staleIfError } = services.lifetimes(of);
      const isUpstreams = error instanceof UpstreamError || error instanceof SyntaxError;
      if (!isUpstreams || kept === undefined) throw error;
      if (services.clock() - kept.fetchedAt > metadataTtl + staleIfError) throw error;
      services.log(levelOf(error), `Serving ${source.key} of ${ecosystem.id} stale: ${error.message}`, {
        "upstream.origin": error instanceof UpstreamError ? error.detail.origin : "",
        error,
      });
      documents.push(kept);
      return { documents, staleSince: kept.fetchedAt };
    }
  }
  return { documents, staleSince: null };
}

/** The decisions on those packages that Sluice knows already; no name is asked for upstream. */
async function cachedVerdicts(
  services: Services,
  request: RegistryRequest,
  names: readonly string[],
): Promise<ReadonlyMap<string, Verdicts>> {
  const { ecosystem, organisation, at } = request;
  const found = new Map<string, Verdicts>();
  for (const name of new Set(names)) {
    const upstream = upstreamOf(services, request, name);
    const known = upstream === null
      ? null
      : await loadCached(services, packageKey(ecosystem, upstream, name));
    if (known === null) continue;
    found.set(name, await decideFor(services, { known, organisation, ecosystem, at }));
  }
  return found;
}
