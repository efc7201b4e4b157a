/** What the cron does each minute: due jobs, the install log's fold, what is too old, and a look at some digests. */
import type { EpochMs } from "../policy/types.ts";
import type { CacheKeeper } from "../storage/cache/keeper.ts";
import type { InstallLog } from "../storage/installs/log.ts";
import { dropInstallsBefore } from "../storage/installs/retention.ts";
import type { Jobs } from "../storage/kv/jobs.ts";
import type { Organisations } from "../storage/kv/organisations.ts";
import type { Clock, Log } from "../storage/runtime.ts";
import type { Tokens } from "../storage/tokens.ts";
import type { Webhooks } from "../storage/webhooks.ts";
import type { Sampling } from "./sampling.ts";

const RETENTION = "install-retention";
const DAY_MS = 86_400_000;

interface MaintenanceDeps {
  readonly kv: Deno.Kv;
  readonly organisations: Organisations;
  readonly installs: InstallLog;
  readonly webhooks: Webhooks;
  readonly jobs: Jobs;
  readonly tokens: Pick<Tokens, "flushUses">;
  readonly sampling: Pick<Sampling, "begin">;
  readonly cache: Pick<CacheKeeper, "maintain">;
  /** After all else, in this order. */
  readonly further?: readonly { readonly what: string; readonly run: () => Promise<unknown> }[];
  readonly clock: Clock;
  readonly log: Log;
}

/** One round; each part is tried whatever became of the others, and no round begins while one runs. */
export function createMaintenance(deps: MaintenanceDeps): () => Promise<void> {
  const { log, clock } = deps;
  let running: Promise<void> | null = null;
  let plannedDay = -1;

  async function tried(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log("warn", `Cannot ${what}: ${error instanceof Error ? error.message : error}`, { error });
    }
  }

  /** One job a day, whoever is the first to see it: the log's days are whole ones. */
  async function planRetention(): Promise<void> {
    const day = Math.floor(clock() / DAY_MS);
    if (day === plannedDay) return;
    await deps.jobs.enqueue({ kind: RETENTION, key: String(day), payload: null, keepKeyMs: DAY_MS });
    plannedDay = day;
  }

  async function retain(): Promise<void> {
    for (const { id } of await deps.organisations.list()) {
      const parsed = (await deps.organisations.get(id))?.parsed;
      if (!parsed?.ok) continue;
      const before = clock() - parsed.document.retention as EpochMs;
      await dropInstallsBefore(deps.kv, { organisation: id, before });
    }
  }

  async function round(): Promise<void> {
    await tried("send what is due to webhooks", deps.webhooks.runDue);
    await tried("fold the install log", () => deps.installs.fold());
    await tried("write down when tokens were last used", deps.tokens.flushUses);
    await tried("plan the install log's retention", planRetention);
    await tried("drop what is older than the retention", () => deps.jobs.runDue({ [RETENTION]: retain }));
    await tried("see how much is cached", deps.cache.maintain);
    for (const { what, run } of deps.further ?? []) await tried(what, run);
    deps.sampling.begin();
  }

  return () => running ??= round().finally(() => running = null);
}
