/** Puts a whole Sluice together from its configuration, serves it, and takes it apart again. */
import { createServices, explain, serve, type Services } from "../ecosystems/pipeline.ts";
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import { policyJsonSchema } from "../policy/config.ts";
import { createApp } from "../routes/app.ts";
import { loopbackHosts } from "../routes/host.ts";
import { isLogged } from "../routes/log.ts";
import { openArtifactStore } from "../storage/artifacts/open.ts";
import { createBackground } from "../storage/background.ts";
import { createFills } from "../storage/fill.ts";
import { createInstallLog } from "../storage/installs/log.ts";
import { createRecordIds } from "../storage/installs/record.ts";
import { createDecisionRecords } from "../storage/kv/decision_store.ts";
import { createFiles } from "../storage/kv/files.ts";
import { createGrants } from "../storage/kv/grants.ts";
import { createJobs } from "../storage/kv/jobs.ts";
import { createPackages } from "../storage/kv/package_store.ts";
import { createOrganisationViews } from "../storage/organisations.ts";
import type { Clock, Log, Timers } from "../storage/runtime.ts";
import { createUpstreamClient } from "../storage/upstream/client.ts";
import type { UpstreamConfig } from "../storage/upstream/config.ts";
import { createGuardedPost } from "../storage/upstream/guarded.ts";
import { createUpstreams } from "../storage/upstream/upstreams.ts";
import { createWebhooks } from "../storage/webhooks.ts";
import { pipelineGrants, pipelineRefused } from "./adapters.ts";
import type { Config } from "./config.ts";
import { listen, siteAddress, StartError } from "./listen.ts";
import { createMaintenance } from "./maintenance.ts";
import { journalFolder, openConfigured, openOrganisations } from "./storage.ts";
import { VERSION } from "./version.ts";

/** What the process hands in; tests hand in their own. */
export interface ComposeDeps {
  readonly ecosystems: readonly Ecosystem[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** A Sluice that serves. */
export interface Running {
  /** The port that was taken, where the configuration left it open. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** What clients are told; links begin with it. No trailing slash. */
  readonly baseUrl: string;
  /** What a person should set, in sentences. */
  readonly warnings: readonly string[];
  /** Runs due jobs, folds the install log, drops what is too old. Never rejects; the cron calls it. */
  maintain(): Promise<void>;
  /**
   * Takes no more requests, lets running transfers end within the configured time, writes out the log and closes
   * everything. Safe to call twice.
   */
  close(): Promise<void>;
}

/** Of the time to stop in, what is left for the log and the storage once transfers are cut. */
const CLOSING_MS = 500;

/** Throws StorageError or StartError with one sentence; then nothing is left open. */
export async function compose(config: Config, deps: ComposeDeps): Promise<Running> {
  const { clock, timers, log } = deps;
  /** Undone in the opposite order. */
  const closers: (() => Promise<unknown> | unknown)[] = [];
  async function closeAll(): Promise<void> {
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        log("error", `Cannot close: ${error instanceof Error ? error.message : error}`, { error });
      }
    }
  }
  try {
    return await open();
  } catch (error) {
    await closeAll();
    throw error;
  }

  async function open(): Promise<Running> {
    await makeDataFolder(config.data);
    const instance = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
    const kv = await openConfigured(config);
    closers.push(() => kv.close());
    const organisations = await openOrganisations(kv, clock);
    const views = createOrganisationViews({ organisations, kv, clock, log, timers });
    const artifacts = await openArtifactStore(config.artifacts, { clock, instance, log });
    const background = createBackground({ log, timers });
    const fills = createFills({
      store: artifacts,
      background,
      log,
      clock,
      timers,
      idleMs: config.network.idleTimeoutMs,
    });
    const installs = createInstallLog({
      kv,
      journal: journalFolder(config),
      instance,
      clock,
      log,
      random: Math.random,
      background,
      timers,
    });
    closers.push(() => installs.close());
    const { network } = config;
    const upstreams = createUpstreams([
      ...config.upstreams,
      ...defaultUpstreams(deps.ecosystems, config.upstreams),
    ]);
    const upstream = createUpstreamClient({ upstreams, network, clock, timers, log });
    closers.push(() => upstream.close());
    const guarded = createGuardedPost({ network, timers, allowPrivate: config.allowPrivateWebhooks });
    closers.push(() => guarded.close());
    const jobs = createJobs({ kv, clock, log, timers });
    const webhooks = createWebhooks({ kv, jobs, views, post: guarded.post, clock, log, background });
    const services: Services = createServices({
      ecosystems: deps.ecosystems,
      packages: createPackages(kv),
      files: createFiles(kv),
      decisions: createDecisionRecords(kv, { clock }),
      artifacts,
      fills,
      upstreams,
      upstream,
      installs,
      grants: pipelineGrants(createGrants(kv, { clock })),
      addWaiver: organisations.addWaiver,
      refused: pipelineRefused(webhooks),
      newRecordId: createRecordIds(clock, instance, Math.random),
      clock,
      timers,
      log,
      background,
      lifetimes: config.lifetimes,
      memory: config.memory,
    });

    const server = listen(config.listen, log);
    closers.push(() => server.cut());
    const { baseUrl, warnings } = siteAddress(config.baseUrl, server.address);
    const app = createApp({
      base: new URL(`${baseUrl}/`),
      hosts: loopbackHosts(server.isWildcard ? "localhost" : server.address.hostname, server.address.port),
      ecosystems: deps.ecosystems,
      views,
      unknownOrganisation: config.unknownOrganisation,
      serve: (request) => serve(services, request),
      explain: (query) => explain(services, query),
      policySchema: policyJsonSchema(),
      checks: [
        { name: "kv", run: () => views.count() },
        { name: "artifacts", run: () => firstOf(artifacts.list()) },
      ],
      upstreamHealth: upstream.health,
      version: VERSION,
      startedAt: clock(),
      clock,
      timers,
      log,
      logRequests: isLogged("debug", config.logLevel),
    });
    server.answer((request, info) => app.fetch(request, info));

    const maintain = createMaintenance({ kv, organisations, installs, webhooks, jobs, clock, log });
    let closing: Promise<void> | null = null;

    async function stop(): Promise<void> {
      const until = clock() + config.drainTimeout - CLOSING_MS;
      const left = () => Math.max(0, until - clock());
      await server.drain(left(), timers);
      await fills.drain(left());
      await background.drain(left());
      await closeAll();
    }

    return {
      address: server.address,
      baseUrl,
      warnings,
      maintain,
      close: () => closing ??= stop(),
    };
  }
}

/** Where nobody configured a catch-all, the ecosystem's own upstream is it. */
function defaultUpstreams(
  ecosystems: readonly Ecosystem[],
  configured: readonly UpstreamConfig[],
): readonly UpstreamConfig[] {
  return ecosystems.flatMap(({ id, upstreams }) =>
    Object.entries(upstreams)
      .filter(([key]) =>
        !configured.some((upstream) => {
          return upstream.ecosystem === id && upstream.key === key && upstream.match.length === 0 &&
            upstream.organisations === null;
        })
      )
      .map(([key, url]) => ({
        ecosystem: id,
        key,
        url,
        match: [],
        allowedHosts: [],
        credentials: null,
        organisations: null,
      }))
  );
}

async function makeDataFolder(path: string | null): Promise<void> {
  if (path === null) return;
  try {
    await Deno.mkdir(path, { recursive: true });
    const probe = await Deno.makeTempFile({ dir: path, prefix: ".writable-" });
    await Deno.remove(probe);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`Cannot write to the data folder ${JSON.stringify(path)}: ${why}`, { cause });
  }
}

/** Looks without finding: a store that can be listed answers. */
async function firstOf(list: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of list) return;
}
