/** Opens everything that a Sluice works with, from its configuration. */
import {
  createScheduledRefresh,
  createServices,
  forgetAll,
  forgetCached,
  type ScheduledRefresh,
  type Services,
} from "../ecosystems/pipeline.ts";
import { mirroredVersions, type MirrorEntry, mirrorOnly } from "../ecosystems/mirrors.ts";
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import { placeOf } from "../storage/artifacts/open.ts";
import type { ArtifactStore } from "../storage/artifacts/store.ts";
import { createBackground } from "../storage/background.ts";
import { type CacheKeeper, createCacheKeeper } from "../storage/cache/keeper.ts";
import { createFills } from "../storage/fill.ts";
import { createInstallLog } from "../storage/installs/log.ts";
import { createRecordIds } from "../storage/installs/record.ts";
import { createDecisionRecords } from "../storage/kv/decision_store.ts";
import { createFence, type Fence } from "../storage/kv/fence.ts";
import { createDeliveries, type Deliveries } from "../storage/kv/deliveries.ts";
import { createFiles } from "../storage/kv/files.ts";
import type { Alerts } from "../storage/alerts.ts";
import { createAlerts } from "../storage/kv/alerts.ts";
import type { AskedPackages } from "../storage/asked.ts";
import { createAskedPackages } from "../storage/kv/asked_packages.ts";
import { type Counters, createCounters } from "../storage/kv/counters.ts";
import { createGrants } from "../storage/kv/grants.ts";
import { createJobs, type Jobs } from "../storage/kv/jobs.ts";
import { createLeases } from "../storage/kv/leases.ts";
import type { Organisations } from "../storage/kv/organisations.ts";
import { createPackagesInUse } from "../storage/kv/packages_in_use.ts";
import { createPackages } from "../storage/kv/package_store.ts";
import { createMetrics, type Metrics } from "../storage/metrics.ts";
import { lifetimesOf } from "../storage/lifetimes.ts";
import { createPins, type Pins } from "../storage/kv/pins.ts";
import { createPurges, type Purges } from "../storage/kv/purges.ts";
import { createOnce } from "../storage/once.ts";
import { createOrganisationViews, type OrganisationViews } from "../storage/organisations.ts";
import type { Clock, Log, Timers } from "../storage/runtime.ts";
import { createTagHistory } from "../storage/kv/tag_history.ts";
import { createMembers } from "../storage/kv/members.ts";
import { createSessions } from "../storage/kv/sessions.ts";
import { createTokens } from "../storage/kv/tokens.ts";
import type { Members } from "../storage/members.ts";
import type { Sessions } from "../storage/sessions.ts";
import { createWaiverUses, type WaiverUses } from "../storage/kv/waiver_uses.ts";
import type { Tokens } from "../storage/tokens.ts";
import { createUpstreamClient } from "../storage/upstream/client.ts";
import type { AddressCheck } from "../storage/upstream/address_check.ts";
import type { LookupAll } from "../storage/upstream/dispatcher.ts";
import { createGuardedPost } from "../storage/upstream/guarded.ts";
import { type ConfiguredUpstreams, createUpstreams } from "../storage/upstream/upstreams.ts";
import { createWebhooks, type Webhooks } from "../storage/webhooks.ts";
import { pipelineGrants, pipelineRefused } from "./adapters.ts";
import type { Closers } from "./closers.ts";
import type { Config, SignInConfig } from "./config.ts";
import { allUpstreams } from "./default_upstreams.ts";
import { StartError } from "./listen.ts";
import { journalFolder, openConfigured, openConfiguredArtifacts, openOrganisations } from "./storage.ts";

/** What the process hands in; tests hand in their own. */
export interface ComposeDeps {
  readonly ecosystems: readonly Ecosystem[];
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Opens KV as configured, which is what happens where it is not given. */
  readonly openKv?: (config: Config) => Promise<Deno.Kv>;
  /** Opens the artifacts as configured, which is what happens where it is not given. */
  readonly openArtifacts?: typeof openConfiguredArtifacts;
  /** Opens the install log: a journal or segments, as is fit, where it is not given. */
  readonly openInstalls?: typeof createInstallLog;
  /** Resolves webhooks' hosts; the system does where it is not given. */
  readonly lookup?: LookupAll;
}

/** Open, and closed by the closers they were given. */
export interface Parts {
  /** Names this process, among those that share the storage. */
  readonly instance: string;
  readonly kv: Deno.Kv;
  /** Says when a restore was taken up: whoever keeps in memory what KV says drops it then (`onRestored`). */
  readonly fence: Fence;
  /** The install log's journal; null: in KV. */
  readonly journal: string | null;
  readonly organisations: Organisations;
  readonly views: OrganisationViews;
  readonly artifacts: ArtifactStore;
  /** How much is cached, and what is evicted. */
  readonly cache: CacheKeeper;
  readonly pins: Pins;
  readonly purges: Purges;
  readonly jobs: Jobs;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  /** Of a webhook's address. */
  readonly checkAddress: AddressCheck;
  readonly tokens: Tokens;
  readonly sessions: Sessions;
  readonly members: Members;
  readonly signIn: SignInConfig;
  readonly alerts: Alerts;
  readonly metrics: Metrics;
  readonly counters: Counters;
  /** How often files were served thanks to a waiver. */
  readonly waiverUses: WaiverUses;
  /** Which packages each organisation asked for lately. */
  readonly asked: AskedPackages;
  /** With all that the pipeline works with. */
  readonly services: Services;
  /** Those that are not switched off. */
  readonly served: readonly Ecosystem[];
  /** What is kept filled, by canonical names. */
  readonly mirrored: readonly MirrorEntry[];
  /** Keeps packages in use fresh. */
  readonly refreshing: ScheduledRefresh;
}

/** Throws StorageError or StartError; what was opened by then is among the closers. */
export async function openParts(config: Config, deps: ComposeDeps, closers: Closers): Promise<Parts> {
  const { clock, timers, log } = deps;
  await makeDataFolder(config.data);
  const instance = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
  const bare = await (deps.openKv ?? openConfigured)(config);
  closers.add(() => bare.close());
  const fence = await createFence(bare, { clock });
  const { kv, onRestored } = fence;
  const organisations = await openOrganisations(kv, clock);
  const purges = createPurges(kv);
  const views = createOrganisationViews({ organisations, kv, clock, log, timers, purged: purges.seen });
  const openArtifacts = deps.openArtifacts ?? openConfiguredArtifacts;
  const bareStore = await openArtifacts(config, { clock, instance, log, timers });
  closers.add(() => bareStore.close?.());
  const background = createBackground({ log, timers });
  const leases = createLeases({ kv, clock, timers });
  const pins = createPins({ kv, clock });
  const cache = createCacheKeeper({
    kv,
    store: bareStore,
    place: placeOf(config.artifacts),
    maxBytes: config.maxBytes,
    everyMs: config.cleanupInterval,
    owner: instance,
    pins,
    organisations,
    leases,
    background,
    clock,
    log,
  });
  closers.add(() => cache.close());
  const artifacts = cache.store;
  const once = createOnce({ leases, owner: instance, timers, background, log });
  const fills = createFills({
    store: artifacts,
    once,
    background,
    log,
    clock,
    timers,
    idleMs: config.network.idleTimeoutMs,
  });
  const journal = journalFolder(config);
  const installs = (deps.openInstalls ?? createInstallLog)({
    kv,
    journal,
    instance,
    clock,
    log,
    random: Math.random,
    background,
    timers,
  });
  closers.add(() => installs.close());
  const { network } = config;
  const upstreams = usable(() => createUpstreams(allUpstreams(deps.ecosystems, config.upstreams)));
  const metrics = createMetrics();
  const measure = metrics.upstream;
  const lifetimes = lifetimesOf(
    config.lifetimes,
    upstreams.all().map((upstream) => ({ ...upstreams.configOf(upstream), id: upstream.id })),
  );
  const client = { upstreams, network, lifetimes, clock, timers, log, measure };
  const upstream = usable(() => createUpstreamClient(client));
  closers.add(() => upstream.close());
  const guarded = createGuardedPost({
    network,
    timers,
    allowPrivate: config.allowPrivateWebhooks,
    ...(deps.lookup === undefined ? {} : { lookup: deps.lookup }),
  });
  closers.add(() => guarded.close());
  const jobs = createJobs({ kv, clock, log, timers });
  const deliveries = createDeliveries(kv);
  const webhooks = createWebhooks({
    kv,
    jobs,
    views,
    post: guarded.post,
    clock,
    log,
    background,
    deliveries,
    onRestored,
  });
  const tokens = createTokens(kv, { clock, adminToken: config.adminToken, onRestored });
  // A platform's instance may live for less than a minute.
  closers.add(() => tokens.flushUses());
  const alerts = createAlerts(kv, { clock, onRestored });
  const counters = createCounters(kv, { clock, metrics });
  closers.add(() => counters.fold());
  const waiverUses = createWaiverUses(kv, { clock });
  closers.add(() => waiverUses.fold());
  const asked = createAskedPackages(kv, { clock, onRestored });
  closers.add(() => asked.fold());
  const mirrored = usable(() => mirrorsOf(config.mirror, deps.ecosystems));
  const onlyOf = new Map(deps.ecosystems.map(({ id }) => [id, mirrorOnly(mirrored, id)]));
  const services: Services = createServices({
    ecosystems: deps.ecosystems,
    packages: createPackages(kv),
    files: createFiles(kv),
    decisions: createDecisionRecords(kv, { clock, onRestored }),
    tagHistory: createTagHistory(kv),
    artifacts,
    used: cache.used,
    fills,
    once,
    upstreams,
    upstream,
    installs,
    grants: pipelineGrants(createGrants(kv, { clock, onRestored })),
    addWaiver: organisations.addWaiver,
    waiverUsed: waiverUses.used,
    asked: asked.note,
    refused: pipelineRefused(webhooks),
    alerted: (alert) => background.run("raise an alert", () => alerts.raise(alert)),
    metrics,
    newRecordId: createRecordIds(clock, instance, Math.random),
    clock,
    timers,
    log,
    background,
    lifetimes,
    memory: config.memory,
    mirrorOnly: (ecosystem) => onlyOf.get(ecosystem) ?? null,
  });
  purges.onPurge(() => forgetCached(services));
  onRestored(() => forgetAll(services));
  onRestored(views.lookAgain);
  const refreshing = createScheduledRefresh({
    services,
    upstreams: scheduledUpstreams(upstreams, config.disabled, deps.ecosystems),
    inUse: createPackagesInUse(kv),
    leases,
    owner: instance,
    random: Math.random,
    onRestored,
  });
  // As with tokens: what is left is written down when it is asked for again.
  closers.add(() => refreshing.flush(100));
  return {
    instance,
    kv,
    fence,
    journal,
    organisations,
    views,
    artifacts,
    cache,
    pins,
    purges,
    jobs,
    webhooks,
    deliveries,
    checkAddress: guarded.check,
    tokens,
    sessions: createSessions(kv, { clock }),
    members: createMembers(kv, { clock }),
    signIn: config.signIn,
    alerts,
    metrics,
    counters,
    waiverUses,
    asked,
    served: deps.ecosystems.filter(({ id }) => !config.disabled.includes(id)),
    mirrored,
    services,
    refreshing,
  };
}

/** With their ecosystem, those of ecosystems that are switched off left out. */
function scheduledUpstreams(
  upstreams: ConfiguredUpstreams,
  disabled: readonly string[],
  ecosystems: readonly Ecosystem[],
) {
  return upstreams.all().flatMap((upstream) => {
    const { ecosystem: id } = upstreams.configOf(upstream);
    const ecosystem = ecosystems.find((each) => each.id === id);
    return ecosystem === undefined || disabled.includes(id) ? [] : [{ upstream, ecosystem }];
  });
}

/** Throws TypeError for a range that is none in its ecosystem's versions. */
function mirrorsOf(
  entries: readonly MirrorEntry[],
  ecosystems: readonly Ecosystem[],
): readonly MirrorEntry[] {
  return entries.map((entry) => {
    const ecosystem = ecosystems.find(({ id }) => id === entry.ecosystem)!;
    try {
      mirroredVersions(entry, ecosystem);
    } catch (cause) {
      throw new TypeError(cause instanceof Error ? cause.message : String(cause), { cause });
    }
    const { packages } = entry;
    if (packages === "used") return entry;
    return { ...entry, packages: packages.map((name) => ecosystem.canonicalName?.(name) ?? name) };
  });
}

/** Throws StartError for what the schema cannot see: two upstreams that are the same one. */
function usable<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof TypeError) throw new StartError(cause.message, { cause });
    throw cause;
  }
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
