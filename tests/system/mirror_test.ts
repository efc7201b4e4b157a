import assert from "node:assert/strict";
import { createPins } from "../../storage/kv/pins.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import type { EpochMs } from "../../policy/types.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { until } from "../fakes/program.ts";
import { daysAgo, NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";

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

async function statusOf(sluice: TestSluice, path: string): Promise<number> {
  const response = await fetch(`${sluice.url}/npm/${path}`);
  await response.body?.cancel();
  return response.status;
}
