import assert from "node:assert/strict";
import { daysAgo } from "../fakes/sluice.ts";
import type { ClientName } from "./clients.ts";
import { COMMANDS, createWorld, forEachClient } from "./world.ts";

await forEachClient(
  "installs the newest release that is old enough, and it is written down",
  async (client) => {
    await using world = await createWorld();
    await using project = await world.project(client, {
      dependencies: { needs: "^1.0.0", "@acme/scoped": "^1.0.0", steady: "latest" },
    });
    const ran = await project.run(...COMMANDS[client].install);
    assert.equal(ran.code, 0, ran.output);
    assert.equal(await project.installed("needs"), "1.0.0");
    assert.equal(await project.installed("@acme/scoped"), "1.1.0");
    assert.equal(await project.installed("steady"), "1.1.0");

    const installs = await world.sluice.installs();
    const served = installs.map((record) =>
      `${record.package}@${record.version} ${record.outcome} ${record.user}`
    ).sort();
    assert.deepEqual(served, [
      "@acme/scoped@1.1.0 served ada",
      "fresh@1.0.0 served ada",
      "needs@1.0.0 served ada",
      "steady@1.1.0 served ada",
    ]);
    assert.ok(
      installs.every((record) => record.client === (client.startsWith("yarn") ? "yarn" : client)),
      installs[0]?.client,
    );
    assert.ok(installs.every((record) => /^sha256:[0-9a-f]{64}$/.test(record.digest) && record.bytes > 0));

    const lockfile = await project.read(COMMANDS[client].lockfile);
    assert.doesNotMatch(lockfile, /YWRh|ada:|ada@/, "no credential in the lockfile");
  },
);

await forEachClient(
  "installs again with upstream gone, cold client, strictly by lockfile",
  async (client) => {
    await using world = await createWorld();
    await using project = await world.project(client, {
      dependencies: { needs: "^1.0.0", "@acme/scoped": "^1.0.0" },
    });
    const first = await project.run(...COMMANDS[client].install);
    assert.equal(first.code, 0, first.output);
    await world.registry.upstream.stop();
    world.sluice.advance(3 * 60 * 60_000);
    await project.forget();
    const second = await project.run(...COMMANDS[client].frozen);
    assert.equal(second.code, 0, second.output);
    assert.equal(await project.installed("@acme/scoped"), "1.1.0");
  },
);

/** pnpm says no more than that it was forbidden; yarn 4 and bun print the address they were led to. */
const SAID: Readonly<Record<ClientName, RegExp>> = {
  npm: /young 1\.0\.0 is held until 2026-06-09T12:00Z/,
  deno: /young 1\.0\.0 is held until 2026-06-09T12:00Z/,
  yarn1: /young 1\.0\.0 is held until 2026-06-09T12:00Z/,
  yarn4: /held-by-minimumAge-until-2026-06-09/,
  bun: /held-by-minimumAge-until-2026-06-09/,
  pnpm: /Forbidden - 403/,
};

await forEachClient("says so when everything that matches is withheld", async (client) => {
  await using world = await createWorld();
  await using project = await world.project(client, { dependencies: { young: "^1.0.0" } });
  const ran = await project.run(...COMMANDS[client].install);
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client} nothing allowed\n${ran.output.trim()}`);
  assert.notEqual(ran.code, 0, ran.output);
  assert.equal(await project.installed("young"), null);
  assert.equal(world.registry.downloads("young", "1.0.0"), 0, "upstream untouched");
  assert.match(ran.output, SAID[client]);
});

await forEachClient("runs the install scripts that the package has", async (client) => {
  await using world = await createWorld();
  await using project = await world.project(client, { dependencies: { scripted: "1.0.0" } });
  const ran = await project.run(...COMMANDS[client].install);
  assert.equal(ran.code, 0, ran.output);
  assert.equal(await Deno.readTextFile(`${project.folder}/node_modules/scripted/ran.txt`), "yes");
}, ["yarn1"]);

await forEachClient("knows from the index that a package has an install script", async (client) => {
  await using world = await createWorld();
  const response = await fetch(`${world.npm}scripted`, {
    headers: { accept: "application/vnd.npm.install-v1+json" },
  });
  const packument = await response.json();
  assert.equal(packument.versions["1.0.0"].hasInstallScript, true, client);
}, ["npm"]);

await forEachClient("a release that matures is offered at that very moment", async (client) => {
  await using world = await createWorld();
  world.registry.publish({
    name: "ripening",
    releases: { "1.0.0": { publishedAt: daysAgo(50) }, "1.1.0": { publishedAt: daysAgo(9.9) } },
  });
  const latest = async () => (await (await fetch(`${world.npm}ripening`)).json())["dist-tags"].latest;
  assert.equal(await latest(), "1.0.0");
  world.sluice.advance(0.1 * 86_400_000 - 1_000);
  assert.equal(await latest(), "1.0.0", client);
  world.sluice.advance(1_000);
  assert.equal(await latest(), "1.1.0", client);
}, ["npm"]);
