import assert from "node:assert/strict";
import { daysAgo } from "../fakes/sluice.ts";
import {
  cargoTest,
  type CargoWorld,
  createCargoWorld,
  lockfileOf,
  WITHOUT_SANITIZERS,
} from "./cargo_world.ts";
import type { Ran } from "./clients.ts";

/** Everything is let through: what a row then refuses, it alone refuses. */
const LENIENT = { minimumAge: "0d", unknownAge: "allow", yanked: "allow" };

/** `deprecated` and `publisherDowngrade` are not here: no index of Cargo's says anything of them. */
interface Row {
  readonly rule: string;
  readonly pin: readonly [name: string, version: string];
  /** Beside LENIENT. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly floor?: readonly string[];
  /** What the terminal says of the file that the lockfile names. */
  readonly says: RegExp;
}

const ROWS: readonly Row[] = [
  {
    rule: "minimumAge",
    pin: ["fresh", "1.1.0"],
    policy: { minimumAge: "10d" },
    says:
      /"detail":"fresh 1\.1\.0 is held until 2026-06-09T12:00Z: published 2026-05-30T12:00Z, less than 10 days ago \(minimumAge\)\. Newest allowed: 1\.0\.0\. http/,
  },
  {
    rule: "minimumAge",
    pin: ["young", "1.0.0"],
    policy: { minimumAge: "10d" },
    says: /"detail":"young 1\.0\.0 is held until 2026-06-09/,
  },
  {
    rule: "unknownAge",
    pin: ["undated", "1.0.0"],
    policy: { unknownAge: "deny" },
    says: /"detail":"undated 1\.0\.0 is denied: .*\(unknownAge\)/,
  },
  {
    rule: "yanked",
    pin: ["withdrawn", "1.1.0"],
    policy: { yanked: "deny" },
    says: /"detail":"withdrawn 1\.1\.0 is denied: yanked from the registry \(yanked\)/,
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
    rule: "floor",
    pin: ["steady", "1.1.0"],
    floor: ["cargo/steady==1.1.0"],
    says: /"detail":"steady 1\.1\.0 is denied: blocked on this instance .*\(floor\)/,
  },
];

cargoTest(
  "each rule refuses by lockfile with its reason, by range and by pin as yanked",
  async (context) => {
    await using world = await createCargoWorld();
    for (const row of ROWS) {
      await world.sluice.setPolicy({ ...LENIENT, ...row.policy });
      await world.sluice.setFloor({ deny: row.floor ?? [] });
      await runRow(context, world, row);
    }
  },
);

/** All at once: none of them changes anything. */
async function runRow(context: Deno.TestContext, world: CargoWorld, row: Row): Promise<void> {
  const [name, version] = row.pin;
  const plain = version.replace(/\+.*/, "");
  const ways: readonly (readonly [string, () => Promise<void>])[] = [
    ["lockfile", () => fetchesLocked(world, row)],
    ["pin", () => resolves(world, row, `=${plain}`)],
    ["range", () => resolves(world, row, `>=${plain}`)],
    ["a range with others in it", () => avoids(world, row)],
  ];
  const passed = await Promise.all(
    ways.map(([way, fn]) =>
      context.step({ name: `${name} ${version} under ${row.rule}, by ${way}`, fn, ...WITHOUT_SANITIZERS })
    ),
  );
  assert.ok(passed.every(Boolean));
  assert.equal(world.registry.downloads(name, version), 0);
}

async function fetchesLocked(world: CargoWorld, { pin: [name, version], rule, says }: Row): Promise<void> {
  await using project = await world.project({ dependencies: { [name]: version.replace(/\+.*/, "") } });
  await project.write("Cargo.lock", lockfileOf(world.registry, [[name, version]]));
  const ran = await project.run("fetch", "--locked");
  show(`${name} under ${rule} by lockfile`, ran);
  assert.equal(ran.code, 101, ran.output);
  assert.match(ran.output, /got 403/);
  assert.match(ran.output, says);
  assert.match(ran.output, /\/-\/why\/pkg:cargo\/[a-z-]+@[^?]+\?decision=/);
  const refused = (await world.sluice.installs()).find((record) =>
    record.package === name.toLowerCase() && record.rule === rule
  );
  assert.equal(`${refused?.version} ${refused?.outcome}`, `${version} refused`);
}

async function resolves(
  world: CargoWorld,
  { pin: [name, version], rule }: Row,
  requirement: string,
): Promise<void> {
  await using project = await world.project({ dependencies: { [name]: requirement } });
  const ran = await project.run("fetch");
  show(`${name} ${requirement} under ${rule}`, ran);
  assert.equal(ran.code, 101, ran.output);
  const sentence = `error: failed to select a version for the requirement \`${name} = "${requirement}"\``;
  assert.ok(ran.output.includes(sentence), ran.output);
  assert.ok(ran.output.includes(`version ${version} is yanked`), ran.output);
}

async function avoids(world: CargoWorld, { pin: [name, version] }: Row): Promise<void> {
  await using project = await world.project({ dependencies: { [name]: "*" } });
  const ran = await project.run("generate-lockfile");
  const other = ALLOWED.get(name) ?? null;
  assert.equal(ran.code === 0, other !== null, ran.output);
  assert.equal(await project.locked(name), other);
  assert.notEqual(other, version);
}

/** What is left of each where its newest may not be had; of the others nothing is. */
const ALLOWED: ReadonlyMap<string, string> = new Map([
  ["fresh", "1.0.0"],
  ["withdrawn", "1.0.0"],
  ["steady", "1.0.0"],
]);

function show(title: string, { output, code }: Ran): void {
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- cargo ${title}: exit ${code}\n${output.trim()}`);
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
