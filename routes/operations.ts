/** Pages for whoever runs this: `/-/ready`, `/-/metrics` and `/stats`. */
import type { Clock } from "../storage/runtime.ts";
import type { EpochMs } from "../policy/types.ts";
import type { Metrics } from "../storage/metrics.ts";
import type { Stats } from "../storage/stats.ts";
import { holds } from "../storage/tokens.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import { shownStats } from "./api/stats.ts";
import { quoted } from "./api/field_words.ts";
import type { Identify } from "./api/http.ts";
import { type Gauges, METRICS_TYPE, metricsText } from "./metrics.ts";
import type { Resolved } from "./organisations.ts";
import { jsonPage, pageResponse } from "./page.tsx";
import { type Ready, readyStatus } from "./ready.ts";
import { sayProblem } from "./say_problem.ts";
import type { SiteBindings } from "./site.tsx";
import { statsPage } from "./stats_page.tsx";

/** What is known of this process and its storage. */
export interface Operations {
  readonly ready: Ready;
  readonly metrics: Metrics;
  readonly gauges: () => Gauges;
  /** Who may read `/-/metrics`. `token`: whose token has the scope operate, for the whole instance. */
  readonly metricsFor: "anyone" | "token";
  /** Of an organisation. */
  readonly stats: (organisation: string) => Promise<Stats>;
  /** A package that only named upstreams have: not shown to everybody. */
  readonly isPrivate: (organisation: string, ecosystem: string, name: string) => boolean;
}

export interface OperationPages {
  ready(request: Request, bindings: SiteBindings): Promise<Response>;
  metrics(request: Request, bindings: SiteBindings): Promise<Response>;
  stats(request: Request, resolved: Resolved, prefix: string): Promise<Response>;
}

const MOST_SHOWN = 20;

export function createOperationPages(deps: {
  readonly operations: Operations;
  readonly identify: Identify;
  readonly upstreamHealth: UpstreamClient["health"];
  readonly inFlight: () => number;
  readonly version: string;
  readonly startedAt: EpochMs;
  readonly clock: Clock;
}): OperationPages {
  const { operations, identify, clock } = deps;

  async function ready(request: Request, { target }: SiteBindings): Promise<Response> {
    const required = target.query.getAll("require");
    const unknown = required.find((what) => what !== "upstreams");
    if (unknown !== undefined) {
      const message = `Nothing that can be required is called ${quoted(unknown)}: expected upstreams.`;
      const errors = [{ field: "query.require", message }];
      return sayProblem(request, { status: 400, code: "invalid-input", message, errors });
    }
    const report = await operations.ready();
    return jsonPage(report, readyStatus(report, { circuits: required.length > 0 }));
  }

  async function metrics(request: Request, { info }: SiteBindings): Promise<Response> {
    if (operations.metricsFor === "token") {
      const identified = await identify(request, info);
      if (!identified.ok) {
        const { denial } = identified;
        return sayProblem(request, { ...denial, challenge: denial.challenge && "bearer" });
      }
      const { principal } = identified;
      if (principal === null) return sayProblem(request, TOKEN_REQUIRED);
      if (principal.organisation !== null || !holds(principal, "operate")) {
        return sayProblem(request, NOT_YOURS);
      }
    }
    const body = metricsText({
      metrics: operations.metrics,
      gauges: operations.gauges(),
      inFlight: deps.inFlight(),
      upstreams: deps.upstreamHealth(),
      version: deps.version,
      uptimeSeconds: Math.max(0, Math.floor((clock() - deps.startedAt) / 1_000)),
    });
    return pageResponse({ status: 200, contentType: METRICS_TYPE, body });
  }

  async function stats(request: Request, { view, site }: Resolved, prefix: string): Promise<Response> {
    const shown = shownStats(await operations.stats(view.id), {
      popular: MOST_SHOWN,
      recent: MOST_SHOWN,
      hides: (ecosystem, name) => operations.isPrivate(view.id, ecosystem, name),
    });
    return await statsPage(request.headers.get("accept"), { stats: shown, site, prefix });
  }

  return { ready, metrics, stats };
}

const TOKEN_REQUIRED = {
  status: 401,
  code: "token-required",
  message: "Metrics need a token with the scope operate: send it as Authorization: Bearer.",
  challenge: "bearer",
} as const;
const NOT_YOURS = {
  status: 403,
  code: "scope-missing",
  message: "Metrics need a token of the whole instance with the scope operate.",
} as const;
