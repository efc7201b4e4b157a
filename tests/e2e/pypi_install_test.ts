import assert from "node:assert/strict";
import { join } from "node:path";
import { CLIENTS, createPypiWorld, forEachPythonClient } from "./pypi_world.ts";
import { createPythonProject } from "./pypi_client.ts";
import type { PythonClient } from "./pypi_programs.ts";

/** The user's name as a lockfile would hold it: in an address, or as Basic auth. */
const CREDENTIAL = /YWRh|ada:|ada@/;

/** What each calls itself. */
const NAMES: Readonly<Record<PythonClient, string>> = {
  "pip": "pip",
  "pip-machine": "pip",
  "uv": "uv",
  "poetry": "poetry",
  "pdm": "pdm",
  "pipenv": "pip",
};

for (const speaks of ["json", "html"] as const) {
  const options = speaks === "html" ? { speaks } : {};
  // It is pip that pipenv runs.
  const clients = speaks === "html" ? CLIENTS.filter((client) => client !== "pipenv") : CLIENTS;

  await forEachPythonClient(
    `installs the newest release that is old enough, and it is written down (upstream speaks ${speaks})`,
    async (client) => {
      await using world = await createPypiWorld(options);
      await using project = await world.project(client, { dependencies: ["needs", "sourced"] });
      const ran = await project.install();
      if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client} install\n${ran.output.trim()}`);
      assert.equal(ran.code, 0, ran.output);
      assert.equal(await project.installed("needs"), "1.0.0");
      assert.equal(await project.installed("steady"), "1.1.0");
      assert.equal(await project.installed("fresh"), "1.0.0");
      assert.equal(await project.installed("sourced"), "1.0.0");

      const installs = await world.sluice.installs();
      const served = new Set(
        installs.map(({ package: name, version, outcome, user }) => `${name}@${version} ${outcome} ${user}`),
      );
      assert.deepEqual([...served].sort(), [
        "fresh@1.0.0 served ada",
        "needs@1.0.0 served ada",
        "sourced@1.0.0 served ada",
        "steady@1.1.0 served ada",
      ]);
      assert.deepEqual(new Set(installs.map((install) => install.client)), new Set([NAMES[client]]));
      assert.equal(world.registry.downloads("fresh-1.1.0-py3-none-any.whl"), 0);
      if (client === "pip-machine") return;
      const lockfile = await project.lockfile();
      assert.match(lockfile, /needs/);
      assert.doesNotMatch(lockfile, CREDENTIAL, `no credential in ${project.lockfileName}`);
    },
    clients,
  );
}

await forEachPythonClient(
  "installs again with upstream gone, cold client, strictly by lockfile",
  async (client) => {
    await using world = await createPypiWorld();
    await using project = await world.project(client, { dependencies: ["needs"] });
    const first = await project.install();
    assert.equal(first.code, 0, first.output);
    await world.registry.upstream.stop();
    await world.registry.files.stop();
    world.sluice.advance(3 * 60 * 60_000);
    await project.forget();
    const second = await project.sync();
    assert.equal(second.code, 0, second.output);
    assert.equal(await project.installed("fresh"), "1.0.0");
  },
  ["pip", "uv", "poetry", "pdm", "pipenv"],
);

await forEachPythonClient(
  "locks again with upstream gone and no lockfile: it is the same",
  async (client) => {
    await using world = await createPypiWorld();
    await using project = await world.project(client, { dependencies: ["needs"] });
    const first = await project.install();
    assert.equal(first.code, 0, first.output);
    const lockfile = await project.lockfile();
    await world.registry.upstream.stop();
    await world.registry.files.stop();
    world.sluice.advance(3 * 60 * 60_000);
    await project.forget();
    await Deno.remove(join(project.folder, project.lockfileName));
    const second = await project.install();
    assert.equal(second.code, 0, second.output);
    assert.equal(await project.lockfile(), lockfile);
    assert.equal(await project.installed("fresh"), "1.0.0");
  },
  ["uv"],
);

await forEachPythonClient(
  "where callers must have a name, one in the index's address is sent with every file",
  async (client) => {
    await using world = await createPypiWorld();
    await world.sluice.setPolicy({ callers: "named" });
    await using stranger = await createPythonProject({ client, index: world.index, dependencies: ["needs"] });
    assert.notEqual((await stranger.install()).code, 0);
    assert.deepEqual(await world.sluice.installs(), []);
    await using project = await world.project(client, { dependencies: ["needs"] });
    const ran = await project.install();
    assert.equal(ran.code, 0, ran.output);
    assert.ok((await world.sluice.installs()).every(({ user }) => user === "ada"));
    if (client !== "pip-machine") assert.doesNotMatch(await project.lockfile(), CREDENTIAL);
  },
);

/** Of steady, 1.0.0 is of 2025 and 1.1.0 of 2026. */
const OWN_COOLDOWN: Readonly<Partial<Record<PythonClient, readonly string[]>>> = {
  pip: [
    "install",
    "--target",
    "site",
    "--uploaded-prior-to",
    "2026-01-01T00:00:00Z",
    "-r",
    "requirements.txt",
  ],
  uv: ["sync", "--exclude-newer", "2026-01-01T00:00:00Z"],
  pdm: ["lock", "--exclude-newer", "2026-01-01"],
};

await forEachPythonClient(
  "its own cooldown finds the dates, although upstream's page has none",
  async (client) => {
    await using world = await createPypiWorld({ speaks: "html" });
    await using project = await world.project(client, { dependencies: ["steady"] });
    const ran = await project.run(...OWN_COOLDOWN[client]!);
    assert.equal(ran.code, 0, ran.output);
    if (client === "pdm") await project.sync();
    assert.equal(await project.installed("steady"), "1.0.0");
  },
  ["pip", "uv", "pdm"],
);
