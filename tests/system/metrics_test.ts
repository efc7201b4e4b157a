/** `/-/metrics` of a whole Sluice: what a scraper reads, and what it must not. */
import assert from "node:assert/strict";
import { type Family, readExposition } from "../fakes/exposition.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";

async function createWorld(env: Readonly<Record<string, string>> = {}) {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "zebra",
    releases: { "1.0.0": { publishedAt: daysAgo(100) }, "1.1.0": { publishedAt: daysAgo(2) } },
  });
  const sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN, ...env },
  });
  return {
    registry,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

function valueOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
) {
  const family = name.replace(/_(?:count|sum|bucket)$/, "");
  const { samples } = families.get(name) ?? families.get(family)!;
  return samples.filter((sample) =>
    sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value)
  ).reduce((sum, { value }) => sum + value, 0);
}

Deno.test("/-/metrics: requests, times, cache, decisions by rule, upstreams, memory; nobody's name and no package's", async () => {
  await using world = await createWorld();
  const { registry, sluice } = world;
  const file = (version: string) => `${sluice.url}/npm/zebra/-/zebra-${version}.tgz`;
  for (let i = 0; i < 3; i++) assert.equal((await ask(file("1.0.0"), { user: "ada" })).status, 200);
  assert.equal((await ask(file("1.1.0"), { user: "ada" })).status, 403);
  assert.equal((await ask(`${sluice.url}/npm/zebra`, { user: "ada" })).status, 200);
  assert.equal((await ask(`${sluice.url}/nothing/here`)).status, 404);
  const scraped = await ask(`${sluice.url}/-/metrics`);
  assert.equal(scraped.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const families = readExposition(scraped.text);
  const npm = { ecosystem: "npm" };
  assert.equal(valueOf(families, "sluice_requests_total", { ...npm, kind: "artifact", status: "2xx" }), 3);
  assert.equal(valueOf(families, "sluice_requests_total", { ...npm, kind: "refused", status: "4xx" }), 1);
  assert.equal(valueOf(families, "sluice_requests_total", { kind: "rejected" }), 1);
  assert.equal(valueOf(families, "sluice_request_duration_seconds_count", npm), 5);
  assert.equal(valueOf(families, "sluice_cache_total", { kind: "artifact", outcome: "filled" }), 1);
  assert.equal(valueOf(families, "sluice_cache_total", { kind: "artifact", outcome: "hit" }), 2);
  assert.equal(valueOf(families, "sluice_decisions_total", { verdict: "allow", rule: "none" }), 3);
  assert.equal(valueOf(families, "sluice_decisions_total", { verdict: "hold", rule: "minimumAge" }), 1);
  const { origin } = new URL(registry.upstream.url);
  assert.equal(valueOf(families, "sluice_upstream_requests_total", { origin, result: "2xx" }), 2);
  assert.equal(valueOf(families, "sluice_upstream_duration_seconds_count", { origin }), 2);
  assert.equal(valueOf(families, "sluice_upstream_state", { origin }), 0);
  assert.ok(valueOf(families, "sluice_memory_bytes", { kind: "rss" }) > 1_000_000);
  assert.ok(valueOf(families, "sluice_memory_cache_bytes", { cache: "artifacts" }) > 0);
  assert.ok(valueOf(families, "sluice_in_flight_requests") <= 1);
  const lines = scraped.text.split("\n").length;
  registry.upstream.answer(/^\/made-up-/, { status: 404 });
  for (let i = 0; i < 50; i++) await ask(`${sluice.url}/npm/made-up-${i}`);
  for (let i = 0; i < 50; i++) await ask(`${sluice.url}/made-up/${i}`);
  const later = await ask(`${sluice.url}/-/metrics`);
  const grown = later.text.split("\n").length - lines;
  assert.ok(grown < 40, `what strangers think up makes ${grown} lines`);
  assert.ok(!/\bada\b|zebra|made-up/.test(later.text), "no name");
});

Deno.test("/-/metrics: with `metrics: token` for the instance's operators alone", async () => {
  await using world = await createWorld({ SLUICE_METRICS: "token" });
  const { sluice } = world;
  const scrape = (token: string | null) =>
    ask(`${sluice.url}/-/metrics`, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  const make = async (organisation: string | null, scopes: readonly string[]) => {
    const made = await ask(`${sluice.url}/-/api/v1/tokens`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN}` },
      body: new TextEncoder().encode(JSON.stringify({ user: "prometheus", organisation, scopes })),
    });
    return made.json().secret;
  };
  const none = await scrape(null);
  assert.deepEqual([none.status, none.headers.has("www-authenticate")], [401, true]);
  assert.equal((await scrape(await make("default", ["operate"]))).status, 403);
  assert.equal((await scrape(await make(null, ["audit"]))).status, 403);
  assert.equal((await scrape("slu_nobody00000_0000000000000000000000000000000000000000000")).status, 401);
  const admitted = await scrape(await make(null, ["operate"]));
  assert.equal(admitted.status, 200);
  readExposition(admitted.text);
});

Deno.test("/-/metrics, /-/ready, /-/health: at whatever address a probe knows, and while as much is answered as may be", async () => {
  await using world = await createWorld({ SLUICE_REQUESTS_AT_ONCE: "1" });
  const { sluice, registry } = world;
  const { promise, resolve } = Promise.withResolvers<void>();
  registry.upstream.answer("/slow", async () => {
    await promise;
    return { status: 404 };
  });
  const slow = ask(`${sluice.url}/npm/slow`);
  while (registry.upstream.asked("/slow").length === 0) await new Promise((done) => setTimeout(done, 5));
  assert.equal((await ask(`${sluice.url}/npm/zebra`)).status, 503);
  const full = await ask(`${sluice.url}/-/api/v1/status`, { headers: { accept: "*/*" } });
  assert.deepEqual([full.status, full.json().title], [503, "Service Unavailable"]);
  for (const path of ["/-/metrics", "/-/ready", "/-/health"]) {
    const answer = await ask(`http://127.0.0.1:${sluice.port}${path}`, {
      headers: { host: "10.1.2.3:8080" },
    });
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  }
  resolve();
  assert.equal((await slow).status, 404);
});
