/** Two Sluices without a disk, in processes of their own, behave as one, and go on as one when one of them ends. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { until } from "../fakes/program.ts";
import { ask } from "../system/ask.ts";
import { assertServed, dripFirst, persistently, publishFile } from "./pair_world.ts";
import { processesTest, startProcesses } from "./processes.ts";
import { runOurs, spawnServer } from "./server.ts";

const CROWD = 500;

processesTest(
  "pair: 500 clients over both, one cold index and one cold file, one request upstream for each",
  async () => {
    await using world = await startProcesses();
    const wanted = publishFile(world.registry, "wanted", 300);
    dripFirst(world.registry, wanted, { pieces: 5, pauseMs: 300 });
    const users = Array.from({ length: CROWD }, (_, client) => `u${client}`);

    const indexes = await Promise.all(users.map((user) => ask(`${world.url}/npm/wanted`, { user })));
    for (const { status, json } of indexes) {
      assert.equal(status, 200);
      assert.deepEqual(Object.keys(json().versions), ["1.0.0"]);
    }
    assert.equal(world.registry.upstream.asked("/wanted").length, 1);

    const files = await Promise.all(users.map((user) => ask(`${world.url}/${wanted.path}`, { user })));
    for (const { status, bytes } of files) {
      assert.equal(status, 200);
      assert.ok(Buffer.from(bytes).equals(wanted.bytes));
    }
    assert.equal(world.registry.downloads("wanted", "1.0.0"), 1);
    await assertServed(world, users);
  },
);

processesTest("pair: a policy that one was told of is in force at both within a second", async () => {
  await using world = await startProcesses();
  publishFile(world.registry, "wanted", 1);
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    for (const url of world.urls) assert.equal((await ask(`${url}/npm/wanted`)).status, 200);
    for (const denied of [true, false, true]) {
      const overrides = denied ? [{ effect: "deny", purl: "pkg:npm/wanted", reason: "not today" }] : [];
      await Deno.writeTextFile(file, JSON.stringify({ overrides }));
      const { code, stdout, stderr } = await world.beside("cli/org.ts", ["set", file]);
      assert.equal(code, 0, stdout + stderr);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      for (const url of world.urls) {
        const { status } = await ask(`${url}/npm/wanted/-/wanted-1.0.0.tgz`);
        assert.equal(status, denied ? 403 : 200, url);
      }
    }
  } finally {
    await Deno.remove(file);
  }
});

processesTest(
  "pair: SIGKILL of the process that fetches: the other takes over, and whoever asks again gets the whole file",
  async () => {
    await using world = await startProcesses();
    const wanted = publishFile(world.registry, "wanted", 900);
    dripFirst(world.registry, wanted, { pieces: 30, pauseMs: 1_000 });
    for (const url of world.urls) assert.equal((await ask(`${url}/npm/wanted`)).status, 200);

    const first = await fetch(`${world.urls[0]}/${wanted.path}`);
    const reader = first.body!.getReader();
    assert.ok((await reader.read()).value!.length > 0, "the first is at it");
    const users = Array.from({ length: 20 }, (_, client) => `u${client}`);
    const clients = users.map((user, at) =>
      persistently(`${at % 2 === 0 ? world.url : world.urls[1]}/${wanted.path}`, user)
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.equal(world.registry.downloads("wanted", "1.0.0"), 1, "the second waits for the first");
    await world.servers[0]!.end("SIGKILL");
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, TypeError);
    for (const bytes of await Promise.all(clients)) assert.ok(Buffer.from(bytes).equals(wanted.bytes));
    assert.equal(world.registry.downloads("wanted", "1.0.0"), 2);
    await assertServed(world, users);
  },
);

processesTest("pair: a process that starts cleans nothing that another one holds", async () => {
  await using world = await startProcesses();
  const wanted = publishFile(world.registry, "wanted", 24_000);
  dripFirst(world.registry, wanted, { pieces: 24, pauseMs: 250 });
  const client = ask(`${world.urls[0]}/${wanted.path}`);
  const uploads = async () => (await world.storage.s3.ask("GET", "/sluice?uploads")).text;
  await until("a part of it is in the bucket", async () => (await uploads()).includes("<UploadId>"));

  const third = await world.start();
  assert.equal((await ask(`${third.url}/-/health`)).status, 200);
  for (const { status, bytes } of [await client, await ask(`${third.url}/${wanted.path}`)]) {
    assert.equal(status, 200);
    assert.ok(Buffer.from(bytes).equals(wanted.bytes));
  }
  assert.equal(world.registry.downloads("wanted", "1.0.0"), 1, "it was kept");
  await until("nothing is left in its place", async () => {
    return (await world.storage.keys()).every((key) => /^prod\/sha256\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(key));
  });
});

processesTest(
  "pair: the database dies amid a fetch: nobody is given what is not recorded, and all goes on once it is back",
  async () => {
    await using world = await startProcesses();
    const wanted = publishFile(world.registry, "wanted", 900);
    dripFirst(world.registry, wanted, { pieces: 10, pauseMs: 300 });
    for (const url of world.urls) assert.equal((await ask(`${url}/npm/wanted`)).status, 200);
    const amid = world.urls.map((url) =>
      ask(`${url}/${wanted.path}`, { user: "amid" }).then(({ status }) => status, () => "cut")
    );
    await until("it is fetched", () => Promise.resolve(world.registry.downloads("wanted", "1.0.0") === 1));
    await world.storage.kv.stop();
    for (const how of await Promise.all(amid)) assert.ok(how === "cut" || how === 503, `${how}`);
    await world.storage.kv.start();
    for (const [at, url] of world.urls.entries()) {
      assert.ok(Buffer.from(await persistently(`${url}/${wanted.path}`, `after${at}`)).equals(wanted.bytes));
    }
    await assertServed(world, ["after0", "after1"]);
  },
);

Deno.test("pair: a server and `deno task cache purge` on one data folder: files that are fetched amid it are whole, and stay", async () => {
  await using registry = await startNpmRegistry();
  const data = await Deno.makeTempDir({ prefix: "sluice-purge-" });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url };
  const files = ["a", "b", "c"].map((name) => publishFile(registry, name, 2_000));
  for (const file of files) dripFirst(registry, file, { pieces: 10, pauseMs: 200 });
  try {
    await using server = await spawnServer({ data, env });
    const clients = files.map(async ({ path, bytes }) => {
      assert.ok(Buffer.from(await persistently(`${server.url}/${path}`, "amid")).equals(bytes));
    });
    for (const how of [["--all"], ["pkg:npm/a"], ["npm"]]) {
      const { code, stderr } = await runOurs("cli/cache.ts", ["purge", ...how, "--data", data], { env });
      assert.equal(code, 0, stderr);
    }
    await Promise.all(clients);
    for (const { path, bytes } of files) {
      assert.ok(Buffer.from(await persistently(`${server.url}/${path}`, "after")).equals(bytes));
    }
    const verified = await runOurs("cli/cache.ts", ["verify", "--data", data], { env });
    assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
