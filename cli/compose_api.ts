/** The API over the parts of a Sluice: every area's endpoints, in the order in which they are documented. */
import { dirname } from "node:path";
import { createPreview, heldNow, inspect, lookUp, newestOffered, prefetch } from "../ecosystems/pipeline.ts";
import { formatPurl } from "../ecosystems/_shared/purl.ts";
import { type Api, createApi } from "../routes/api/api.ts";
import { documentEndpoints } from "../routes/api/document.ts";
import { auditTrailEndpoints } from "../routes/api/audit_trail.ts";
import { backupEndpoints, type Restored } from "../routes/api/backup.ts";
import { cacheEndpoints } from "../routes/api/cache.ts";
import type { Endpoint } from "../routes/api/endpoint.ts";
import { freezeEndpoints } from "../routes/api/freezes.ts";
import { alertEndpoints } from "../routes/api/alerts.ts";
import { heldEndpoints } from "../routes/api/held.ts";
import { installEndpoints } from "../routes/api/installs.ts";
import { organisationEndpoints } from "../routes/api/organisations.ts";
import { prefetchEndpoints } from "../routes/api/prefetch.ts";
import { packageEndpoints } from "../routes/api/packages.ts";
import { previewEndpoints } from "../routes/api/preview.ts";
import { searchEndpoints } from "../routes/api/search.ts";
import { snapshotEndpoints } from "../routes/api/snapshots.ts";
import { statsEndpoints } from "../routes/api/stats.ts";
import { statusEndpoints } from "../routes/api/status.ts";
import { ownTokenEndpoints } from "../routes/api/own_tokens.ts";
import { webhookEndpoints } from "../routes/api/webhooks.ts";
import { memberEndpoints } from "../routes/api/members.ts";
import { tokenEndpoints } from "../routes/api/tokens.ts";
import { waiverEndpoints } from "../routes/api/waivers.ts";
import { createParsers } from "../policy/usable.ts";
import { backup, restore } from "../storage/backup.ts";
import { readHeld } from "../storage/cache/held.ts";
import { createInstallDetail } from "../storage/installs/detail.ts";
import { forgetUser } from "../storage/installs/retention.ts";
import { createAuditTrail } from "../storage/kv/audit_trail.ts";
import { listFiles } from "../storage/kv/files.ts";
import type { WaiverParts } from "./compose_waivers.ts";
import type { Insight } from "./insight.ts";
import type { Parts } from "./parts.ts";
import { spool } from "./spool.ts";
import { VERSION } from "./version.ts";

/** What a journal holds is in no backup before it was folded. What fails ends the stream. */
function backupStream(
  parts: Parts,
  options: { readonly withArtifacts: boolean },
): ReadableStream<Uint8Array> {
  const { kv, artifacts, services: { installs, clock, background } } = parts;
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  background.run("backup", async () => {
    try {
      await installs.fold();
    } catch (error) {
      return await writable.abort(error);
    }
    await backup(kv, writable, { clock, ...(options.withArtifacts ? { artifacts } : {}) });
  });
  return readable;
}

/** Goes on when whoever sent it has left: what is half restored is of use to nobody. */
async function restoreFrom(parts: Parts, file: ReadableStream<Uint8Array>): Promise<Restored> {
  const { fence, artifacts, journal, services: { clock, timers, log, background } } = parts;
  const spooled = await spool(file, journal === null ? null : dirname(journal));
  const { promise, resolve, reject } = Promise.withResolvers<Restored>();
  background.run("restore", async () => {
    try {
      const done = await restore(fence.bare, spooled.open, {
        clock,
        timers,
        log,
        journal,
        artifacts,
        replace: true,
      });
      // Here at once; elsewhere with the next look.
      await fence.look();
      const { createdAt, entries, blobs, blobsLeftOut, installsAdded } = done;
      resolve({ createdAt, records: entries, files: blobs, filesLeftOut: blobsLeftOut, installsAdded });
    } catch (error) {
      reject(error);
    } finally {
      await spooled.close();
    }
  });
  return await promise;
}

export function composeApi(parts: Parts, insight: Insight, waivers: WaiverParts): Api {
  const { kv, journal, organisations, tokens, views, services } = parts;
  const { clock, log } = services;
  const auditTrail = createAuditTrail(kv, { clock });
  const ecosystemIds = services.ecosystems.map(({ id }) => id);
  const parsers = createParsers(services.ecosystems);
  const preview = createPreview({
    services,
    queries: insight.queries,
    asked: parts.asked,
    detail: () => createInstallDetail({ kv, journal, clock, timers: services.timers }),
  });
  const hasOrganisation = async (id: string) => await views.view(id) !== null;
  const packages = {
    ecosystems: services.ecosystems,
    cached: insight.cached,
    queries: insight.queries,
    asked: parts.asked,
    upstreamId: insight.upstreamId,
    inspect: (query: Parameters<typeof inspect>[1]) => inspect(services, query),
    files: (key: Parameters<typeof listFiles>[1]) => listFiles(kv, key),
    purlOf: ({ purlType }: { readonly purlType: string }, name: string) =>
      formatPurl({ type: purlType, name, version: null }),
    clock,
  };
  const areas: readonly Endpoint[] = [
    ...installEndpoints({
      queries: insight.queries,
      forgetUser: (user) => forgetUser({ kv, journal, clock, log }, user),
    }),
    ...organisationEndpoints({ organisations, ...parsers, checkAddress: parts.checkAddress }),
    ...previewEndpoints({
      organisations,
      parsePolicy: parsers.parsePolicy,
      ecosystems: services.ecosystems,
      queries: insight.queries,
      preview,
    }),
    ...freezeEndpoints({
      organisations,
      ecosystems: services.ecosystems,
      lookUp: (query) => lookUp(services, query),
      clock,
    }),
    ...waiverEndpoints({
      ...waivers,
      organisations,
      uses: parts.waiverUses,
      ecosystems: services.ecosystems,
      clock,
    }),
    ...snapshotEndpoints({ organisations, clock }),
    ...cacheEndpoints({
      kv,
      store: parts.artifacts,
      cache: parts.cache,
      pins: parts.pins,
      purges: parts.purges,
      ecosystems: services.ecosystems,
      lastUses: parts.cache.lastUses,
      held: () => readHeld(parts),
      clock,
    }),
    ...prefetchEndpoints({
      ecosystems: parts.served,
      queries: insight.queries,
      prefetch: (wishes, options) => prefetch(services, wishes, options),
      clock,
    }),
    ...statusEndpoints(insight.status),
    ...statsEndpoints(insight),
    ...alertEndpoints({
      acknowledge: parts.alerts.acknowledge,
      list: async () => {
        await insight.lookAtSchedule();
        return await parts.alerts.list();
      },
    }),
    ...packageEndpoints(packages),
    ...heldEndpoints({
      queries: insight.queries,
      asked: parts.asked,
      heldNow: (query) => heldNow(services, query),
      clock,
    }),
    ...searchEndpoints({ ...packages, newestOffered: (query) => newestOffered(services, query) }),
    ...backupEndpoints({
      backup: ({ artifacts }) => backupStream(parts, { withArtifacts: artifacts }),
      restore: (file) => restoreFrom(parts, file),
    }),
    ...auditTrailEndpoints(auditTrail),
    ...webhookEndpoints({ test: parts.webhooks.test, list: parts.deliveries.list }),
    ...memberEndpoints({
      members: parts.members,
      sessions: parts.sessions,
      owners: parts.signIn.owners,
      providers: (["github", "oidc"] as const).filter((id) => parts.signIn[id] !== null),
      clock,
    }),
    ...tokenEndpoints({ tokens, ecosystemIds, hasOrganisation }),
    ...ownTokenEndpoints({ tokens, ecosystemIds, clock }),
  ];
  const endpoints = [...areas, ...documentEndpoints(areas, VERSION)];
  return createApi({ endpoints, view: views.view, changed: views.lookAgain, audit: auditTrail });
}
