/** `/-/health`: 200 as long as this process can answer; what it checked is in the body. */
import type { Clock, Timers } from "../storage/runtime.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import type { EpochMs } from "../policy/types.ts";

/** What became of a check. */
export type CheckState = "ok" | "failing" | "slow";

/** Something that health looks at: resolves if it is well, rejects if not. */
export interface HealthCheck {
  readonly name: string;
  run(): Promise<unknown>;
}

/** What the body says. Names and states only: what failed in words is in the log. */
export interface HealthReport {
  /** `degraded`: this process answers, and something that it needs does not. */
  readonly status: "ok" | "degraded";
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly checks: Readonly<Record<string, CheckState>>;
  readonly upstreams: readonly { readonly origin: string; readonly state: "ok" | "failing" | "open" }[];
}

const CHECK_WITHIN_MS = 1_000;
/** Anybody may ask, at any address: what was found is told again for a second. */
const KEPT_MS = 1_000;

/** One look for all who ask within a second; each check has a second. */
export function createHealth(options: {
  readonly checks: readonly HealthCheck[];
  readonly upstreams: UpstreamClient["health"];
  readonly version: string;
  readonly startedAt: EpochMs;
  readonly clock: Clock;
  readonly timers: Timers;
}): () => Promise<HealthReport> {
  const { clock, timers } = options;
  let looked: { readonly at: number; readonly report: Promise<HealthReport> } | null = null;

  return function health() {
    const now = clock();
    if (looked === null || now - looked.at >= KEPT_MS || now < looked.at) {
      looked = { at: now, report: look(now) };
    }
    return looked.report;
  };

  async function look(now: EpochMs): Promise<HealthReport> {
    const results = await Promise.all(
      options.checks.map(async (check) =>
        [check.name, await runCheck(check, { withinMs: CHECK_WITHIN_MS, timers })] as const
      ),
    );
    const upstreams = options.upstreams().map(({ origin, state }) => ({ origin, state }));
    const isWell = results.every(([, result]) => result === "ok") &&
      upstreams.every(({ state }) => state === "ok");
    return {
      status: isWell ? "ok" : "degraded",
      version: options.version,
      uptimeSeconds: Math.floor((now - options.startedAt) / 1_000),
      checks: Object.fromEntries(results),
      upstreams,
    };
  }
}

/** `slow` after `withinMs`, however long it goes on. Never rejects. */
export async function runCheck(
  check: HealthCheck,
  { withinMs, timers }: { readonly withinMs: number; readonly timers: Timers },
): Promise<CheckState> {
  const done = new AbortController();
  const late = timers.sleep(withinMs, done.signal).then(() => "slow" as const, () => "slow" as const);
  const ran = (async () => await check.run())().then(() => "ok" as const, () => "failing" as const);
  const result = await Promise.race([ran, late]);
  done.abort();
  return result;
}
