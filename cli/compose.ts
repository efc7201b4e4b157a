/** Puts a whole Sluice together from its configuration, serves it, and takes it apart again. */
import { createMirror, explain, serve } from "../ecosystems/pipeline.ts";
import { policyJsonSchema } from "../policy/config.ts";
import { createApp } from "../routes/app.ts";
import { loopbackHosts } from "../routes/host.ts";
import { isLogged } from "../routes/log.ts";
import { toldOnce } from "../storage/told_once.ts";
import { type Closers, createClosers } from "./closers.ts";
import type { Config } from "./config.ts";
import { listen, siteAddress } from "./listen.ts";
import { createInsight } from "./insight.ts";
import { createMaintenance } from "./maintenance.ts";
import { createMonitor } from "./monitor.ts";
import { readinessChecks } from "./readiness.ts";
import { createReady } from "../routes/ready.ts";
import { composeApi } from "./compose_api.ts";
import { composeWaivers } from "./compose_waivers.ts";
import { composeSignIn } from "./compose_sign_in.ts";
import { type ComposeDeps, openParts, type Parts } from "./parts.ts";
import { createSampling } from "./sampling.ts";
import { VERSION } from "./version.ts";

export type { ComposeDeps } from "./parts.ts";

/** A Sluice that serves. */
export interface Running {
  /** The port that was taken, where the configuration left it open. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** What clients are told; links begin with it. No trailing slash. */
  readonly baseUrl: string;
  /** What a person should set, in sentences. */
  readonly warnings: readonly string[];
  /** Signs the operator in, once: on loopback, where no provider is set up; else null. */
  readonly localLink: string | null;
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
export async function compose(config: Config, given: ComposeDeps): Promise<Running> {
  const deps = { ...given, log: toldOnce(given.log) };
  const closers = createClosers(deps.log);
  try {
    return serveParts(config, deps, closers, await openParts(config, deps, closers));
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

function serveParts(config: Config, deps: ComposeDeps, closers: Closers, parts: Parts): Running {
  const { clock, timers, log } = deps;
  const { views, artifacts, services } = parts;
  const server = listen(config.listen, deps);
  closers.add(() => server.cut());
  const { baseUrl, warnings } = siteAddress(config.baseUrl, server.address);
  const startedAt = clock();
  let maintainedAt = startedAt;
  const live = { startedAt, inFlight: () => app.inFlight(), maintainedAt: () => maintainedAt };
  const insight = createInsight(parts, { config, live });
  const upstreams = services.upstream.health;
  const ready = createReady({ checks: readinessChecks(parts), upstreams, clock, timers });
  closers.add(() => insight.processes.leave(parts.instance));
  const { localLink, ...signIn } = composeSignIn(config, parts, {
    base: new URL(`${baseUrl}/`),
    hostname: server.address.hostname,
    trustedProxies: config.trustedProxies,
    timers,
    closers,
  });
  const waivers = composeWaivers(parts, { root: baseUrl });
  const app = createApp({
    base: new URL(`${baseUrl}/`),
    hosts: loopbackHosts(server.isWildcard ? "localhost" : server.address.hostname, server.address.port),
    ecosystems: deps.ecosystems,
    root: config.root,
    disabled: config.disabled,
    views,
    unknownOrganisation: config.unknownOrganisation,
    serve: (request) => serve(services, request),
    explain: (query) => explain(services, query),
    policySchema: policyJsonSchema(),
    tokens: parts.tokens,
    trustedProxies: config.trustedProxies,
    api: composeApi(parts, insight, waivers),
    waivers,
    ...signIn,
    restores: parts.fence.generation,
    operations: { ...insight, ready, metrics: parts.metrics, metricsFor: config.metrics },
    checks: [
      { name: "kv", run: () => views.count() },
      { name: "artifacts", run: () => firstOf(artifacts.list()) },
    ],
    upstreamHealth: upstreams,
    version: VERSION,
    startedAt,
    inFlight: config.inFlight,
    clock,
    timers,
    log,
    logRequests: isLogged("debug", config.logLevel),
  });
  server.answer((request, info) => app.fetch(request, info));

  const sampling = createSampling({
    address: config.artifacts,
    kv: parts.kv,
    store: artifacts,
    background: services.background,
    clock,
    timers,
    log,
  });
  const monitor = createMonitor({ ...parts, health: upstreams, usage: parts.cache.usage, ready, clock, log });
  const mirror = createMirror({
    ...parts,
    entries: parts.mirrored.filter(({ ecosystem }) => parts.served.some(({ id }) => id === ecosystem)),
    queries: insight.queries,
    view: views.view,
  });
  // Behind the rest of the round: what is downloaded may take longer than the minute.
  const fillMirrors = () => {
    services.background.run("fill the mirrors", mirror.round);
    return Promise.resolve();
  };
  const maintain = createMaintenance({
    ...parts,
    installs: services.installs,
    sampling,
    further: [
      { what: "write down what was counted", run: parts.counters.fold },
      { what: "write down the use of waivers", run: parts.waiverUses.fold },
      { what: "write down which packages were asked for", run: parts.asked.fold },
      { what: "say that this process runs", run: () => insight.processes.say(insight.self()!) },
      { what: "see whether all is well", run: monitor },
      { what: "refresh what is in use", run: parts.refreshing.round },
      { what: "fill the mirrors", run: fillMirrors },
    ],
    clock,
    log,
  });
  let closing: Promise<void> | null = null;

  async function stop(): Promise<void> {
    const until = clock() + config.drainTimeout - CLOSING_MS;
    const left = () => Math.max(0, until - clock());
    sampling.stop();
    parts.cache.stop();
    parts.refreshing.stop();
    mirror.stop();
    await server.drain(left());
    await services.fills.drain(left());
    await services.background.drain(left());
    await closers.closeAll();
  }

  return {
    address: server.address,
    baseUrl,
    warnings,
    localLink,
    maintain() {
      maintainedAt = clock();
      return maintain();
    },
    close: () => closing ??= stop(),
  };
}

/** Looks without finding: a store that can be listed answers. */
async function firstOf(list: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of list) return;
}
