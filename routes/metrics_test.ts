import assert from "node:assert/strict";
import { createMetrics } from "../storage/metrics.ts";
import { readExposition } from "../tests/fakes/exposition.ts";
import { metricsText } from "./metrics.ts";
import { sampleOperations } from "./testing.ts";

function textOf(metrics = createMetrics()): string {
  return metricsText({
    metrics,
    gauges: sampleOperations().gauges(),
    inFlight: 2,
    upstreams: [],
    version: '1.0 "quoted" \\ \n',
    uptimeSeconds: 1,
  });
}

Deno.test("metricsText: of a process that has seen nothing it is well-formed; a label may hold anything", () => {
  const families = readExposition(textOf());
  assert.equal(families.get("sluice_build_info")!.samples[0]!.labels.version, '1.0 "quoted" \\ \n');
  assert.equal(families.get("sluice_in_flight_requests")!.samples[0]!.value, 2);
  assert.ok(!families.has("sluice_requests_total"), "a family without samples is left out");
});

Deno.test("metricsText: histograms are cumulative, with the bounds in seconds; a clock set back counts as no time", () => {
  const metrics = createMetrics();
  for (const ms of [-5_000, 5, 6, 10_000, 10_001]) {
    metrics.request({ ecosystem: "npm", kind: "artifact", cache: "hit", status: 200, ms });
  }
  const { samples } = readExposition(textOf(metrics)).get("sluice_request_duration_seconds")!;
  const below = (le: string) => samples.find(({ labels }) => labels.le === le)?.value;
  assert.deepEqual([below("0.005"), below("0.01"), below("10"), below("+Inf")], [2, 3, 4, 5]);
  assert.equal(samples.find(({ name }) => name.endsWith("_sum"))?.value, 20.012);
});

Deno.test("createMetrics: origins without end are counted together beyond a hundred", () => {
  const metrics = createMetrics();
  for (let i = 0; i < 300; i++) metrics.upstream(`https://host-${i}.example`, "2xx", 1);
  metrics.upstream("https://host-0.example", "2xx", 1);
  const { upstreams } = metrics.read();
  assert.equal(upstreams.length, 101);
  assert.equal(upstreams.at(-1)!.results.get("2xx"), 200);
  assert.equal(upstreams[0]!.results.get("2xx"), 2);
});
