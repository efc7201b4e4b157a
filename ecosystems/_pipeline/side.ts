/**
 * Documents that hold no package's facts: sidecars, further forms of an index, what belongs to an upstream. Kept and
 * revalidated like any other, each in a record of its own.
 */
import { isBroken, StorageError } from "../../storage/errors.ts";
import type { DocumentRecord, PackageKey, PackageRecord } from "../../storage/kv/packages.ts";
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { Ecosystem, Source } from "../ecosystem.ts";
import type { RegistryRequest } from "../outcome.ts";
import { freshFor, holdBack, isHeldBack, levelOf, staleFor } from "./lifetimes.ts";
import type { Services } from "./services.ts";
import { INDEX_PATIENCE_MS } from "./shared_refresh.ts";
import { type Fetched, fetchSource, keep, openDocument } from "./source.ts";
import { chooseUpstream } from "./upstream.ts";

/** These documents where their upstreams are configured. */
export function sidesOf(
  services: Services,
  request: RegistryRequest,
  wanted: { readonly sources: readonly Source[]; readonly name: string },
): readonly SideRequest[] {
  return wanted.sources.flatMap((source) => {
    const upstream = chooseUpstream(services, request, { key: source.upstream, name: wanted.name });
    return upstream === null ? [] : [{ ecosystem: request.ecosystem, upstream, source }];
  });
}

export interface SideRequest {
  readonly ecosystem: Ecosystem;
  readonly upstream: Upstream;
  readonly source: Source;
  /** With trailing slash: what the source's path is below, where a package's facts say so. */
  readonly root?: string;
}

/** What is recorded of it; status 404 where upstream has none. Throws as `load` does where nothing usable is there. */
export async function loadSide(services: Services, request: SideRequest): Promise<DocumentRecord> {
  const key = sideKey(request);
  const id = sideId(key);
  const known = services.sides.get(id);
  if (known !== undefined && isFresh(services, known, key)) return known.documents[0]!;
  return await services.sideLoads.run(id, async () => {
    const record = await loadOnce(services, request, key);
    services.sides.set(id, record);
    return record.documents[0]!;
  });
}

/** The same with its bytes; fetched anew, once, where the store lost them. */
export async function openSide(services: Services, request: SideRequest): Promise<Fetched> {
  for (const attempt of ["first", "anew"]) {
    const record = await loadSide(services, request);
    if (record.blob !== null) services.used(record.blob);
    const document = await openDocument(services, record);
    if (document !== null) return { document, record };
    if (attempt === "anew") break;
    // Without a record it was purged or evicted.
    if (await services.packages.get(sideKey(request)) !== null) {
      services.log(
        "error",
        `Fetching ${request.source.key} of ${request.ecosystem.id} anew: its copy is lost or damaged`,
        {
          "blob.key": record.blob ?? "",
        },
      );
    }
    await forgetRecord(services, sideKey(request));
  }
  throw new StorageError(
    `Cannot open ${request.source.key} of ${request.ecosystem.id}: it is lost again and again`,
  );
}

async function forgetRecord(services: Services, key: PackageKey): Promise<void> {
  services.sides.delete(sideId(key));
  await services.packages.delete(key);
}

async function loadOnce(services: Services, request: SideRequest, key: PackageKey): Promise<PackageRecord> {
  const stored = await services.packages.get(key);
  if (stored !== null && isFresh(services, stored.record, key)) return stored.record;
  const isHeld = isHeldBack(services, sideId(key));
  if (stored !== null && isHeld && isUsable(services, stored.record, key)) return stored.record;
  try {
    return await services.once.run({
      name: `side\n${key.ecosystem}\n${key.upstreamId}\n${key.name}`,
      find: () => refreshedElsewhere(services, key, stored?.versionstamp ?? null),
      work: () => refreshSide(services, request, key, stored),
      patienceMs: INDEX_PATIENCE_MS,
    });
  } catch (error) {
    if (stored === null || isBroken(error) || !isUsable(services, stored.record, key)) throw error;
    holdBack(services, sideId(key));
    services.log(
      levelOf(error),
      `Serving ${request.source.key} of ${key.ecosystem} stale: ${
        error instanceof Error ? error.message : error
      }`,
    );
    return stored.record;
  }
}

/** Whatever replaced the record, upstream was asked for it. */
async function refreshedElsewhere(
  services: Services,
  key: PackageKey,
  before: string | null,
): Promise<PackageRecord | null> {
  const stored = await services.packages.get(key);
  return stored === null || stored.versionstamp === before ? null : stored.record;
}

async function refreshSide(
  services: Services,
  request: SideRequest,
  key: PackageKey,
  stored: { readonly record: PackageRecord; readonly versionstamp: string } | null,
): Promise<PackageRecord> {
  const { upstream, source } = request;
  const previous = stored?.record.documents.find((document) => document.status === 200) ?? null;
  const root = await rootOf(services, request);
  const fetched = root === null
    ? await keep(services, source, { status: 404 })
    : await fetchSource(services, upstream, source, previous, root === undefined ? {} : { root });
  const documents = [fetched.record];
  const record: PackageRecord = {
    v: 1,
    absent: false,
    documents,
    factsDigest: "",
    checkedAt: services.clock(),
  };
  // Lost to another process: theirs is as new as ours.
  await services.packages.commit(key, { record, facts: null, layout: null }, stored?.versionstamp ?? null);
  const replaced = previous?.blob ?? null;
  if (replaced !== null && replaced !== fetched.record.blob) {
    services.background.run(
      "drop a replaced document",
      async () => void await services.artifacts.delete(replaced),
    );
  }
  return record;
}

/** What its path is below, as upstream names it; null: it names nothing. undefined: the upstream's own root. */
export async function rootOf(services: Services, request: SideRequest): Promise<string | null | undefined> {
  const { below } = request.source;
  if (below === undefined) return request.root;
  const { document } = await openSide(services, { ...request, source: below.document });
  return below.root(document);
}

/** Within a process; a package's own key never has a space in its name. */
function sideId(key: PackageKey): string {
  return `${key.ecosystem}\n${key.upstreamId}\n${key.name}`;
}

function sideKey({ ecosystem, upstream, source, root = "" }: SideRequest): PackageKey {
  const name = `${source.key} ${root}${source.path}`;
  return {
    ecosystem: ecosystem.id,
    upstreamId: upstream.id,
    scope: upstream.scope,
    subject: "catalogue",
    name,
  };
}

function isFresh(services: Services, record: PackageRecord, key: PackageKey): boolean {
  const isAbsent = record.documents[0]?.status === 404;
  const { absentTtl, metadataTtl } = services.lifetimes(key);
  return freshFor(services, record, isAbsent ? absentTtl : metadataTtl);
}

function isUsable(services: Services, record: PackageRecord, key: PackageKey): boolean {
  return staleFor(services, record, key) && record.documents[0]?.status === 200;
}
