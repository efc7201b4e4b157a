/** Load, join and decide: what every ask about a package goes through before anything of it is rendered or opened. */
import type { Upstream } from "../../storage/upstream/upstream.ts";
import type { DocumentRecord } from "../../storage/kv/packages.ts";
import type { PackageRef } from "../ecosystem.ts";
import type { RegistryRequest } from "../outcome.ts";
import { decideFor } from "./as_of.ts";
import { grantsFor } from "./grants.ts";
import {
  type Absent,
  fromStorage,
  keyText,
  load,
  type Loaded,
  type LoadRequest,
  NOT_ASKED,
  type NotLoaded,
  packageKey,
} from "./load.ts";
import type { LostDocumentError } from "./indexes.ts";
import type { Services } from "./services.ts";
import { refreshOnce } from "./shared_refresh.ts";
import { isKept } from "./source.ts";
import { upstreamOf } from "./upstream.ts";
import type { Verdicts } from "./verdicts.ts";

export interface Gated {
  readonly loaded: Loaded;
  readonly verdicts: Verdicts;
  readonly upstream: Upstream;
}

/**
 * For when a document of a package is gone from the store: another process has replaced it, and storage knows by
 * what; or it is lost, and all are fetched again, without validators.
 */
export async function reload(
  services: Services,
  request: RegistryRequest,
  subject: PackageRef,
  lost: LostDocumentError,
): Promise<void> {
  const { ecosystem } = request;
  const upstream = upstreamOf(services, request, subject.name);
  if (upstream === null) return;
  const key = packageKey(ecosystem, upstream, subject.name);
  const known = await fromStorage(services, key);
  if (known !== null && known.revision !== lost.revision) return;
  await services.refreshes.run(`reload\n${keyText(key)}`, async () => {
    if (known !== null && await areKept(services, known.record.documents)) return;
    // Without a record it was purged or evicted.
    if (known !== null) services.log("error", `${lost.message}: fetching it anew`);
    const stripped = known === null ? null : { ...known, record: { ...known.record, documents: [] } };
    await refreshOnce(services, { ecosystem, upstream, subject }, key, stripped);
  });
}

/** Somebody else may have fetched them meanwhile. */
async function areKept(services: Services, documents: readonly DocumentRecord[]): Promise<boolean> {
  return (await Promise.all(documents.map((document) => isKept(services, document)))).every(Boolean);
}

export async function loadOf(
  services: Services,
  request: RegistryRequest,
  subject: PackageRef,
  options: Pick<LoadRequest, "forMirror"> = {},
): Promise<Gated | Absent | NotLoaded> {
  const { ecosystem, organisation, caller } = request;
  const upstream = upstreamOf(services, request, subject.name);
  if (upstream === null) return NOT_ASKED;
  const asked = { ecosystem, upstream, subject, address: caller.address, ...options };
  const loaded = await load(services, asked);
  if (typeof loaded === "string" || loaded.known === null) return loaded;
  for (const { blob } of loaded.known.record.documents) if (blob !== null) services.used(blob);
  const grants = await grantsFor(services, request, subject.name);
  const { at } = request;
  const verdicts = await decideFor(services, { known: loaded.known, organisation, ecosystem, grants, at });
  return { loaded, verdicts, upstream };
}
