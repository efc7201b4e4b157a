/** `/-/ready`: 200 if this process can do its work, else 503 with what fails; asked by whoever sends it requests. */
import type { Clock, Timers } from "../storage/runtime.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import { type CheckState, type HealthCheck, runCheck } from "./health.ts";

/** What the body says. Names and states only: what failed in words is in the log. */
export interface ReadyReport {
  /** `degraded`: an upstream is not asked for a while; what is cached is served. */
  readonly status: "ready" | "degraded" | "not-ready";
  /** Names of the checks that are not `ok`. */
  readonly failing: readonly string[];
  readonly checks: Readonly<Record<string, CheckState>>;
  readonly upstreams: readonly { readonly origin: string; readonly state: "ok" | "failing" | "open" }[];
}

export type Ready = () => Promise<ReadyReport>;

const CHECK_WITHIN_MS = 2_000;
/** Probes come every few seconds, of anybody, and write to the storage: what was found is told again for so long. */
const KEPT_MS = 5_000;

/** One look for all who ask within five seconds, bounded by two. Never rejects. */
export function createReady(options: {
  readonly checks: readonly HealthCheck[];
  readonly upstreams: UpstreamClient["health"];
  readonly clock: Clock;
  readonly timers: Timers;
}): Ready {
  const { clock, timers } = options;
  let looked: { readonly at: number; readonly report: Promise<ReadyReport> } | null = null;

  async function look(): Promise<ReadyReport> {
    const checks = await Promise.all(
      options.checks.map(async (check) =>
        [check.name, await runCheck(check, { withinMs: CHECK_WITHIN_MS, timers })] as const
      ),
    );
    const failing = checks.flatMap(([name, state]) => state === "ok" ? [] : [name]);
    const upstreams = options.upstreams().map(({ origin, state }) => ({ origin, state }));
    const isOpen = upstreams.some(({ state }) => state === "open");
    return {
      status: failing.length > 0 ? "not-ready" : isOpen ? "degraded" : "ready",
      failing,
      checks: Object.fromEntries(checks),
      upstreams,
    };
  }

  return function ready() {
    const now = clock();
    if (looked === null || now - looked.at >= KEPT_MS || now < looked.at) {
      looked = { at: now, report: look() };
    }
    return looked.report;
  };
}

/** `circuits`: an open circuit counts as well, for who wants requests sent elsewhere then. */
export function readyStatus({ status }: ReadyReport, needs: { readonly circuits: boolean }): 200 | 503 {
  return status === "ready" || (status === "degraded" && !needs.circuits) ? 200 : 503;
}
