import assert from "node:assert/strict";
import { org } from "../../cli/org.ts";
import { testIo } from "../../cli/testing.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(NOW - days * DAY_MS).toISOString();
const ADMIN = "an-admin-token-of-more-than-32-characters";

async function world() {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "widget",
    releases: {
      "1.0.0": { publishedAt: daysAgo(300) },
      "1.1.0": { publishedAt: daysAgo(20) },
      "1.2.0": { publishedAt: daysAgo(3) },
    },
  });
  registry.publish({ name: "other", releases: { "1.0.0": { publishedAt: daysAgo(300) } } });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN };
  const sluice = await startSluice({ env, now: NOW });
  const take = async (user: string, name: string, version: string) => {
    const { status } = await ask(`${sluice.url}/npm/${name}/-/${name}-${version}.tgz`, { user });
    return status;
  };
  return {
    registry,
    sluice,
    take,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function api(sluice: TestSluice, path: string, body?: unknown, token = ADMIN) {
  const response = await fetch(`${sluice.url}/-/api/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // deno-lint-ignore no-explicit-any -- tests look into documents of any form
  return { status: response.status, body: (await response.json()) as any };
}

const PREVIEW = "/organisations/default/policy/preview";

// deno-lint-ignore no-explicit-any -- as above
function told(list: any) {
  // deno-lint-ignore no-explicit-any -- as above
  return list.releases.map(({ purl, rule, times, users }: any) => ({ purl, rule, times, users }));
}

Deno.test("POST …/policy/preview: who would have been refused, what would have been allowed, what would be let go", async () => {
  await using at = await world();
  const { sluice, take } = at;
  assert.deepEqual(
    [
      await take("ada", "widget", "1.1.0"),
      await take("ada", "widget", "1.1.0"),
      await take("bob", "widget", "1.1.0"),
    ],
    [200, 200, 200],
  );
  assert.equal(await take("eve", "widget", "1.2.0"), 403);
  assert.equal(await take("ada", "other", "1.0.0"), 200);

  const stricter = await api(sluice, PREVIEW, { document: { minimumAge: "30d" } });
  assert.equal(stricter.status, 200, JSON.stringify(stricter.body));
  assert.deepEqual(told(stricter.body.refused), [{
    purl: "pkg:npm/widget@1.1.0",
    rule: "minimumAge",
    times: 3,
    users: [{ user: "ada", times: 2 }, { user: "bob", times: 1 }],
  }]);
  assert.deepEqual([stricter.body.refused.times, stricter.body.refused.userCount], [3, 2]);
  assert.deepEqual([stricter.body.allowed.times, stricter.body.letGo.releaseCount], [0, 0]);
  assert.deepEqual(stricter.body.packages, { looked: 2, of: 2, uncached: 0, more: false });

  const laxer = await api(sluice, PREVIEW, { document: { minimumAge: "1d" } });
  assert.deepEqual(told(laxer.body.allowed), [{
    purl: "pkg:npm/widget@1.2.0",
    rule: "minimumAge",
    times: 1,
    users: [{ user: "eve", times: 1 }],
  }]);
  assert.deepEqual(
    laxer.body.letGo.releases.map((
      { purl, rule, heldUntil }: Record<string, string>,
    ) => [purl, rule, heldUntil]),
    [["pkg:npm/widget@1.2.0", "minimumAge", new Date(NOW + 7 * DAY_MS).toISOString()]],
  );
  assert.equal(laxer.body.refused.times, 0);

  // What was folded counts as what was not, and each record once.
  await sluice.maintain();
  assert.equal(await take("bob", "widget", "1.1.0"), 200);
  const blocked = await api(sluice, PREVIEW, { document: { block: ["npm/widget"], closed: true } });
  assert.deepEqual([blocked.body.refused.times, told(blocked.body.refused)[0].rule], [4, "override"]);
  assert.deepEqual(blocked.body.consequences, ["Nobody will be answered any more: closed is true."]);
  assert.equal((await ask(`${sluice.url}/npm/widget`)).status, 200);

  assert.equal((await ask(`${sluice.url}/npm/other/-/other-1.0.0.tgz`)).status, 200);
  const named = await api(sluice, PREVIEW, { document: { callers: "named" } });
  assert.deepEqual(named.body.consequences, [
    "Callers without a name will be told 401: 1 install of the last 30 days had none.",
  ]);
});

Deno.test("POST …/policy/preview: installs of a month and more ago are not told, and upstream is never asked", async () => {
  await using at = await world();
  const { sluice, take, registry } = at;
  assert.equal(await take("ada", "widget", "1.1.0"), 200);
  sluice.advance(32 * DAY_MS);
  await sluice.maintain();
  const asked = registry.upstream.requests.length;
  const found = await api(sluice, PREVIEW, { document: { block: ["npm/widget"] } });
  assert.deepEqual([found.body.refused.times, found.body.packages.of], [0, 0]);
  assert.equal(registry.upstream.requests.length, asked);
});

Deno.test("POST …/policy/preview: every mistake is told with its place, and nobody's secret", async () => {
  await using at = await world();
  const found = await api(at.sluice, PREVIEW, {
    document: { minimumAge: 14, webhooks: [{ url: "ftp://hooks.example/SECRET" }] },
  });
  assert.equal(found.status, 422);
  const fields = found.body.errors.map(({ field }: { field: string }) => field);
  assert.deepEqual(fields, ["body.document.minimumAge", "body.document.webhooks[0].url"]);
  assert.ok(!JSON.stringify(found.body).includes("SECRET"));
});

Deno.test("POST …/policy/preview: a token that may not read the log is told how many, not who", async () => {
  await using at = await world();
  const { sluice, take } = at;
  await take("ada", "widget", "1.1.0");
  const made = await api(sluice, "/tokens", {
    user: "ed",
    scopes: ["policy"],
    organisation: "default",
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const found = await api(sluice, PREVIEW, { document: { block: ["npm/widget"] } }, made.body.secret);
  assert.equal(found.status, 200, JSON.stringify(found.body));
  assert.deepEqual([found.status, told(found.body.refused)[0].users, found.body.refused.times], [
    200,
    null,
    1,
  ]);
});

for (const where of ["the data folder", "a running server"] as const) {
  Deno.test(`deno task org preview on ${where}: says what saving would do, and how much was looked at`, async () => {
    await using at = await world();
    const { sluice, take } = at;
    await take("ada", "widget", "1.1.0");
    await take("eve", "widget", "1.2.0");
    const place = where === "the data folder" ? ["--data", sluice.data] : ["--server", sluice.url];
    const env = { SLUICE_TOKEN: ADMIN, SLUICE_UPSTREAM_NPM: at.registry.upstream.url };
    const io = testIo({
      cwd: sluice.data,
      env,
      stdin: "block: [npm/widget==1.1.0]\nminimumAge: 1d\n",
    });
    const code = await org(["preview", "-", ...place], io);
    const { out, err } = io.take();
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /^1 install by 1 user would have been refused:$/m);
    assert.match(out, /pkg:npm\/widget@1.1.0 +override +1 +ada/);
    assert.match(out, /^1 refusal of 1 user would have been let through:$/m);
    assert.match(out, /^1 release that is held would be let go:$/m);
    assert.match(out, /Looked at 1 of the 1 packages/);
    const wrong = testIo({ cwd: sluice.data, env, stdin: "minimumAge: 14" });
    assert.equal(await org(["preview", "-", ...place], wrong), 1);
    assert.match(wrong.take().err, /Cannot preview this policy: there is a mistake in it/);
  });
}

Deno.test("GET …/policy/effective: what holds in each ecosystem, defaults filled in", async () => {
  await using at = await world();
  await at.sluice.setPolicy({ minimumAge: "14d", ecosystems: { npm: { minimumAge: "3d" } } });
  const { body } = await api(at.sluice, "/organisations/default/policy/effective");
  const ages = body.ecosystems.map(({ ecosystem, settings }: Record<string, Record<string, string>>) => [
    ecosystem,
    settings!.minimumAge,
  ]);
  assert.deepEqual(ages, [["npm", "3d"], ["cargo", "14d"], ["pypi", "14d"]]);
});
