/** The public registry, where this machine reaches it; else every test here skips and says so. */
import assert from "node:assert/strict";
import { cargo } from "../../ecosystems/cargo/cargo.ts";
import { startSluice } from "../fakes/sluice.ts";
import { type CargoProject, createCargoProject, missingCargo } from "./cargo_client.ts";
import { unreachable } from "./reach.ts";

const DAY = Date.UTC(2026, 10, 20);
/** A proxy that refuses every connection: upstream is gone, its address stays the same. */
const GONE = { HTTPS_PROXY: "http://127.0.0.1:9" };
/** A web framework with 33 dependencies of its own (57 crates in all, 9 MB), and a crate known by a name with capitals. */
const DEPENDENCIES = { axum: "0.8", Inflector: "0.11" };

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

test("a crate with more than twenty dependencies, cold, then with upstream switched off", async () => {
  await using sluice = await startSluice({ env: {}, now: DAY });
  await using project = await createCargoProject({
    registry: `${sluice.url.replace("//", "//ada@")}/cargo/`,
    dependencies: DEPENDENCIES,
  });
  const cold = await project.run("fetch");
  assert.equal(cold.code, 0, cold.output);
  for (const name of Object.keys(DEPENDENCIES)) assert.notEqual(await project.locked(name), null, name);
  const direct = await directDependencies(project, "axum");
  assert.ok(direct >= 20, `${direct} dependencies of its own`);
  const first = await sluice.installs();
  assert.ok(first.length > 40, `${first.length} crates`);
  assert.ok(first.every((record) => record.outcome === "served" && record.user === "ada"));
  const lockfile = await project.lockfile();
  assert.ok(!lockfile.includes("127.0.0.1") && !lockfile.includes("ada@"), lockfile);

  await sluice.restart(GONE);
  sluice.advance(3 * 60 * 60_000);
  await project.forget();
  const warm = await project.run("fetch", "--locked");
  assert.equal(warm.code, 0, warm.output);
  assert.equal(await directDependencies(project, "axum"), direct);
  const hits = (await sluice.installs()).slice(0, -first.length).filter((record) => record.cache === "hit");
  assert.equal(hits.length, first.length);
});

interface Metadata {
  readonly packages: readonly {
    readonly name: string;
    readonly dependencies: readonly { readonly kind: "dev" | "build" | null }[];
  }[];
}

/** Of what Cargo has on disk, asking nobody; those that a feature brings count too, those of its tests do not. */
async function directDependencies(project: CargoProject, name: string): Promise<number> {
  const { code, output } = await project.run("metadata", "--offline", "--locked", "--format-version", "1");
  assert.equal(code, 0, output);
  const { packages } = JSON.parse(output.slice(0, output.indexOf("\n"))) as Metadata;
  return packages.find((each) => each.name === name)!.dependencies.filter(({ kind }) => kind === null).length;
}

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

/** What `api` of the registry's `config.json` names; a mirror of the files alone may have none. */
async function searchable(): Promise<string | null> {
  if (why !== null) return why;
  const config = await fetch(new URL("config.json", cargo.upstreams["index"]));
  const { api } = await config.json() as { readonly api?: string };
  if (api === undefined) return "the registry within reach names no web API";
  const reason = await unreachable(new URL("/api/v1/crates?q=serde&per_page=1", api));
  return reason === null ? null : `the registry's web API: ${reason}`;
}

const withoutSearch = await searchable();

Deno.test({
  name: `cargo: search and info of real crates name what may be had${
    withoutSearch === null ? "" : ` (skipped: ${withoutSearch})`
  }`,
  ignore: withoutSearch !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using sluice = await startSluice({ env: {}, now: DAY });
    const registry = `${sluice.url}/cargo/`;
    await using project = await createCargoProject({
      registry,
      as: "registry",
      dependencies: { either: "1" },
    });
    const fetched = await project.run("fetch");
    assert.equal(fetched.code, 0, fetched.output);
    const found = await project.run("search", "either", "--registry", "sluice");
    assert.equal(found.code, 0, found.output);
    assert.match(found.output, /^either = "1\.\d+\.\d+"/m);
    const info = await project.run("info", "either", "--registry", "sluice");
    assert.equal(info.code, 0, info.output);
    assert.match(info.output, /^version: 1\./m);
  },
});
