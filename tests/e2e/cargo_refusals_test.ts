import assert from "node:assert/strict";
import { daysAgo } from "../fakes/sluice.ts";
import { cargoTest, createCargoWorld, lockfileOf } from "./cargo_world.ts";

interface Row {
  readonly rule: string;
  readonly pin: readonly [name: string, version: string];
  readonly policy: Readonly<Record<string, unknown>>;
  /** What the terminal says of the file that the lockfile names. */
  readonly says: RegExp;
}

const ROWS: readonly Row[] = [
  {
    rule: "minimumAge",
    pin: ["fresh", "1.1.0"],
    policy: {},
    says:
      /"detail":"fresh 1\.1\.0 is held until 2026-06-09T12:00Z: published 2026-05-30T12:00Z, less than 10 days ago \(minimumAge\)\. Newest allowed: 1\.0\.0\. http/,
  },
  {
    rule: "minimumAge",
    pin: ["young", "1.0.0"],
    policy: {},
    says: /"detail":"young 1\.0\.0 is held until 2026-06-09/,
  },
  {
    rule: "override",
    pin: ["steady", "1.1.0"],
    policy: { block: ["cargo/steady==1.1.0"] },
    says: /"detail":"steady 1\.1\.0 is denied: blocked by the organisation .*\(override\)/,
  },
  {
    rule: "override",
    pin: ["Mixed-Case", "1.0.0"],
    policy: { block: ["cargo/mixed_case"] },
    says: /"detail":"mixed-case 1\.0\.0 is denied: blocked by the organisation/,
  },
  {
    rule: "override",
    pin: ["native", "0.18.7+1.9.6"],
    policy: { overrides: [{ effect: "deny", purl: "pkg:cargo/native", range: "vers:cargo/<=0.18.7" }] },
    says: /"detail":"native 0\.18\.7\+1\.9\.6 is denied: blocked by the organisation/,
  },
  {
    rule: "yanked",
    pin: ["withdrawn", "1.1.0"],
    policy: {},
    says: /"detail":"withdrawn 1\.1\.0 is denied: yanked from the registry \(yanked\)/,
  },
  {
    rule: "unknownAge",
    pin: ["undated", "1.0.0"],
    policy: { unknownAge: "deny" },
    says: /"detail":"undated 1\.0\.0 is denied: .*\(unknownAge\)/,
  },
];

for (const { rule, pin: [name, version], policy, says } of ROWS) {
  cargoTest(
    `${name} ${version} under ${rule}: refused by lockfile with its reason, by pin and by range as yanked`,
    async () => {
      await using world = await createCargoWorld();
      await world.sluice.setPolicy(policy);
      await using project = await world.project({ dependencies: { [name]: version.replace(/\+.*/, "") } });
      await project.write("Cargo.lock", lockfileOf(world.registry, [[name, version]]));
      const locked = await project.run("build", "--locked");
      if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${rule}\n${locked.output.trim()}`);
      assert.notEqual(locked.code, 0, locked.output);
      assert.match(locked.output, /got 403/);
      assert.match(locked.output, says);
      assert.match(locked.output, /\/-\/why\/pkg:cargo\/[a-z-]+@[^?]+\?decision=/);
      const [record] = await world.sluice.installs();
      assert.equal(
        `${record?.package} ${record?.version} ${record?.outcome} ${record?.rule}`,
        `${name.toLowerCase()} ${version} refused ${rule}`,
      );
      assert.equal(world.registry.downloads(name, version), 0);

      await using pinned = await world.project({
        dependencies: { [name]: `=${version.replace(/\+.*/, "")}` },
      });
      const byPin = await pinned.run("build");
      assert.notEqual(byPin.code, 0, byPin.output);
      assert.match(byPin.output, /error: failed to select a version for the requirement/);
      assert.ok(byPin.output.includes(`version ${version} is yanked`), byPin.output);

      await using ranged = await world.project({ dependencies: { [name]: "*" } });
      await ranged.run("generate-lockfile");
      assert.notEqual(await ranged.locked(name), version);
    },
  );
}

cargoTest(
  "a lockfile with one held release among allowed ones: nothing is built, and only that one is refused",
  async () => {
    await using world = await createCargoWorld();
    await using project = await world.project({ dependencies: { fresh: "1", steady: "1" } });
    await project.write("Cargo.lock", lockfileOf(world.registry, [["fresh", "1.1.0"], ["steady", "1.1.0"]]));
    const refused = await project.run("build", "--locked");
    assert.notEqual(refused.code, 0);
    assert.match(refused.output, /fresh 1\.1\.0 is held/);
    const outcomes = (await world.sluice.installs()).map(({ package: name, outcome }) =>
      `${name} ${outcome}`
    );
    assert.ok(outcomes.includes("fresh refused") && !outcomes.includes("steady refused"), outcomes.join());
  },
);

cargoTest(
  "with yanked allowed, a lockfile that names a yanked release builds, and nothing new chooses it",
  async () => {
    await using world = await createCargoWorld();
    await world.sluice.setPolicy({ yanked: "allow" });
    await using project = await world.project({ dependencies: { withdrawn: "1" } });
    await project.write("Cargo.lock", lockfileOf(world.registry, [["withdrawn", "1.1.0"]]));
    const locked = await project.run("build", "--locked");
    assert.equal(locked.code, 0, locked.output);
    await using fresh = await world.project({ dependencies: { withdrawn: "1" } });
    await fresh.run("generate-lockfile");
    assert.equal(await fresh.locked("withdrawn"), "1.0.0");
  },
);

cargoTest(
  "what upstream has deleted is no version, and a crate that it does not have no package",
  async () => {
    await using world = await createCargoWorld();
    const lockfile = lockfileOf(world.registry, [["steady", "1.1.0"]]);
    world.registry.publish({ name: "steady", releases: { "1.0.0": { publishedAt: daysAgo(200) } } });
    await using project = await world.project({ dependencies: { steady: "1" } });
    await project.write("Cargo.lock", lockfile);
    const gone = await project.run("build", "--locked");
    assert.notEqual(gone.code, 0, gone.output);
    await using other = await world.project({ dependencies: { nosuch: "1" } });
    const unknown = await other.run("build");
    assert.match(unknown.output, /error: no matching package named `nosuch` found/);
  },
);

cargoTest("an archive whose bytes are not what the index says is no download", async () => {
  await using world = await createCargoWorld();
  world.registry.upstream.answer("/dl/steady/1.1.0/download", { body: "not the archive" });
  await using project = await world.project({ dependencies: { steady: "1" } });
  const failed = await project.run("build");
  assert.notEqual(failed.code, 0, failed.output);
  assert.ok((await world.sluice.installs()).every(({ outcome }) => outcome !== "served"));
});

cargoTest("in observe everything is built, and the log says what would have been refused", async () => {
  await using world = await createCargoWorld();
  await world.sluice.setPolicy({ enforcement: "observe", block: ["cargo/steady==1.1.0"] });
  await using project = await world.project({ dependencies: { fresh: "=1.1.0", steady: "=1.1.0" } });
  const built = await project.run("build");
  assert.equal(built.code, 0, built.output);
  const installs = (await world.sluice.installs()).map((record) =>
    `${record.package} ${record.outcome} ${record.rule}`
  ).sort();
  assert.deepEqual(installs, ["fresh observed minimumAge", "steady observed override"]);
});

cargoTest("publishing, yanking and owning are told that this is not the place", async () => {
  await using world = await createCargoWorld();
  await using project = await world.project({ as: "registry", token: "Basic YWRhOg==" });
  const yanked = await project.run("yank", "--registry", "sluice", "--version", "1.0.0", "steady");
  assert.notEqual(yanked.code, 0);
  assert.match(yanked.output, /publish to the registry itself/);
});
