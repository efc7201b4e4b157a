import assert from "node:assert/strict";
import { prefetch } from "../../cli/prefetch.ts";
import { testIo } from "../../cli/testing.ts";
import { createPins } from "../../storage/kv/pins.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import type { EpochMs } from "../../policy/types.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { until } from "../fakes/program.ts";
import { daysAgo, NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const DAY_MS = 86_400_000;
const OLD = { publishedAt: daysAgo(100) };

async function createWorld(mirror: string) {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "steady",
    releases: { "1.0.0": OLD, "1.1.0": OLD, "2.0.0-rc.1": OLD, "1.2.0": { publishedAt: daysAgo(2) } },
  });
  registry.publish({ name: "other", releases: { "1.0.0": OLD } });
  const sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url },
    file: `mirror:\n${mirror}`,
    now: NOW,
  });
  return {
    registry,
    sluice,
    downloads: () => ["1.0.0", "1.1.0", "1.2.0"].map((version) => registry.downloads("steady", version)),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function pinned(sluice: TestSluice): Promise<readonly string[]> {
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  try {
    const pins = await createPins({ kv, clock: () => NOW as EpochMs }).list();
    return pins.map(({ ecosystem, name, version, owner }) => `${ecosystem}/${name}@${version} ${owner}`);
  } finally {
    kv.close();
  }
}

/** A round runs behind the maintenance that begins it. */
async function untilPinned(sluice: TestSluice, wanted: readonly string[]): Promise<void> {
  await sluice.maintain();
  await until(`${wanted.join(", ")} pinned`, async () => {
    return JSON.stringify(await pinned(sluice)) === JSON.stringify(wanted);
  });
}

Deno.test("mirror: the newest release that the policy allows is filled, pinned, and followed as others mature", async () => {
  await using world = await createWorld("  - { ecosystem: npm, packages: [steady], every: 1d }\n");
  const { sluice } = world;
  await untilPinned(sluice, ["npm/steady@1.1.0 mirror"]);
  assert.deepEqual(world.downloads(), [0, 1, 0]);
  assert.deepEqual(await sluice.installs(), []);

  sluice.advance(9 * DAY_MS);
  await untilPinned(sluice, ["npm/steady@1.2.0 mirror"]);
  assert.deepEqual(world.downloads(), [0, 1, 1], "what is here is passed over");
  // Without `only`, the rest is served as ever.
  assert.equal(await statusOf(sluice, "other"), 200);
});

Deno.test("mirror only: nothing else is served of the ecosystem, with the reason, upstream untouched; its index is filtered as ever", async () => {
  const entry = "  - { ecosystem: npm, packages: [steady], versions: 'vers:npm/<1.1.0', only: true }\n";
  await using world = await createWorld(entry);
  const { sluice, registry } = world;
  await untilPinned(sluice, ["npm/steady@1.0.0 mirror"]);
  assert.deepEqual(world.downloads(), [1, 0, 0]);

  for (const path of ["other", "other/latest", "other/-/other-1.0.0.tgz"]) {
    const response = await fetch(`${sluice.url}/npm/${path}`);
    const said = await response.text();
    assert.equal(response.status, 403, path);
    assert.match(said, /This Sluice serves of npm only what it mirrors, and .*other.* is none of it/);
  }
  const search = await fetch(`${sluice.url}/npm/-/v1/search?text=other`);
  assert.match(await search.text(), /only what it mirrors, and a list of upstream's packages is none of it/);
  assert.equal(search.status, 403);
  assert.deepEqual(registry.upstream.asked(/other/), []);
  const index = await (await fetch(`${sluice.url}/npm/steady`)).json();
  assert.deepEqual(Object.keys(index.versions), ["1.0.0", "1.1.0", "2.0.0-rc.1"], "1.2.0 is too young");
});

Deno.test("mirror only: nor is upstream asked for it by a prefetch, a look-up, an audit or the schedule", async () => {
  await using world = await createWorld("  - { ecosystem: npm, packages: [other] }\n");
  const { sluice, registry } = world;
  assert.equal(await statusOf(sluice, "steady"), 200);
  await untilPinned(sluice, ["npm/other@1.0.0 mirror"]);
  const only = "mirror:\n  - { ecosystem: npm, packages: [other], only: true }\n";
  await using late = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN },
    file: only,
    data: sluice.data,
    now: NOW + 50 * 60_000,
  });
  const before = registry.upstream.requests.length;

  const why = /^This Sluice serves of npm only what it mirrors, and "(?:steady|gone)" is none of it$/;
  for (const path of ["", "/o/acme"]) {
    if (path !== "") await late.setPolicy({}, "acme");
    const purls = ["pkg:npm/steady@1.0.0", "pkg:npm/gone", "pkg:npm/other@1.0.0"];
    const lines = await api(late, `${path}/-/api/v1/prefetch`, { purls });
    const files = lines.filter(({ kind }) => kind === "file").sort((a, b) => a.outcome < b.outcome ? -1 : 1);
    assert.deepEqual(files.map(({ outcome, rule }) => [outcome, rule]), [
      ["kept", null],
      ["refused", "not-mirrored"],
      ["refused", "not-mirrored"],
    ]);
    for (const { message } of files.slice(1)) assert.match(message, why);
  }
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN } });
  assert.equal(await prefetch(["pkg:npm/steady@1.0.0", "--server", late.url], io), 1);
  assert.match(io.take().out, /pkg:npm\/steady@1\.0\.0[^]*only what it mirrors/);

  const [freeze] = await api(late, "/-/api/v1/freeze", { purl: "pkg:npm/gone" });
  assert.deepEqual([freeze.status, freeze.code], [400, "not-mirrored"]);
  assert.match(freeze.errors[0].message, /pkg:npm\/gone is none of it/);
  const [waiver] = await api(late, "/-/api/v1/waivers", {
    purl: "pkg:npm/gone@1.0.0",
    reason: "needed",
  });
  assert.deepEqual([waiver.status, waiver.code], [404, "not-mirrored"]);

  for (const path of ["advisories/bulk", "audits/quick"]) {
    const audit = await fetch(`${late.url}/npm/-/npm/v1/security/${path}`, {
      method: "POST",
      body: JSON.stringify({ steady: ["1.0.0"] }),
      headers: { "content-type": "application/json" },
    });
    assert.match(await audit.text(), /only what it mirrors, and an audit is none of it/);
    assert.equal(audit.status, 404);
  }

  late.advance(15 * 60_000);
  await late.maintain();
  await until("the schedule has asked for what is mirrored", () => {
    return Promise.resolve(registry.upstream.requests.slice(before).some(({ path }) => path === "/other"));
  });
  late.advance(30 * 60_000);
  await late.maintain();
  const paths = registry.upstream.requests.slice(before).map(({ path }) => path);
  assert.deepEqual(paths.filter((path) => path !== "/other"), []);
});

Deno.test("mirror used, only: what is known here is prefetched; what was used and purged is filled by the mirror alone", async () => {
  await using world = await createWorld("  - { ecosystem: npm, used: true, only: false }\n");
  const { sluice, registry } = world;
  await (await fetch(`${sluice.url}/npm/steady/-/steady-1.0.0.tgz`)).arrayBuffer();
  await untilPinned(sluice, ["npm/steady@1.1.0 mirror"]);
  await using late = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: ADMIN },
    file: "mirror:\n  - { ecosystem: npm, used: true, versions: 1, every: 1d, only: true }\n",
    data: sluice.data,
  });
  const wanted = { purls: ["pkg:npm/steady@1.1.0", "pkg:npm/other@1.0.0"] };
  assert.deepEqual(await outcomes(late, wanted), ["kept steady", "refused other"]);
  await api(late, "/-/api/v1/cache/unpin", { purl: "pkg:npm/steady@1.1.0" });
  await api(late, "/-/api/v1/purge", { all: true });
  assert.deepEqual(await outcomes(late, wanted), ["refused other", "refused steady"]);
  assert.equal(registry.downloads("steady", "1.1.0"), 1);
  late.advance(DAY_MS);
  await untilPinned(late, ["npm/steady@1.1.0 mirror"]);
  assert.equal(registry.downloads("steady", "1.1.0"), 2);
  assert.deepEqual(registry.upstream.asked(/other/), []);
});

Deno.test("mirror used: all that was ever installed is kept filled", async () => {
  await using world = await createWorld("  - { ecosystem: npm, used: true, versions: 2 }\n");
  const { sluice } = world;
  const response = await fetch(`${sluice.url}/npm/steady/-/steady-1.0.0.tgz`);
  await response.arrayBuffer();
  await untilPinned(sluice, ["npm/steady@1.0.0 mirror", "npm/steady@1.1.0 mirror"]);
  assert.deepEqual(world.downloads(), [1, 1, 0]);
});

Deno.test("mirror: a package that cannot be had is told in the log and tried again, the others are filled", async () => {
  await using world = await createWorld("  - { ecosystem: npm, packages: [gone, steady] }\n");
  const { sluice, registry } = world;
  registry.upstream.answer("/gone", { status: 404 });
  await untilPinned(sluice, ["npm/steady@1.1.0 mirror"]);
  await until(
    "it is told",
    () =>
      Promise.resolve(
        sluice.lines.some(({ message }) => /^Mirror: 1 packages are tried again/.test(message)),
      ),
  );
});

/** JSON, or a JSON line each. */
// deno-lint-ignore no-explicit-any
async function api(sluice: TestSluice, path: string, body: unknown): Promise<any[]> {
  const response = await fetch(sluice.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN}` },
    body: JSON.stringify(body),
  });
  const text = (await response.text()).trim();
  const isLines = response.headers.get("content-type")?.includes("ndjson");
  return (isLines ? text.split("\n") : [text || "null"]).map((line) => JSON.parse(line));
}

async function outcomes(sluice: TestSluice, body: unknown): Promise<readonly string[]> {
  const lines = await api(sluice, "/-/api/v1/prefetch", body);
  return lines.filter(({ kind }) => kind === "file")
    .map(({ outcome, purl }) => `${outcome} ${/npm\/([a-z]+)/.exec(purl)?.[1]}`).sort();
}

async function statusOf(sluice: TestSluice, path: string): Promise<number> {
  const response = await fetch(`${sluice.url}/npm/${path}`);
  await response.body?.cancel();
  return response.status;
}
