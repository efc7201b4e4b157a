/** `root: [npm, cargo]`: one host that is both registries at its root, asked by the real npm and the real Cargo. */
import assert from "node:assert/strict";
import { type FakeCargoRegistry, startCargoRegistry } from "../fakes/cargo_registry.ts";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { ONE_OR_PAIR_MISSING, startOneOrPair } from "../fakes/pair.ts";
import { daysAgo, type TestSluice } from "../fakes/sluice.ts";
import { createCargoProject, missingCargo } from "./cargo_client.ts";
import { createProject, findClient } from "./clients.ts";

interface World extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly npm: FakeNpmRegistry;
  readonly cargo: FakeCargoRegistry;
}

const OLD = { publishedAt: daysAgo(100) };
const YOUNG = { publishedAt: daysAgo(2) };
/** In both registries, of other versions: `a` lives at /1/a in Cargo's index, which is also npm's package `1`. */
const NAMES = ["a", "ab", "abc", "steady"];

async function createWorld(): Promise<World> {
  const npm = await startNpmRegistry();
  const cargo = await startCargoRegistry();
  for (const name of NAMES) {
    npm.publish({ name, releases: { "1.0.0": OLD, "1.1.0": YOUNG } });
    cargo.publish({ name, releases: { "2.0.0": OLD, "2.1.0": YOUNG } });
  }
  npm.publish({ name: "1", releases: { "1.0.0": OLD }, tags: { latest: "1.0.0", a: "1.0.0" } });
  const sluice = await startOneOrPair({
    env: {
      SLUICE_ROOT: "npm,cargo",
      SLUICE_UPSTREAM_NPM: npm.upstream.url,
      SLUICE_UPSTREAM_CARGO: cargo.upstream.url,
    },
  });
  return {
    sluice,
    npm,
    cargo,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await npm[Symbol.asyncDispose]();
      await cargo[Symbol.asyncDispose]();
    },
  };
}

async function logged({ sluice }: World): Promise<readonly string[]> {
  return (await sluice.installs()).map((record) =>
    `${record.user} ${record.ecosystem} ${record.package}@${record.version} ${record.outcome}`
  ).sort();
}

const cargoMissing = ONE_OR_PAIR_MISSING ?? await missingCargo();
const npmMissing = await findClient("npm") === null ? 'run "deno task clients" first' : null;

function test(criterion: string, missing: string | null, fn: () => Promise<void>): void {
  Deno.test({
    name: `root: [npm, cargo]: ${criterion}${missing === null ? "" : ` (skipped: ${missing})`}`,
    ignore: missing !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });
}

test(
  "npm and cargo install packages of the same names, each its own, as the policy allows",
  npmMissing ?? cargoMissing,
  async () => {
    await using world = await createWorld();
    const { sluice } = world;
    const dependencies = Object.fromEntries(NAMES.map((name) => [name, "*"]));
    await using npm = await createProject({
      client: "npm",
      registry: `${sluice.url}/`,
      user: "ada",
      dependencies: { ...dependencies, "1": "a" },
    });
    await using cargo = await createCargoProject({
      registry: `${sluice.url.replace("//", "//ada@")}/`,
      dependencies,
    });
    const [installed, built] = await Promise.all([npm.run("install"), cargo.run("build")]);
    assert.equal(installed.code, 0, installed.output);
    assert.equal(built.code, 0, built.output);
    for (const name of NAMES) {
      assert.equal(await npm.installed(name), "1.0.0");
      assert.equal(await cargo.locked(name), "2.0.0");
    }
    assert.equal(await npm.installed("1"), "1.0.0");
    assert.deepEqual(await logged(world), [
      ...NAMES.map((name) => `ada cargo ${name}@2.0.0 served`),
      "ada npm 1@1.0.0 served",
      ...NAMES.map((name) => `ada npm ${name}@1.0.0 served`),
    ]);

    for (const lockfile of [await npm.read("package-lock.json"), await cargo.lockfile()]) {
      assert.doesNotMatch(lockfile, /ada[:@]|YWRh/);
    }
    await npm.forget();
    await cargo.forget();
    const [again, rebuilt] = await Promise.all([npm.run("ci"), cargo.run("build", "--locked")]);
    assert.equal(again.code, 0, again.output);
    assert.equal(rebuilt.code, 0, rebuilt.output);
  },
);

test(
  "a lockfile that names what is held is refused in either, and each terminal says why",
  npmMissing ?? cargoMissing,
  async () => {
    await using world = await createWorld();
    const { sluice } = world;
    await sluice.setPolicy({ minimumAge: "0d" });
    await using npm = await createProject({
      client: "npm",
      registry: `${sluice.url}/`,
      dependencies: { steady: "1.1.0" },
    });
    await using cargo = await createCargoProject({
      registry: `${sluice.url}/`,
      dependencies: { steady: "=2.1.0" },
    });
    for (const ran of [await npm.run("install"), await cargo.run("fetch")]) {
      assert.equal(ran.code, 0, ran.output);
    }
    await sluice.setPolicy({});
    await npm.forget();
    await cargo.forget();
    for (const ran of [await npm.run("ci"), await cargo.run("fetch", "--locked")]) {
      assert.notEqual(ran.code, 0, ran.output);
      assert.match(ran.output, /steady [12]\.1\.0 is held until/);
    }
    assert.equal((await logged(world)).filter((line) => line.endsWith("refused")).length, 2);
  },
);
