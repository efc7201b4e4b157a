/** Status, statistics, packages, search, metrics and readiness of a whole Sluice. */
import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const DAY_MS = 86_400_000;

async function createWorld(env: Readonly<Record<string, string>> = {}) {
  const registry = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  const young = { publishedAt: daysAgo(2) };
  const fields = { description: "Turns heads at café tables" };
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": young }, fields });
  registry.publish({ name: "held", releases: { "1.0.0": young }, fields: { description: "Too young" } });
  const sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN, ...env },
  });
  return {
    registry,
    sluice,
    file: (name: string, version: string) => `${sluice.url}/npm/${name}/-/${name}-${version}.tgz`,
    /** Of the API; the admin's if no token is given. */
    async api(path: string, token = ADMIN) {
      const answer = await ask(`${sluice.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return { status: answer.status, body: answer.json() };
    },
    async token(
      organisation: string | null,
      scopes: readonly string[],
      ecosystems: readonly string[] | null = null,
    ): Promise<string> {
      const made = await ask(`${sluice.url}/-/api/v1/tokens`, {
        method: "POST",
        headers: { authorization: `Bearer ${ADMIN}` },
        body: new TextEncoder().encode(JSON.stringify({ user: "op", organisation, scopes, ecosystems })),
      });
      assert.equal(made.status, 201, made.text);
      return made.json().secret;
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

type World = Awaited<ReturnType<typeof createWorld>>;

async function installSome({ sluice, file }: World): Promise<void> {
  assert.equal((await ask(`${sluice.url}/npm/fresh`, { user: "ada" })).status, 200);
  for (let i = 0; i < 3; i++) assert.equal((await ask(file("fresh", "1.0.0"), { user: "ada" })).status, 200);
  assert.equal((await ask(file("fresh", "1.1.0"), { user: "ada" })).status, 403);
  assert.equal((await ask(`${sluice.url}/npm/held`, { user: "ada" })).status, 200);
}

Deno.test("GET /status: processes, storage, upstreams, jobs, log and cache; the same after a restart", async () => {
  await using world = await createWorld();
  await installSome(world);
  await world.sluice.maintain();
  const { status, body } = await world.api("/-/api/v1/status");
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.processes.length, 1);
  assert.ok(body.processes[0].rssBytes > 1_000_000 && body.processes[0].requests >= 6);
  assert.ok(body.storage.kvBytes > 0 && body.storage.cacheBytes > 0);
  assert.equal(body.storage.artifacts, 1);
  assert.equal(body.storage.limitBytes, 10_000_000_000);
  const { origin } = new URL(world.registry.upstream.url);
  assert.deepEqual(body.upstreams.find((each: { origin: string }) => each.origin === origin), {
    origin,
    state: "ok",
    asked: true,
    lastError: null,
    lastErrorAt: null,
  });
  assert.deepEqual(body.jobs, { waiting: 0, dead: 0, oldestDueAt: null });
  assert.equal(body.installLog.behindSeconds, 0);
  assert.ok(body.cache.hits >= 2 && body.cache.misses >= 2, JSON.stringify(body.cache));
  assert.equal(body.cache.hitRate, body.cache.hits / (body.cache.hits + body.cache.misses));

  await ask(world.file("fresh", "1.0.0"), { user: "ada" });
  await world.sluice.restart();
  const again = await world.api("/-/api/v1/status");
  assert.equal(again.body.cache.hits, body.cache.hits + 1, "what was counted is written down at the end");
  assert.equal(again.body.processes.length, 1, "the one that ended has left");
  const named = await world.api("/o/default/-/api/v1/status");
  assert.equal(named.status, 404, "it is the instance's");
});

Deno.test("GET /stats: by ecosystem and day, popular, recent; of the page nothing about people or private packages", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  const empty = await ask(`${sluice.url}/stats`, { headers: { accept: "text/plain" } });
  assert.match(empty.text, /Nothing was installed yet\. http:.*line that points each client here/);
  sluice.advance(60_001);
  await installSome(world);
  await sluice.maintain();
  sluice.advance(60_001);
  const { body } = await world.api("/-/api/v1/stats");
  const without = (await world.api("/-/api/v1/stats?popular=0")).body;
  assert.deepEqual([without.popular, without.days], [[], body.days]);
  const npm = body.ecosystems.find((each: { ecosystem: string }) => each.ecosystem === "npm");
  assert.deepEqual([npm.packages, npm.artifacts, npm.installs, npm.refusals], [2, 1, 3, 1]);
  assert.ok(npm.bytes > 0 && npm.bytesServed > 0 && npm.hits >= 2 && npm.misses >= 2);
  const today = new Date(NOW).toISOString().slice(0, 10);
  const [day] = body.days;
  assert.deepEqual([day.day, day.ecosystem, day.filled, day.installs, day.refusals], [today, "npm", 1, 3, 1]);
  assert.deepEqual(body.popular, [{ ecosystem: "npm", package: "fresh", installs: 3 }]);
  assert.deepEqual(
    body.recent.map((row: { package: string; version: string }) => `${row.package} ${row.version}`),
    [
      "fresh 1.0.0",
    ],
  );
  for (const accept of ["text/plain", "application/json", "text/html"]) {
    const page = await ask(`${sluice.url}/stats`, { headers: { accept } });
    assert.equal(page.status, 200);
    assert.ok(page.headers.get("content-type")?.startsWith(accept), accept);
    assert.match(page.text, /fresh/);
    assert.ok(!/\bada\b/.test(page.text), "nobody is named");
  }
  sluice.advance(40 * DAY_MS);
  assert.deepEqual((await world.api("/-/api/v1/stats")).body.popular, [], "thirty days");
});

Deno.test("GET /stats: packages of a private upstream are on no page, and in the API for the scope audit alone", async () => {
  await using own = await startNpmRegistry();
  own.publish({ name: "@acme/secret", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  await using registry = await startNpmRegistry();
  const file = `upstreams:
  npm:
    - { url: "${registry.upstream.url}" }
    - { url: "${own.upstream.url}", match: ["@acme/*"], organisations: [default] }
`;
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: ADMIN }, file });
  const tarball = `${sluice.url}/npm/@acme/secret/-/secret-1.0.0.tgz`;
  assert.equal((await ask(`${sluice.url}/npm/@acme%2fsecret`, {})).status, 200);
  const taken = await ask(tarball);
  assert.equal(taken.status, 200, taken.text);
  await sluice.maintain();
  const page = await ask(`${sluice.url}/stats`, { headers: { accept: "application/json" } });
  assert.ok(!page.text.includes("secret"), page.text);
  const installs = page.json().ecosystems.map((row: { installs: number }) => row.installs);
  assert.ok(installs.includes(1), "it is counted all the same");
  const headers = { authorization: `Bearer ${ADMIN}` };
  assert.match((await ask(`${sluice.url}/-/api/v1/stats`, { headers })).text, /@acme\/secret/);
  await sluice.setPolicy({}, "beta");
  const theirs = await ask(`${sluice.url}/o/beta/-/api/v1/packages`, { headers });
  assert.deepEqual(theirs.json().packages, [], "another organisation has it from no upstream");
});

Deno.test("GET /stats: whoever may not read an index may not read it", async () => {
  await using world = await createWorld();
  await world.sluice.setPolicy({ callers: "token" });
  assert.equal((await ask(`${world.sluice.url}/stats`)).status, 401);
  const headers = { authorization: `Bearer ${await world.token("default", ["read"])}` };
  assert.equal((await ask(`${world.sluice.url}/stats`, { headers })).status, 200);
  assert.equal((await ask(`${world.sluice.url}/-/stats`, { headers })).status, 200);
});

Deno.test("GET /-/stats: with ecosystems at the root of the host /stats is a package's name, and this stays", async () => {
  await using world = await createWorld({ SLUICE_ROOT: "npm" });
  world.registry.publish({ name: "stats", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  assert.equal((await ask(`${world.sluice.url}/stats`)).json().name, "stats");
  assert.match(
    (await ask(`${world.sluice.url}/-/stats`, { headers: { accept: "text/plain" } })).text,
    /statistics/,
  );
});

Deno.test("GET /packages and /packages/{purl}: files, releases with date, verdict and when they mature, who uses it", async () => {
  await using world = await createWorld();
  await installSome(world);
  const listed = await world.api("/-/api/v1/packages?limit=1");
  assert.deepEqual(listed.body.packages.map((row: { purl: string }) => row.purl), ["pkg:npm/fresh"]);
  const rest = await world.api(`/-/api/v1/packages?limit=1&cursor=${listed.body.next}`);
  assert.deepEqual(rest.body.packages.map((row: { purl: string }) => row.purl), ["pkg:npm/held"]);
  assert.equal(rest.body.next, null);
  const { body } = await world.api("/-/api/v1/packages/pkg:npm/fresh");
  assert.equal(body.newestAllowed, "1.0.0");
  const [young, old] = body.releases;
  assert.deepEqual([young.version, young.verdict, young.rule], ["1.1.0", "hold", "minimumAge"]);
  assert.equal(young.maturesAt, new Date(NOW + 8 * DAY_MS).toISOString());
  assert.equal(young.files[0].cached, null);
  assert.deepEqual([old.version, old.verdict, old.publishedAt], ["1.0.0", "allow", daysAgo(100)]);
  assert.match(old.files[0].cached.digest, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(body.usedBy.map((row: { user: string; installs: number }) => [row.user, row.installs]), [[
    "ada",
    3,
  ]]);

  const reader = await world.token("default", ["read"]);
  const unseen = await world.api("/-/api/v1/packages/pkg:npm/fresh@1.0.0", reader);
  assert.equal(unseen.body.usedBy, null, "without the scope audit");
  assert.deepEqual(unseen.body.releases.map((each: { version: string }) => each.version), ["1.0.0"]);
  assert.equal((await world.api("/-/api/v1/packages/pkg:npm/nothing")).status, 404);
  assert.equal((await world.api("/-/api/v1/packages/left-pad")).status, 400);
});

Deno.test("GET /packages, /search: what one organisation asked for is seen by no other", async () => {
  await using world = await createWorld();
  await installSome(world);
  await world.sluice.setPolicy({}, "acme");
  const theirs = await world.token("acme", ["read"]);
  assert.deepEqual((await world.api("/o/acme/-/api/v1/packages", theirs)).body.packages, []);
  assert.deepEqual((await world.api("/o/acme/-/api/v1/search?q=fresh", theirs)).body.packages, []);
  assert.equal((await world.api("/o/acme/-/api/v1/packages/pkg:npm/fresh", theirs)).status, 404);
  await ask(`${world.sluice.url}/o/acme/npm/fresh/-/fresh-1.0.0.tgz`);
  const { body } = await world.api("/o/acme/-/api/v1/packages", theirs);
  assert.deepEqual(body.packages.map((row: { package: string }) => row.package), ["fresh"]);
  const other = await world.token("acme", ["read"], ["cargo"]);
  assert.deepEqual((await world.api("/o/acme/-/api/v1/packages", other)).body.packages, [], "of cargo alone");
  assert.deepEqual((await world.api("/o/acme/-/api/v1/stats", other)).body.popular, []);
});

Deno.test("GET /search: names and descriptions; what policy withholds is not offered", async () => {
  await using world = await createWorld();
  await installSome(world);
  const names = async (q: string) =>
    (await world.api(`/-/api/v1/search?q=${encodeURIComponent(q)}`)).body.packages
      .map((row: { package: string; newestAllowed: string }) => `${row.package} ${row.newestAllowed}`);
  assert.deepEqual(await names("FRE"), ["fresh 1.0.0"]);
  assert.deepEqual(await names("café heads"), ["fresh 1.0.0"]);
  assert.deepEqual(await names("held"), [], "all of it is withheld");
  assert.deepEqual(await names("fresh nowhere"), []);
  world.sluice.advance(9 * DAY_MS);
  assert.deepEqual(await names("young"), ["held 1.0.0"]);
  const wrong = await world.api("/-/api/v1/search?q=");
  assert.deepEqual([wrong.status, wrong.body.errors[0].field], [400, "query.q"]);
});
