import assert from "node:assert/strict";
import { freeze, type FreezeCommand } from "../../cli/freeze.ts";
import { snapshot } from "../../cli/snapshot.ts";
import { testIo } from "../../cli/testing.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

/** When the commands' own clock stands. */
const NOW = Date.UTC(2026, 10, 21, 12);
const daysAgo = (days: number) => new Date(NOW - days * 86_400_000).toISOString();
const ADMIN = "an-admin-token-of-more-than-32-characters";

async function world() {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "widget",
    releases: {
      "1.0.0": { publishedAt: daysAgo(300) },
      "1.1.0": { publishedAt: daysAgo(200) },
      "2.0.0": { publishedAt: daysAgo(100) },
    },
  });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN };
  const sluice = await startSluice({ env, now: NOW });
  return {
    registry,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** As the server is configured, where they speak to its data folder. */
function commands(
  sluice: TestSluice,
  place: readonly string[],
  upstream: Readonly<Record<string, string>> = {},
) {
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN, ...upstream } });
  return {
    async freezing(name: FreezeCommand, ...args: string[]) {
      const code = await freeze(name, [...args, ...place], io);
      return { code, ...io.take() };
    },
    async snapshot(...args: string[]) {
      const code = await snapshot([...args, ...place], io);
      return { code, ...io.take() };
    },
  };
}

async function versions(sluice: TestSluice, at = ""): Promise<readonly string[]> {
  return Object.keys((await ask(`${sluice.url}${at}/npm/widget`)).json().versions ?? {});
}

for (const where of ["the data folder", "a running server"] as const) {
  Deno.test(`deno task freeze, frozen, unfreeze on ${where}: in force within a second`, async () => {
    await using at = await world();
    const { sluice } = at;
    const place = where === "the data folder" ? ["--data", sluice.data] : ["--server", sluice.url];
    const run = commands(sluice, place, { SLUICE_UPSTREAM_NPM: at.registry.upstream.url });
    assert.deepEqual(await versions(sluice), ["1.0.0", "1.1.0", "2.0.0"]);

    const made = await run.freezing("freeze", "npm/widget@1.1.0", "--reason", "the audit", "--until", "30d");
    assert.deepEqual([made.code, made.err], [0, ""]);
    assert.match(made.out, /^pkg:npm\/widget is frozen as of 2026-05-05 12:00Z, until 2026-12-21 12:00Z/);
    sluice.advance(1_001);
    assert.deepEqual(await versions(sluice), ["1.0.0", "1.1.0"]);
    const refused = await ask(`${sluice.url}/npm/widget/-/widget-2.0.0.tgz`);
    assert.match(refused.text, /is denied until 2026-12-21T12:00Z: newer than the freeze at .*: the audit/);

    // Once more replaces it.
    assert.equal((await run.freezing("freeze", "pkg:npm/widget", "--at", daysAgo(250))).code, 0);
    sluice.advance(1_001);
    assert.deepEqual(await versions(sluice), ["1.0.0"]);
    const listed = JSON.parse((await run.freezing("frozen", "--json")).out);
    assert.deepEqual(
      listed.map(({ purl, at, until, reason }: Record<string, unknown>) => [purl, at, until, reason]),
      [
        ["pkg:npm/widget", daysAgo(250), null, null],
      ],
    );
    assert.match(
      (await run.freezing("frozen", "npm/widget")).out,
      /pkg:npm\/widget +2026-03-16 12:00Z +lifted/,
    );
    assert.match((await run.freezing("frozen", "npm/other")).out, /Nothing is frozen/);

    assert.match((await run.freezing("unfreeze", "npm/widget")).out, /pkg:npm\/widget is frozen no more/);
    sluice.advance(1_001);
    assert.deepEqual(await versions(sluice), ["1.0.0", "1.1.0", "2.0.0"]);
    const again = await run.freezing("unfreeze", "npm/widget");
    assert.deepEqual([again.code, again.err], [1, "pkg:npm/widget is not frozen\n"]);
  });
}

Deno.test("a freeze is its organisation's alone, and ends by itself", async () => {
  await using at = await world();
  const { sluice } = at;
  await sluice.setPolicy({}, "acme");
  const run = commands(sluice, ["--server", sluice.url, "--org", "acme"]);
  assert.equal((await run.freezing("freeze", "npm/widget", "--at", daysAgo(250), "--until", "1d")).code, 0);
  sluice.advance(1_001);
  assert.deepEqual(await versions(sluice, "/o/acme"), ["1.0.0"]);
  assert.equal((await versions(sluice)).length, 3);
  sluice.advance(86_400_000);
  assert.equal((await versions(sluice, "/o/acme")).length, 3);
  assert.match((await run.freezing("frozen")).out, /Nothing is frozen/);
});

Deno.test("POST /freeze and /snapshots: what is wrong is 400 with its field, and nothing is made", async () => {
  await using at = await world();
  const { sluice } = at;
  at.registry.upstream.answer("/nobody-has-this", { status: 404 });
  const future = new Date(NOW + 60_000).toISOString();
  const rows: readonly (readonly [string, unknown, string, RegExp])[] = [
    ["/freeze", { purl: "widget" }, "body.purl", /no purl/],
    ["/freeze", { purl: "pkg:gem/rails" }, "body.purl", /of no ecosystem here/],
    ["/freeze", { purl: "pkg:npm/nobody-has-this" }, "body.purl", /no package pkg:npm\/nobody-has-this/],
    ["/freeze", { purl: "pkg:npm/widget@9.9.9" }, "body.purl", /no release "9\.9\.9"/],
    ["/freeze", { purl: "pkg:npm/widget", at: future }, "body.at", /future/],
    ["/freeze", { purl: "pkg:npm/widget", at: "soon" }, "body.at", /neither a date/],
    ["/freeze", { purl: "pkg:npm/widget@1.0.0", at: "2026-01-01" }, "body.at", /says the instant already/],
    ["/freeze", { purl: "pkg:npm/widget", until: "2026-11-20" }, "body.until", /has passed/],
    ["/freeze", { purl: "pkg:npm/widget", untill: "2027-05-31" }, "body.untill", /nothing of this name/],
    ["/freeze", {}, "body.purl", /./],
    ["/snapshots", { name: "2026-01-01" }, "body.name", /a letter/],
    ["/snapshots", { name: "a b" }, "body.name", /a letter/],
    ["/snapshots", { name: "spring", at: future }, "body.at", /future/],
  ];
  for (const [path, body, field, words] of rows) {
    const response = await fetch(`${sluice.url}/-/api/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN}` },
      body: JSON.stringify(body),
    });
    const problem = await response.json();
    assert.equal(response.status, 400, JSON.stringify(problem));
    assert.equal(problem.errors[0].field, field);
    assert.match(problem.errors[0].message, words);
  }
  const run = commands(sluice, ["--server", sluice.url]);
  assert.match((await run.freezing("frozen")).out, /Nothing is frozen/);
  assert.match((await run.snapshot("list")).out, /no snapshots/);
  assert.equal((await run.freezing("freeze")).code, 2);
  assert.equal((await run.freezing("frozen", "a", "b")).code, 2);
  assert.equal((await run.snapshot("fly")).code, 2);
});

Deno.test("deno task snapshot: a name for an instant, used in addresses, never silently another; deleted within a second", async () => {
  await using at = await world();
  const { sluice } = at;
  const local = commands(sluice, ["--data", sluice.data]);
  const remote = commands(sluice, ["--server", sluice.url]);
  const made = await local.snapshot(
    "create",
    "spring",
    "--at",
    daysAgo(150),
    "--description",
    "before the move",
  );
  assert.match(made.out, /spring is 2026-06-24 12:00Z\. Clients use it below \/at\/spring\//);
  sluice.advance(1_001);
  assert.deepEqual(await versions(sluice, "/at/spring"), ["1.0.0", "1.1.0"]);
  const taken = await remote.snapshot("create", "spring");
  assert.deepEqual([taken.code, /there is a snapshot "spring"/.test(taken.err)], [1, true]);
  assert.equal((await remote.snapshot("create", "now")).code, 0);
  const listed = await remote.snapshot("list");
  assert.match(listed.out, /spring +2026-06-24 12:00Z .*before the move/);
  assert.match(listed.out, /now +2026-11-21 12:00Z/);
  await sluice.setPolicy({}, "acme");
  assert.equal((await ask(`${sluice.url}/o/acme/at/spring/npm/widget`)).status, 404);
  assert.equal((await remote.snapshot("delete", "spring")).code, 0);
  sluice.advance(1_001);
  assert.equal((await ask(`${sluice.url}/at/spring/npm/widget`)).status, 404);
  assert.equal((await remote.snapshot("delete", "spring")).code, 1);
});
