import assert from "node:assert/strict";
import { cargo } from "../../ecosystems/cargo/cargo.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { cargoTest, createCargoWorld, lockfileOf } from "./cargo_world.ts";

const BASIC = (user: string) => `Basic ${btoa(`${user}:`)}`;

cargoTest(
  "builds what is allowed, from the index's lines to the archives' bytes, and all of it is in the log",
  async () => {
    await using world = await createCargoWorld();
    await using project = await world.project({
      dependencies: { needs: "1", "Mixed-Case": "1", native: "0.18", undated: "1", withdrawn: "1" },
    });
    const built = await project.run("build");
    assert.equal(built.code, 0, built.output);
    const wanted = {
      fresh: "1.0.0",
      "Mixed-Case": "1.0.0",
      native: "0.18.7+1.9.6",
      needs: "1.0.0",
      steady: "1.1.0",
      undated: "1.0.0",
      withdrawn: "1.0.0",
    };
    for (const [name, version] of Object.entries(wanted)) assert.equal(await project.locked(name), version);
    const installs = (await world.sluice.installs()).map((install) =>
      `${install.package}@${install.version} ${install.outcome} ${install.client}`
    ).sort();
    assert.equal(installs.length, 7);
    assert.match(installs[1]!, /^mixed-case@1\.0\.0 served cargo/);
    assert.deepEqual(world.sluice.lines.filter(({ level }) => level === "error"), []);
  },
);

cargoTest("what was held is built once it has matured, with no lockfile to change", async () => {
  await using world = await createCargoWorld();
  await using project = await world.project({ dependencies: { fresh: "1" } });
  await project.run("fetch");
  assert.equal(await project.locked("fresh"), "1.0.0");
  world.sluice.advance(9 * 86_400_000);
  const updated = await project.run("update");
  assert.equal(updated.code, 0, updated.output);
  assert.equal(await project.locked("fresh"), "1.1.0");
  assert.equal((await project.run("build", "--locked")).code, 0);
});

cargoTest(
  "in place of the public registry: Cargo.lock names that one, and neither Sluice nor who asked",
  async () => {
    await using world = await createCargoWorld();
    await using project = await world.project({
      registry: world.cargo.replace("//", "//ada@"),
      dependencies: { needs: "1" },
    });
    const built = await project.run("build");
    assert.equal(built.code, 0, built.output);
    const lockfile = await project.lockfile();
    assert.ok(!lockfile.includes("127.0.0.1") && !lockfile.includes("ada"), lockfile);
    // The name in the index's address comes with the downloads too.
    const users = (await world.sluice.installs()).map(({ user }) => user);
    assert.deepEqual(users, ["ada", "ada", "ada"]);
  },
);

cargoTest(
  "under a name of its own, with a token: Cargo.lock names the registry, and no credential",
  async () => {
    await using world = await createCargoWorld();
    await world.sluice.setPolicy({ callers: "named" });
    await using project = await world.project({
      as: "registry",
      dependencies: { steady: "1" },
      token: BASIC("grace"),
    });
    const built = await project.run("build");
    assert.equal(built.code, 0, built.output);
    const lockfile = await project.lockfile();
    assert.ok(lockfile.includes(`source = "sparse+${world.cargo}"`), lockfile);
    assert.ok(!lockfile.includes("grace") && !lockfile.includes(btoa("grace:")), lockfile);
    const [install] = await world.sluice.installs();
    assert.equal(install?.user, "grace");
  },
);

cargoTest(
  "an organisation that lets in callers with a name only: none without, all with a token",
  async () => {
    await using world = await createCargoWorld();
    await world.sluice.setPolicy({ callers: "named" });
    await using nobody = await world.project({ dependencies: { steady: "1" } });
    const refused = await nobody.run("build");
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /authenticated registries require a credential-provider to be configured/);
    await using grace = await world.project({ dependencies: { steady: "1" }, token: BASIC("grace") });
    const built = await grace.run("build");
    assert.equal(built.code, 0, built.output);
    assert.deepEqual((await world.sluice.installs()).map(({ user }) => user), ["grace"]);
  },
);

cargoTest(
  "twenty dependencies; then, with upstream gone, all of it again from the lockfile, and the search",
  async () => {
    await using world = await createCargoWorld();
    const names = Array.from({ length: 20 }, (_, index) => `part-${String(index).padStart(2, "0")}`);
    const releases = { "1.0.0": { publishedAt: daysAgo(100) }, "1.1.0": { publishedAt: daysAgo(1) } };
    for (const name of names) world.registry.publish({ name, releases });
    world.registry.publish({
      name: "whole",
      releases: {
        "1.0.0": {
          publishedAt: daysAgo(50),
          dependencies: Object.fromEntries(names.map((name) => [name, "1"])),
        },
      },
    });
    await using project = await world.project({ dependencies: { whole: "1" } });
    const cold = await project.run("build");
    assert.equal(cold.code, 0, cold.output);
    for (const name of names) assert.equal(await project.locked(name), "1.0.0");
    const found = await project.run("search", "part-", "--registry", "sluice");
    assert.match(found.output, /part-00 = "1\.0\.0"/);

    await world.registry.upstream.stop();
    world.sluice.advance(3 * 3_600_000);
    await project.forget();
    const warm = await project.run("build", "--locked");
    assert.equal(warm.code, 0, warm.output);
    const again = await project.run("search", "part-", "--registry", "sluice");
    assert.match(again.output, /part-00 = "1\.0\.0"/);
    for (const name of names) assert.equal(world.registry.downloads(name, "1.0.0"), 1, name);
  },
);

cargoTest(
  "search names a version only where it may be had, and info tells of the newest that may",
  async () => {
    await using world = await createCargoWorld();
    await using project = await world.project({ as: "registry", dependencies: { fresh: "1", young: "1" } });
    await project.run("fetch");
    const found = await project.run("search", "", "--registry", "sluice");
    assert.equal(found.code, 0, found.output);
    assert.match(found.output, /^fresh = "1\.0\.0" +# The crate fresh$/m);
    assert.match(found.output, /^young = "\*" +# The crate young$/m);
    assert.match(found.output, /^undated = "\*" +# The crate undated$/m);
    const info = await project.run("info", "fresh", "--registry", "sluice");
    assert.equal(info.code, 0, info.output);
    assert.match(info.output, /^version: 1\.0\.0\b/m);
    const held = await project.run("info", "fresh@1.1.0", "--registry", "sluice");
    assert.notEqual(held.code, 0);
  },
);

cargoTest("the line on the welcome page is all that it takes", async () => {
  await using world = await createCargoWorld();
  await using project = await world.project({ dependencies: { steady: "1" } });
  const [setup] = cargo.setup(world.cargo.replace(/\/$/, ""));
  await project.write(".cargo/config.toml", "");
  const home = `${project.folder}/home`;
  await Deno.mkdir(home);
  const { success } = await new Deno.Command("sh", { args: ["-c", setup!.line], env: { HOME: home } })
    .output();
  assert.ok(success, setup?.line);
  await project.write(".cargo/config.toml", await Deno.readTextFile(`${home}/.cargo/config.toml`));
  const built = await project.run("build");
  assert.equal(built.code, 0, built.output);
  assert.equal((await world.sluice.installs()).length, 1);
});

cargoTest("with the ecosystem at the root of the host, the host's own address is the registry", async () => {
  await using world = await createCargoWorld({ SLUICE_ROOT: "npm,cargo" });
  const root = `${world.sluice.url.replace("//", "//ada@")}/`;
  await using project = await world.project({ registry: root, dependencies: { needs: "1" } });
  const built = await project.run("build");
  assert.equal(built.code, 0, built.output);
  assert.deepEqual((await world.sluice.installs()).map(({ user }) => user), ["ada", "ada", "ada"]);
  await project.write("Cargo.lock", lockfileOf(world.registry, [["fresh", "1.1.0"]]));
  await project.write(
    "Cargo.toml",
    (await Deno.readTextFile(`${project.folder}/Cargo.toml`)).replace("needs", "fresh"),
  );
  const refused = await project.run("build", "--locked");
  assert.match(refused.output, /fresh 1\.1\.0 is held until 2026-06-09/);
});

cargoTest(
  'with artifacts "upstream" archives come from upstream itself, and each is decided and recorded here',
  async () => {
    await using world = await createCargoWorld();
    await world.sluice.setPolicy({ artifacts: "upstream" });
    await using project = await world.project({ dependencies: { needs: "1" } });
    const built = await project.run("build");
    assert.equal(built.code, 0, built.output);
    assert.equal((await world.sluice.installs()).length, 3);
    await project.write("Cargo.lock", lockfileOf(world.registry, [["fresh", "1.1.0"]]));
    await project.write(
      "Cargo.toml",
      (await Deno.readTextFile(`${project.folder}/Cargo.toml`)).replace("needs", "fresh"),
    );
    await project.forget();
    const refused = await project.run("build", "--locked");
    assert.match(refused.output, /fresh 1\.1\.0 is held/);
    assert.equal(world.registry.downloads("fresh", "1.1.0"), 0);
  },
);
