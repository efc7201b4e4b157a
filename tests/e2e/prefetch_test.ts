import assert from "node:assert/strict";
import { cache } from "../../cli/cache.ts";
import { prefetch } from "../../cli/prefetch.ts";
import { testIo } from "../../cli/testing.ts";
import type { EpochMs } from "../../policy/types.ts";
import { NOW, type TestSluice } from "../fakes/sluice.ts";
import { cargoTest, createCargoWorld } from "./cargo_world.ts";
import { createPypiWorld, forEachPythonClient } from "./pypi_world.ts";
import { COMMANDS, createWorld, forEachClient } from "./world.ts";

/** Empties the cache, as if this Sluice had never been asked; then fetches what the lockfile lists, and nothing else. */
async function fillFrom(
  sluice: TestSluice,
  lockfile: { readonly name: string; readonly text: string },
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const io = { ...testIo({ cwd: sluice.data, env }), clock: () => NOW as EpochMs };
  const local = ["--data", sluice.data];
  assert.equal(await cache(["purge", "--all", "--yes", ...local], io), 0);
  // What it has in memory goes too.
  await sluice.restart();
  io.take();
  await Deno.writeTextFile(`${sluice.data}/${lockfile.name}`, lockfile.text);
  const code = await prefetch([lockfile.name, ...local], io);
  const { out, err } = io.take();
  assert.equal(code, 0, out + err);
  return out;
}

await forEachClient(
  "npm ci with upstream off, from what was prefetched by package-lock.json",
  async (client) => {
    await using world = await createWorld();
    const { sluice, registry } = world;
    await using project = await world.project(client, {
      dependencies: { needs: "^1.0.0", "@acme/scoped": "^1.0.0" },
    });
    const first = await project.run(...COMMANDS[client].install);
    assert.equal(first.code, 0, first.output);
    const text = await project.read("package-lock.json");
    const out = await fillFrom(sluice, { name: "package-lock.json", text }, {
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
    });
    assert.match(out, /^4 releases: fetched 4 files, .*; 0 files were here already\.\n$/);
    assert.equal(registry.downloads("needs", "1.0.0"), 2, "by the install, and by the prefetch");
    const before = (await sluice.installs()).length;

    await registry.upstream.stop();
    await project.forget();
    const second = await project.run("ci");
    assert.equal(second.code, 0, second.output);
    assert.equal(await project.installed("needs"), "1.0.0");
    assert.equal(
      (await sluice.installs()).length,
      before + 4,
      "a line for each install, none for the prefetch",
    );
  },
  ["npm"],
);

await forEachPythonClient(
  "uv sync with upstream off, from what was prefetched by uv.lock",
  async (client) => {
    await using world = await createPypiWorld();
    const { sluice, registry } = world;
    await using project = await world.project(client, { dependencies: ["needs", "sourced"] });
    const first = await project.install();
    assert.equal(first.code, 0, first.output);
    const out = await fillFrom(sluice, { name: "uv.lock", text: await project.lockfile() }, {
      SLUICE_UPSTREAM_PYPI: registry.upstream.url,
      SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: registry.files.host,
    });
    assert.match(out, /^4 releases: fetched 4 files/);

    await registry.upstream.stop();
    await registry.files.stop();
    await project.forget();
    // Neither --frozen nor a cache: uv reads indexes and metadata too, and finds that the lockfile holds.
    const second = await project.run("sync", "--locked");
    assert.equal(second.code, 0, second.output);
    assert.equal(await project.installed("needs"), "1.0.0");
    assert.equal(await project.installed("sourced"), "1.0.0");
  },
  ["uv"],
);

cargoTest("cargo build --locked with upstream off, from what was prefetched by Cargo.lock", async () => {
  await using world = await createCargoWorld();
  const { sluice, registry } = world;
  await using project = await world.project({ dependencies: { needs: "1", "Mixed-Case": "1" } });
  const first = await project.run("build");
  assert.equal(first.code, 0, first.output);
  const out = await fillFrom(sluice, { name: "Cargo.lock", text: await project.lockfile() }, {
    SLUICE_UPSTREAM_CARGO: registry.upstream.url,
  });
  assert.match(out, /^4 releases: fetched 4 files/);

  await registry.upstream.stop();
  await project.forget();
  const second = await project.run("build", "--locked");
  assert.equal(second.code, 0, second.output);
});
