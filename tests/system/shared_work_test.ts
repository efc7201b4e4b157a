/** Two Sluices on one data folder: equal work is done once across them, and nothing is lost between them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball, type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { until } from "../fakes/program.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask, type Asked } from "./ask.ts";

const CLIENTS = 60;
const RELEASE = { publishedAt: daysAgo(50), files: { "a.txt": "x".repeat(300_000) } };
const FILE = "npm/wanted/-/wanted-1.0.0.tgz";

interface World extends AsyncDisposable {
  readonly registry: FakeNpmRegistry;
  readonly tarball: Uint8Array;
  readonly both: readonly [TestSluice, TestSluice];
  /** Clients of both, all at once. */
  crowd(path: string): Promise<readonly Asked[]>;
  /** Upstream keeps the answer back until a whole crowd has come. */
  slow(path: string): Promise<void>;
  /** Once a whole crowd has come, and had a moment to join. */
  allHaveCome(): Promise<void>;
  asked(path: string): number;
}

async function createWorld(
  env: Readonly<Record<string, string>> = {},
  kv: (kv: Deno.Kv) => Deno.Kv = (kv) => kv,
): Promise<World> {
  const registry = await startNpmRegistry();
  registry.publish({ name: "wanted", releases: { "1.0.0": RELEASE } });
  const { upstream } = registry;
  const own = { SLUICE_UPSTREAM_NPM: upstream.url, ...env };
  const first = await startSluice({ env: own, kv });
  const second = await startSluice({ env: own, kv, data: first.data });
  const both = [first, second] as const;
  const before = new Map<string, number>();
  async function allHaveCome(): Promise<void> {
    await until("all have come", async () => await first.inFlight() + await second.inFlight() === CLIENTS);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    registry,
    both,
    tarball: createTarball("wanted", "1.0.0", RELEASE),
    crowd: (path) =>
      Promise.all(Array.from({ length: CLIENTS }, (_, i) => ask(`${both[i % 2]!.url}/${path}`))),
    allHaveCome,
    async slow(path) {
      const answer = await fetch(new URL(path, upstream.url));
      const body = new Uint8Array(await answer.arrayBuffer());
      const type = answer.headers.get("content-type") ?? "";
      upstream.answer(`/${path}`, async () => {
        await allHaveCome();
        return { body, headers: { "content-type": type } };
      });
      before.set(path, upstream.asked(`/${path}`).length);
    },
    asked: (path) => upstream.asked(`/${path}`).length - (before.get(path) ?? 0),
    async [Symbol.asyncDispose]() {
      await second[Symbol.asyncDispose]();
      await first[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

Deno.test("two processes: a cold index that clients of both ask for is one request upstream", async () => {
  await using world = await createWorld();
  await world.slow("wanted");
  const answers = await world.crowd("npm/wanted");
  for (const { status, json } of answers) {
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(json().versions), ["1.0.0"]);
  }
  assert.equal(world.asked("wanted"), 1);
});

Deno.test("two processes: an expired index that clients of both ask for is one request upstream", async () => {
  await using world = await createWorld({ SLUICE_STALE_WHILE_REVALIDATE: "0s" });
  await world.crowd("npm/wanted");
  await world.slow("wanted");
  for (const sluice of world.both) sluice.advance(2 * 3_600_000);
  for (const { status } of await world.crowd("npm/wanted")) assert.equal(status, 200);
  assert.equal(world.asked("wanted"), 1);
});

Deno.test("two processes: a cold file that clients of both ask for is one request upstream, every byte the registry's", async () => {
  await using world = await createWorld();
  const path = world.registry.tarballPath("wanted", "1.0.0").slice(1);
  await world.slow(path);
  for (const { status, bytes } of await world.crowd(FILE)) {
    assert.equal(status, 200);
    assert.ok(Buffer.from(bytes).equals(world.tarball));
  }
  assert.equal(world.asked(path), 1);
  const installs = await world.both[0].installs();
  assert.equal(installs.length, CLIENTS, "every client of both is in the log");
  assert.deepEqual(new Set(installs.map(({ outcome }) => outcome)), new Set(["served"]));
});

Deno.test("two processes: a name that is not there, and an upstream that fails, are asked once for both", async () => {
  await using world = await createWorld();
  const { upstream } = world.registry;
  upstream.answer("/none", async () => (await world.allHaveCome(), { status: 404, body: "{}" }));
  upstream.answer("/broken", async () => (await world.allHaveCome(), { status: 403, body: "no" }));
  for (const { status } of await world.crowd("npm/none")) assert.equal(status, 404);
  assert.equal(upstream.asked("/none").length, 1);
  for (const { status } of await world.crowd("npm/broken")) assert.equal(status, 403);
  assert.equal(upstream.asked("/broken").length, 1);
});

Deno.test("two processes: a hit looks at no lease, and none is left behind", async () => {
  const looks: Deno.KvKey[] = [];
  const kv = (kv: Deno.Kv): Deno.Kv =>
    new Proxy(kv, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          // Every read goes with a look at whether a restore runs.
          const read = property === "getMany" ? args[0] as readonly Deno.KvKey[] : [];
          looks.push(...read.filter(([first]) => first === "leases"));
          return Reflect.apply(value, target, args);
        };
      },
    });
  await using world = await createWorld({}, kv);
  await world.crowd("npm/wanted");
  await world.crowd(FILE);
  assert.ok(looks.length > 0, "a miss does");
  const beside = await Deno.openKv(`${world.both[0].data}/kv.sqlite3`);
  const leases = () => Array.fromAsync(beside.list({ prefix: ["leases"] }));
  // A lease may be given back behind the answers.
  await until("no lease is left", async () => (await leases()).length === 0);
  const missed = looks.splice(0).length;
  await world.crowd("npm/wanted");
  await world.crowd(FILE);
  assert.deepEqual(looks, [], `${missed} looks of the misses`);
  assert.deepEqual(await leases(), []);
  beside.close();
});
