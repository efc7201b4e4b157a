/** Looks each minute whether all is as it should be, and raises an alert for what is not. */
import type { Ready } from "../routes/ready.ts";
import type { EpochMs } from "../policy/types.ts";
import type { AlertKind, Alerts, NewAlert } from "../storage/alerts.ts";
import type { CacheUsage } from "../storage/cache/keeper.ts";
import { sizeText } from "../storage/cache/size_text.ts";
import { foldLag } from "../storage/installs/lag.ts";
import type { Jobs } from "../storage/kv/jobs.ts";
import type { Clock, Log } from "../storage/runtime.ts";
import type { TokenInfo, Tokens } from "../storage/tokens.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import type { Webhooks } from "../storage/webhooks.ts";

export interface MonitorDeps {
  readonly alerts: Alerts;
  readonly webhooks: Pick<Webhooks, "alert" | "runDue">;
  readonly kv: Deno.Kv;
  readonly journal: string | null;
  readonly health: UpstreamClient["health"];
  readonly usage: () => CacheUsage;
  readonly ready: Ready;
  readonly jobs: Pick<Jobs, "due" | "dead">;
  readonly tokens: Pick<Tokens, "list">;
  readonly clock: Clock;
  readonly log: Log;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A round may be skipped, and another process's comes at another second: what nobody says for so long is over. */
const QUIET_MS = 150_000;
/** Near its bound; eviction begins at it, and goes down to nine tenths. */
const NEARLY_FULL = 0.95;
/** The fold runs twice a minute, and a due job within one. */
const BEHIND_MS = 10 * MINUTE_MS;
const EXPIRING_MS = 7 * DAY_MS;
/** So many tokens are more than anybody looks at each minute. */
const TOKENS_EVERY_MS = 10 * MINUTE_MS;
const TOKENS_QUIET_MS = 2 * TOKENS_EVERY_MS + QUIET_MS;

/** Each look is made whatever became of the others. Never rejects. */
export function createMonitor(deps: MonitorDeps): () => Promise<void> {
  const { alerts, clock, log } = deps;
  /** Origins that failed at the last round: one that fails for a moment is no alert. */
  let failing: ReadonlySet<string> = new Set();
  let tokensAt = -Infinity;

  const looks: readonly { readonly what: string; readonly look: () => Promise<void> }[] = [
    { what: "upstreams", look: lookAtUpstreams },
    { what: "the cache's size", look: lookAtSize },
    { what: "the storage", look: lookAtStorage },
    { what: "the install log", look: lookAtLog },
    { what: "jobs", look: lookAtJobs },
    { what: "tokens", look: lookAtTokens },
    { what: "alerts to tell", look: tell },
  ];

  return async function round() {
    for (const { what, look } of looks) {
      try {
        await look();
      } catch (error) {
        log("warn", `Cannot look at ${what}: ${error instanceof Error ? error.message : error}`, { error });
      }
    }
  };

  /** Raises what is so, and ends what no longer is. */
  async function found(
    kind: AlertKind,
    so: readonly Omit<NewAlert, "kind">[],
    quietMs = QUIET_MS,
  ): Promise<void> {
    for (const each of so) await alerts.raise({ kind, ...each });
    await alerts.settle(kind, quietMs);
  }

  async function lookAtUpstreams(): Promise<void> {
    const health = deps.health();
    const before = failing;
    failing = new Set(health.filter(({ state }) => state === "failing").map(({ origin }) => origin));
    const because = (error: string | null) => error === null ? "" : ` (${error})`;
    await found(
      "upstream-failing",
      health.filter(({ origin }) => failing.has(origin) && before.has(origin)).map(({ origin, lastError }) =>
        ofInstance(origin, `Upstream ${origin} fails${because(lastError)}`)
      ),
    );
    await found(
      "circuit-open",
      health.filter(({ state }) => state === "open").map(({ origin, lastError }) =>
        ofInstance(
          origin,
          `Upstream ${origin} is not asked for a while${because(lastError)}: what is cached is served`,
        )
      ),
    );
  }

  async function lookAtSize(): Promise<void> {
    const { bytes, maxBytes } = deps.usage();
    if (bytes === null || maxBytes === null || bytes < NEARLY_FULL * maxBytes) {
      return await found("cache-nearly-full", []);
    }
    const detail =
      `The cache holds ${sizeText(bytes)} of ${sizeText(maxBytes)}: at its limit what was not used ` +
      "for the longest time goes (setting maxSize; deno task cache purge --unused-for 90d)";
    await found("cache-nearly-full", [ofInstance("cache", detail)]);
  }

  async function lookAtStorage(): Promise<void> {
    const { checks } = await deps.ready();
    const unwell = Object.entries(checks).filter(([, state]) => state !== "ok");
    await found(
      "storage-failing",
      unwell.map(([name, state]) =>
        ofInstance(
          name,
          state === "slow"
            ? `The storage "${name}" takes too long to be written and read`
            : `The storage "${name}" cannot be written and read`,
        )
      ),
    );
  }

  async function lookAtLog(): Promise<void> {
    const { oldestAt } = await foldLag(deps, clock());
    const behindMs = oldestAt === null ? 0 : clock() - oldestAt;
    const detail = `The install log's indexes are ${
      minutes(behindMs)
    } behind: questions take longer, nothing is lost`;
    await found("log-behind", behindMs > BEHIND_MS ? [ofInstance("install log", detail)] : []);
  }

  async function lookAtJobs(): Promise<void> {
    const now = clock();
    const late = (await deps.jobs.due({ now: now - BEHIND_MS as EpochMs, limit: 1 }))[0];
    const detail = `Work that was due ${minutes(now - (late?.runAt ?? now))} ago is not done (${late?.kind})`;
    await found("schedule-behind", late === undefined ? [] : [ofInstance("jobs", detail)]);
    const dead = Map.groupBy(await deps.jobs.dead(), ({ kind }) => kind);
    await found(
      "jobs-failed",
      [...dead].map(([kind, jobs]) =>
        ofInstance(
          kind,
          `${jobs.length} of kind "${kind}" were given up: ${jobs.at(-1)?.lastError ?? "no reason"}`,
        )
      ),
    );
  }

  async function lookAtTokens(): Promise<void> {
    const now = clock();
    if (now >= tokensAt && now - tokensAt < TOKENS_EVERY_MS) return;
    const expiring = (await deps.tokens.list()).filter((token) => isExpiring(token, now));
    await found("token-expiring", expiring.map(alertOfToken), TOKENS_QUIET_MS);
    tokensAt = now;
  }

  async function tell(): Promise<void> {
    await alerts.tell((alert, state) => deps.webhooks.alert(alert, state));
    await deps.webhooks.runDue();
  }
}

/** One that was made for a week or less ends soon on purpose. */
function isExpiring({ expiresAt, createdAt }: TokenInfo, now: EpochMs): boolean {
  if (expiresAt === null || expiresAt <= now) return false;
  return expiresAt - now <= EXPIRING_MS && expiresAt - createdAt > EXPIRING_MS;
}

function alertOfToken({ id, user, description, expiresAt, organisation }: TokenInfo): Omit<NewAlert, "kind"> {
  const what = description === "" ? "" : ` (${description})`;
  const day = new Date(expiresAt ?? 0).toISOString().slice(0, 16);
  return { subject: id, detail: `Token ${id} of ${user}${what} ends at ${day}Z`, organisation };
}

function ofInstance(subject: string, detail: string): Omit<NewAlert, "kind"> {
  return { subject, detail, organisation: null };
}

function minutes(ms: number): string {
  return `${Math.round(ms / MINUTE_MS).toLocaleString("en-GB")} min`;
}
