/** What is Cargo's own: one config.json for all crates, files and web API wherever it says, names in any case. */
import assert from "node:assert/strict";
import { startCargoRegistry } from "../fakes/cargo_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";

const OLD = { publishedAt: daysAgo(100) };
const RECENT = { publishedAt: daysAgo(2) };
const HOUR_MS = 3_600_000;

async function createWorld(env: Readonly<Record<string, string>> = {}) {
  const registry = await startCargoRegistry();
  registry.publish({ name: "Steady", releases: { "1.0.0": OLD, "1.1.0+b": RECENT } });
  registry.publish({ name: "other", releases: { "1.0.0": OLD } });
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_CARGO: registry.upstream.url, ...env } });
  const config = (value: unknown) =>
    registry.upstream.answer("/config.json", {
      body: JSON.stringify(value),
      headers: { "content-type": "application/json" },
    });
  return {
    registry,
    upstream: registry.upstream,
    sluice,
    config,
    cargo: `${sluice.url}/cargo`,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

Deno.test("cargo: config.json is asked for once for all crates, and again once it is no longer fresh", async () => {
  await using world = await createWorld();
  const { cargo, upstream, sluice } = world;
  for (const path of ["st/ea/steady", "ot/he/other", "st/ea/steady"]) {
    assert.equal((await ask(`${cargo}/${path}`)).status, 200);
  }
  assert.equal((await ask(`${cargo}/api/v1/crates/other/1.0.0/download`)).status, 200);
  assert.equal(upstream.asked("/config.json").length, 1);
  assert.equal(upstream.asked("/st/ea/steady").length, 1);
  sluice.advance(2 * HOUR_MS);
  await ask(`${cargo}/st/ea/steady`);
  assert.equal(upstream.asked("/config.json").length, 2);
  const [, again] = upstream.asked("/st/ea/steady");
  assert.ok(again?.headers.get("if-none-match"), "the index file is asked for with its validator");
});

Deno.test("cargo: a crate is one in every case; its file is fetched under its own name", async () => {
  await using world = await createWorld();
  const { cargo, registry, sluice } = world;
  for (const name of ["Steady", "steady", "STEADY"]) {
    const file = await ask(`${cargo}/api/v1/crates/${name}/1.0.0/download`);
    assert.equal(file.status, 200);
    const refused = await ask(`${cargo}/api/v1/crates/${name}/1.1.0%2Bb/download`);
    assert.equal(refused.status, 403);
    assert.match(refused.json().errors[0].detail, /^steady 1\.1\.0\+b is held until /);
    const byName = await ask(`${cargo}/api/v1/crates/${name}/${name}-1.0.0.crate`);
    assert.equal(byName.status, 200);
  }
  assert.equal(registry.downloads("Steady", "1.0.0"), 1);
  assert.deepEqual([...new Set((await sluice.installs()).map((install) => install.package))], ["steady"]);
});

Deno.test("cargo: overrides and why pages take a crate by its name in any case", async () => {
  await using world = await createWorld();
  const { cargo, sluice } = world;
  const file = `${cargo}/api/v1/crates/Steady/1.1.0+b/download`;
  assert.equal((await ask(file)).status, 403);
  for (const name of ["Steady", "steady"]) {
    const why = await ask(`${sluice.url}/-/why/pkg:cargo/${name}@1.1.0%2Bb?format=json`);
    assert.equal(why.status, 200, why.text);
    assert.equal(why.json().verdict, "hold");
    await sluice.setPolicy({ allow: [`cargo/${name}==1.1.0+b`] });
    assert.equal((await ask(file)).status, 200, `allow ${name}`);
    await sluice.setPolicy({ allow: [`cargo/${name}==1.1.0+b`], block: ["cargo/STEADY==1.1.0"] });
    assert.equal((await ask(file)).status, 403, "a denial takes every build of a version, and wins a tie");
    await sluice.setPolicy({});
    assert.equal((await ask(file)).status, 403);
  }
});

Deno.test("cargo: a new dl is followed as soon as config.json was read anew", async () => {
  await using world = await createWorld();
  const { cargo, upstream, sluice, config } = world;
  await ask(`${cargo}/ot/he/other`);
  upstream.answer("/new/other-1.0.0.crate", { status: 404 });
  config({ dl: `${upstream.url}new/{crate}-{version}.crate` });
  sluice.advance(2 * HOUR_MS);
  assert.equal((await ask(`${cargo}/api/v1/crates/other/1.0.0/download`)).status, 404);
  assert.equal(upstream.asked("/new/other-1.0.0.crate").length, 1);
});

Deno.test("cargo: without config.json nothing is let through; with upstream away the kept one goes on", async () => {
  await using world = await createWorld();
  const { cargo, upstream, sluice, config } = world;
  const bad = ["not json", "{}", '{"dl":7}', '{"dl":"javascript:x"}'];
  for (const body of bad) {
    upstream.answer("/config.json", { body, headers: { "content-type": "application/json" }, times: 1 });
    assert.equal((await ask(`${cargo}/st/ea/steady`)).status, 502, body);
    sluice.advance(2 * HOUR_MS);
  }
  upstream.answer("/config.json", { status: 404, times: 1 });
  assert.equal((await ask(`${cargo}/st/ea/steady`)).status, 502);
  sluice.advance(2 * HOUR_MS);
  config({ dl: `${upstream.url}dl` });
  assert.equal((await ask(`${cargo}/st/ea/steady`)).status, 200);
  await upstream.stop();
  sluice.advance(2 * HOUR_MS);
  assert.equal((await ask(`${cargo}/st/ea/steady`)).status, 200);
});

Deno.test("cargo: files and API on another host are asked for only where it is an allowed one", async () => {
  await using files = await startFakeUpstream();
  for (const allowed of ["", files.host]) {
    await using world = await createWorld({ SLUICE_UPSTREAM_CARGO_ALLOWED_HOSTS: allowed });
    const { cargo, config, registry } = world;
    config({ dl: `${files.url}x`, api: files.url });
    const bytes = [...(await archiveOf(registry, "other"))];
    files.answer("/x/other/1.0.0/download", { body: Uint8Array.from(bytes) });
    files.answer(/^\/api\/v1\/crates/, {
      body: '{"crates":[],"crate":{"id":"other"},"versions":[]}',
      headers: { "content-type": "application/json" },
    });
    const paths = ["api/v1/crates/other/1.0.0/download", "api/v1/crates?q=x", "api/v1/crates/other"];
    for (const path of paths) {
      const { status, text } = await ask(`${cargo}/${path}`);
      assert.equal(status, allowed === "" ? 502 : 200, `${path}: ${text}`);
    }
    assert.equal((await ask(`${cargo}/ot/he/other`)).status, 200);
  }
  assert.equal(files.requests.length, 3);
});

Deno.test("cargo: where the registry has no API, pages and searches are not there, and everything else is", async () => {
  await using world = await createWorld();
  const { cargo, config, upstream } = world;
  config({ dl: `${upstream.url}dl`, api: null });
  for (const path of ["api/v1/crates?q=x", "api/v1/crates/other", "api/v1/crates/other/versions"]) {
    const { status, json } = await ask(`${cargo}/${path}`);
    assert.equal(status, 404, path);
    assert.equal(typeof json().errors[0].detail, "string");
  }
  assert.equal((await ask(`${cargo}/api/v1/crates/other/1.0.0/download`)).status, 200);
});

Deno.test("cargo: made-up versions reach no upstream, and pages are asked for once", async () => {
  await using world = await createWorld();
  const { cargo, upstream } = world;
  assert.equal((await ask(`${cargo}/api/v1/crates/other`)).status, 200);
  assert.equal((await ask(`${cargo}/api/v1/crates/other/1.0.0`)).status, 200);
  const before = upstream.requests.length;
  for (const version of ["9.9.9", "1.0.0-x", "constructor", "owners"]) {
    for (const rest of ["", "/download", "/dependencies"]) {
      assert.equal((await ask(`${cargo}/api/v1/crates/other/${version}${rest}`)).status, 404, version + rest);
    }
  }
  assert.equal(upstream.requests.length, before);
});

Deno.test("cargo: with upstream away, pages and searches that were asked for once go on, under today's policy", async () => {
  await using world = await createWorld();
  const { cargo, upstream, sluice } = world;
  const paths = [
    "api/v1/crates?q=e",
    "api/v1/crates/steady",
    "api/v1/crates/steady/1.0.0",
    "api/v1/crates/steady/1.0.0/dependencies",
  ];
  upstream.answer("/api/v1/crates/steady/1.0.0/dependencies", {
    body: '{"dependencies":[]}',
    headers: { "content-type": "application/json" },
  });
  for (const path of paths) assert.equal((await ask(`${cargo}/${path}`)).status, 200, path);
  await upstream.stop();
  sluice.advance(2 * HOUR_MS);
  for (const path of paths) assert.equal((await ask(`${cargo}/${path}`)).status, 200, path);
  const { crate } = (await ask(`${cargo}/api/v1/crates/steady`)).json();
  assert.equal(crate.max_version, "1.0.0");
  await sluice.setPolicy({ block: ["cargo/steady"] });
  assert.equal((await ask(`${cargo}/api/v1/crates/steady`)).json().crate.max_version, "*");
  assert.match((await ask(`${cargo}/api/v1/crates?q=e`)).text, /"max_version":"\*"/);
  for (const path of paths.slice(2)) assert.equal((await ask(`${cargo}/${path}`)).status, 403, path);
});

Deno.test("cargo: an unknown crate is 404 in the form that Cargo reads", async () => {
  await using world = await createWorld();
  const answer = await ask(`${world.cargo}/no/su/nosuch`);
  assert.equal(answer.status, 404);
  assert.match(answer.json().errors[0].detail, /No package "nosuch"/);
});

/** As the registry hands it out. */
async function archiveOf({ upstream }: { readonly upstream: { readonly url: string } }, name: string) {
  return new Uint8Array(await (await fetch(`${upstream.url}dl/${name}/1.0.0/download`)).arrayBuffer());
}

Deno.test("cargo: one crate counts as one package, without config.json and what does not exist", async () => {
  await using world = await createWorld();
  const { cargo, sluice } = world;
  assert.equal((await ask(`${cargo}/st/ea/steady`)).status, 200);
  assert.equal((await ask(`${cargo}/no/ne/none`)).status, 404);
  const stats = await ask(`${sluice.url}/stats`, { headers: { accept: "application/json" } });
  const row = stats.json().ecosystems.find(({ ecosystem }: { ecosystem: string }) => ecosystem === "cargo");
  assert.equal(row.packages, 1);
});
