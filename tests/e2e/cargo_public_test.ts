/** The public registry, where this machine reaches it; else every test here skips and says so. */
import assert from "node:assert/strict";
import { cargo } from "../../ecosystems/cargo/cargo.ts";
import { startSluice } from "../fakes/sluice.ts";
import { createCargoProject, missingCargo } from "./cargo_client.ts";
import { unreachable } from "./reach.ts";

const DAY = Date.UTC(2026, 10, 20);
/** A proxy that refuses every connection: upstream is gone, its address stays the same. */
const GONE = { HTTPS_PROXY: "http://127.0.0.1:9" };
/** Twenty crates and more come with them; one is known by a name with capitals. */
const DEPENDENCIES = {
  serde_json: "1",
  syn: "2",
  rand: "0.8",
  bitflags: "2",
  either: "1",
  Inflector: "0.11",
};

const why = await missingCargo() ?? await unreachable(new URL("se/rd/serde", cargo.upstreams["index"]));
const test = (criterion: string, fn: () => Promise<void>) =>
  Deno.test({
    name: `cargo: ${criterion}${
      why === null ? "" : " (skipped: no cargo, or no public registry within reach)"
    }`,
    ignore: why !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn,
  });

test("real crates from the public registry, cold, then with upstream switched off", async () => {
  await using sluice = await startSluice({ env: {}, now: DAY });
  await using project = await createCargoProject({
    registry: `${sluice.url.replace("//", "//ada@")}/cargo/`,
    dependencies: DEPENDENCIES,
  });
  const cold = await project.run("fetch");
  assert.equal(cold.code, 0, cold.output);
  for (const name of Object.keys(DEPENDENCIES)) assert.notEqual(await project.locked(name), null, name);
  const first = await sluice.installs();
  assert.ok(first.length > 20, `${first.length} crates`);
  assert.ok(first.every((record) => record.outcome === "served" && record.user === "ada"));
  const lockfile = await project.lockfile();
  assert.ok(!lockfile.includes("127.0.0.1") && !lockfile.includes("ada@"), lockfile);

  await sluice.restart(GONE);
  sluice.advance(3 * 60 * 60_000);
  await project.forget();
  const warm = await project.run("fetch", "--locked");
  assert.equal(warm.code, 0, warm.output);
  const hits = (await sluice.installs()).slice(0, -first.length).filter((record) => record.cache === "hit");
  assert.equal(hits.length, first.length);
});

test("a real crate that is younger than the policy wants is refused by its lockfile, with its real date", async () => {
  await using sluice = await startSluice({ env: {}, now: DAY });
  await using project = await createCargoProject({
    registry: `${sluice.url}/cargo/`,
    dependencies: { either: "=1.13.0" },
  });
  const locked = await project.run("fetch");
  assert.equal(locked.code, 0, locked.output);
  await sluice.setPolicy({ minimumAge: "3000d" });
  await project.forget();
  const refused = await project.run("fetch", "--locked");
  assert.notEqual(refused.code, 0, refused.output);
  assert.match(
    refused.output,
    /either 1\.13\.0 is held until 20\d\d-.*published 2024-06-25T.*\(minimumAge\)/,
  );
});
