import assert from "node:assert/strict";
import { cache } from "../../cli/cache.ts";
import { prefetch } from "../../cli/prefetch.ts";
import { testIo } from "../../cli/testing.ts";
import type { EpochMs } from "../../policy/types.ts";
import { ADMIN_TOKEN } from "../fakes/holders.ts";
import { NOW, type TestSluice } from "../fakes/sluice.ts";
import { cargoTest, createCargoWorld } from "./cargo_world.ts";
import { createPypiWorld, forEachPythonClient } from "./pypi_world.ts";
import { COMMANDS, createWorld, forEachClient } from "./world.ts";

/**
 * Empties the cache, as if this Sluice had never been asked; then fetches what the project's lockfile lists, and
 * nothing else. On its data folder, or where it has none, through it.
 */
async function fillFrom(
  sluice: TestSluice,
  { folder, lockfile }: { readonly folder: string; readonly lockfile: string },
  upstreams: Readonly<Record<string, string>>,
): Promise<string> {
  const env = { ...upstreams, SLUICE_TOKEN: ADMIN_TOKEN };
  const io = { ...testIo({ cwd: folder, env }), clock: () => NOW as EpochMs };
  const place = sluice.data === "none" ? ["--server", sluice.url] : ["--data", sluice.data];
  const purged = await cache(["purge", "--all", "--yes", ...place], io);
  assert.equal(purged, 0, io.take().err);
  // What it has in memory goes too.
  await sluice.restart();
  const code = await prefetch([lockfile, ...place], io);
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
    const { folder } = project;
    const out = await fillFrom(sluice, { folder, lockfile: "package-lock.json" }, {
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
    const out = await fillFrom(sluice, { folder: project.folder, lockfile: "uv.lock" }, {
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
  const out = await fillFrom(sluice, { folder: project.folder, lockfile: "Cargo.lock" }, {
    SLUICE_UPSTREAM_CARGO: registry.upstream.url,
  });
  assert.match(out, /^4 releases: fetched 4 files/);

  await registry.upstream.stop();
  await project.forget();
  const second = await project.run("build", "--locked");
  assert.equal(second.code, 0, second.output);
});
