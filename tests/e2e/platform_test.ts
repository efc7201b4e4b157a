/** What a platform does to a process: SIGINT and five seconds, and another process for each request. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { until } from "../fakes/program.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { ask } from "../system/ask.ts";
import { createProject } from "./clients.ts";
import { assertServed, dripFirst, loggedBy, persistently, publishFile } from "./pair_world.ts";
import { processesTest, startFreshEach, startProcesses } from "./processes.ts";

processesTest(
  "pair: SIGINT amid a fetch: it ends by itself within the platform's five seconds; the other goes on",
  async () => {
    await using world = await startProcesses({ SLUICE_DRAIN_TIMEOUT: "2s" });
    const wanted = publishFile(world.registry, "wanted", 900);
    const ready = publishFile(world.registry, "ready", 10);
    dripFirst(world.registry, wanted, { pieces: 30, pauseMs: 1_000 });
    const users = Array.from({ length: 10 }, (_, client) => `r${client}`);
    await Promise.all(users.map((user) => persistently(`${world.urls[0]}/${ready.path}`, user)));
    const cut = ask(`${world.urls[0]}/${wanted.path}`, { user: "cut" }).then(() => "whole", () => "cut");
    await until("it fetches", () => Promise.resolve(world.registry.downloads("wanted", "1.0.0") === 1));

    const ended = world.servers[0]!.end("SIGINT");
    const killing = setTimeout(() => world.servers[0]!.signal("SIGKILL"), 5_000);
    const again = persistently(`${world.url}/${wanted.path}`, "again");
    assert.equal(await ended, 0, world.servers[0]!.output());
    clearTimeout(killing);
    assert.equal(await cut, "cut");
    assert.ok(Buffer.from(await again).equals(wanted.bytes));
    await assertServed(world, [...users, "again"]);
  },
);

processesTest(
  "pair: started anew for each request: npm installs, upstream is asked once for each thing, the log is complete",
  async () => {
    await using world = await startFreshEach();
    const old = { publishedAt: daysAgo(100) };
    world.registry.publish({ name: "steady", releases: { "1.0.0": old, "1.1.0": old } });
    const dependencies = { steady: "1.0.0" };
    world.registry.publish({ name: "needs", releases: { "1.0.0": { ...old, manifest: { dependencies } } } });
    const denied = { overrides: [{ effect: "deny", purl: "pkg:npm/steady@1.1.0", reason: "not this one" }] };
    const file = await Deno.makeTempFile({ suffix: ".json" });
    try {
      await Deno.writeTextFile(file, JSON.stringify(denied));
      const set = await world.beside("cli/org.ts", ["set", file]);
      assert.equal(set.code, 0, set.stderr);
    } finally {
      await Deno.remove(file);
    }
    for (const user of ["ada", "bob"]) {
      await using project = await createProject({
        client: "npm",
        registry: `${world.url}/npm/`,
        user,
        dependencies: { needs: "^1.0.0" },
      });
      const ran = await project.run("install", "--no-audit");
      assert.equal(ran.code, 0, ran.output);
      assert.equal(await project.installed("steady"), "1.0.0");
    }
    const refused = await ask(`${world.url}/npm/steady/-/steady-1.1.0.tgz`, { user: "eve" });
    assert.equal(refused.status, 403);
    assert.ok(world.started >= 9, `${world.started} processes`);
    for (const name of ["needs", "steady"]) {
      assert.equal(world.registry.upstream.asked(`/${name}`).length, 1, name);
      assert.equal(world.registry.downloads(name, "1.0.0"), 1, name);
    }
    const log = (await loggedBy(world)).map(({ user, package: name, outcome }) =>
      `${user} ${name} ${outcome}`
    );
    assert.deepEqual(log.sort(), [
      "ada needs served",
      "ada steady served",
      "bob needs served",
      "bob steady served",
      "eve steady refused",
    ]);
  },
);

processesTest(
  "pair: frozen amid a fetch for longer than a lease: another takes over; thawed, it ends what it had begun, and all of it is right",
  async () => {
    await using world = await startProcesses();
    const wanted = publishFile(world.registry, "wanted", 900);
    dripFirst(world.registry, wanted, { pieces: 20, pauseMs: 300 });
    for (const url of world.urls) assert.equal((await ask(`${url}/npm/wanted`)).status, 200);
    const frozen = persistently(`${world.urls[0]}/${wanted.path}`, "frozen");
    await until("it fetches", () => Promise.resolve(world.registry.downloads("wanted", "1.0.0") === 1));
    world.servers[0]!.signal("SIGSTOP");
    const other = await persistently(`${world.urls[1]}/${wanted.path}`, "other");
    assert.ok(Buffer.from(other).equals(wanted.bytes));
    assert.equal(world.registry.downloads("wanted", "1.0.0"), 2);
    world.servers[0]!.signal("SIGCONT");
    assert.ok(Buffer.from(await frozen).equals(wanted.bytes));
    for (const [at, url] of world.urls.entries()) {
      assert.ok(Buffer.from(await persistently(`${url}/${wanted.path}`, `after${at}`)).equals(wanted.bytes));
    }
    assert.equal(world.registry.downloads("wanted", "1.0.0"), 2, "one blob, kept once and for all");
    await assertServed(world, ["frozen", "other", "after0", "after1"]);
  },
);
