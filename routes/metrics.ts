/** `/-/metrics`: what this process counted, in Prometheus' text form 0.0.4. No name of a person or a package in it. */
import { BOUNDS_MS, type Histogram, type Metrics } from "../storage/metrics.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";

/** What is so at the moment. */
export interface Gauges {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  /** By cache: `memo`, `facts`, `artifacts`. */
  readonly caches: Readonly<Record<string, number>>;
  readonly fills: number;
  /** Since the last round of maintenance began; they come each minute. */
  readonly maintenanceAgeSeconds: number;
}

export interface MetricsPage {
  readonly metrics: Metrics;
  readonly gauges: Gauges;
  readonly inFlight: number;
  readonly upstreams: ReturnType<UpstreamClient["health"]>;
  readonly version: string;
  readonly uptimeSeconds: number;
}

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Readonly<Record<string, string>>;

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly lines: readonly string[];
}

/** One family after another, each with its help and type; ends with a line feed. */
export function metricsText(page: MetricsPage): string {
  return [...counted(page), ...moment(page)]
    .filter(({ lines }) => lines.length > 0)
    .map(({ name, type, help, lines }) =>
      `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`
    )
    .join("");
}

function counted({ metrics }: MetricsPage): readonly Family[] {
  const { requests, decisions, upstreams } = metrics.read();
  const each = requests.map((slot) => ({
    ...slot,
    labels: { ecosystem: slot.ecosystem ?? "none", kind: slot.kind },
  }));
  return [
    family(
      "sluice_requests_total",
      "counter",
      "Requests whose answer was begun.",
      (name) =>
        each.flatMap(({ labels, statuses }) =>
          [...statuses].map(([first, count]) => sample(name, { ...labels, status: `${first}xx` }, count))
        ),
    ),
    family(
      "sluice_request_duration_seconds",
      "histogram",
      "Time until the head of an answer.",
      (name) => each.flatMap(({ labels, times }) => histogram(name, labels, times)),
    ),
    family(
      "sluice_cache_total",
      "counter",
      "How the cache took part in answers.",
      (name) =>
        each.flatMap(({ labels, caches }) =>
          [...caches].map(([outcome, count]) => sample(name, { ...labels, outcome }, count))
        ),
    ),
    family(
      "sluice_decisions_total",
      "counter",
      "Files decided on, by the rule that counted most.",
      (name) => decisions.map(({ count, ...labels }) => sample(name, labels, count)),
    ),
    family(
      "sluice_upstream_requests_total",
      "counter",
      "Requests to upstreams.",
      (name) =>
        upstreams.flatMap(({ origin, results }) =>
          [...results].map(([result, count]) => sample(name, { origin, result }, count))
        ),
    ),
    family(
      "sluice_upstream_duration_seconds",
      "histogram",
      "Time until the head of an upstream's answer.",
      (name) => upstreams.flatMap(({ origin, times }) => histogram(name, { origin }, times)),
    ),
  ];
}

const CIRCUIT = { ok: 0, failing: 1, open: 2 } as const;

function moment({ gauges, inFlight, upstreams, version, uptimeSeconds }: MetricsPage): readonly Family[] {
  const { rssBytes, heapUsedBytes, heapTotalBytes, externalBytes, caches } = gauges;
  const memory = {
    rss: rssBytes,
    heap_used: heapUsedBytes,
    heap_total: heapTotalBytes,
    external: externalBytes,
  };
  return [
    family(
      "sluice_upstream_state",
      "gauge",
      "0: ok, 1: failing, 2: not asked for a while.",
      (name) => upstreams.map(({ origin, state }) => sample(name, { origin }, CIRCUIT[state])),
    ),
    family("sluice_in_flight_requests", "gauge", "Requests that are being answered.", (name) => [
      sample(name, {}, inFlight),
    ]),
    family("sluice_fills", "gauge", "Files that are being fetched.", (name) => [
      sample(name, {}, gauges.fills),
    ]),
    family(
      "sluice_memory_bytes",
      "gauge",
      "Memory of the process.",
      (name) => Object.entries(memory).map(([kind, bytes]) => sample(name, { kind }, bytes)),
    ),
    family(
      "sluice_memory_cache_bytes",
      "gauge",
      "What is kept in memory.",
      (name) => Object.entries(caches).map(([cache, bytes]) => sample(name, { cache }, bytes)),
    ),
    family(
      "sluice_maintenance_age_seconds",
      "gauge",
      "Since the last round of maintenance, which comes each minute.",
      (name) => [sample(name, {}, gauges.maintenanceAgeSeconds)],
    ),
    family("sluice_uptime_seconds", "gauge", "Since the process was started.", (name) => [
      sample(name, {}, uptimeSeconds),
    ]),
    family("sluice_build_info", "gauge", "Always 1.", (name) => [sample(name, { version }, 1)]),
  ];
}

function family(
  name: string,
  type: Family["type"],
  help: string,
  lines: (name: string) => readonly string[],
): Family {
  return { name, type, help, lines: lines(name) };
}

/** Cumulative, as Prometheus wants it, in seconds. */
function histogram(name: string, labels: Labels, { counts, sumMs }: Histogram): readonly string[] {
  let below = 0;
  const buckets = counts.map((count, index) => {
    below += count;
    const bound = BOUNDS_MS[index];
    return sample(
      `${name}_bucket`,
      { ...labels, le: bound === undefined ? "+Inf" : String(bound / 1_000) },
      below,
    );
  });
  return [...buckets, sample(`${name}_sum`, labels, sumMs / 1_000), sample(`${name}_count`, labels, below)];
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
