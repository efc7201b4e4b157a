import assert from "node:assert/strict";
import type { InstallRecord } from "../../storage/installs/log.ts";
import type { TestSluice } from "../fakes/sluice.ts";
import type { Ran } from "./clients.ts";
import type { PythonProject } from "./pypi_client.ts";
import type { PythonClient } from "./pypi_programs.ts";
import { createPypiWorld, forEachPythonClient, type PypiWorld, WITHOUT_SANITIZERS } from "./pypi_world.ts";

/** Everything is let through: what a row then refuses, it alone refuses. */
const LENIENT = { minimumAge: "0d", unknownAge: "allow", publisherDowngrade: "allow", yanked: "allow" };

interface Row {
  readonly rule: string;
  readonly pin: readonly [name: string, version: string];
  /** Beside LENIENT. */
  readonly policy?: Readonly<Record<string, unknown>>;
  readonly floor?: readonly string[];
  /** The end of the address that the client is led to, and prints. */
  readonly leadsTo: string;
}

const ROWS: readonly Row[] = [
  {
    rule: "minimumAge",
    pin: ["fresh", "1.1.0"],
    policy: { minimumAge: "10d" },
    leadsTo: "held-by-minimumAge-until-2026-06-09",
  },
  {
    rule: "unknownAge",
    pin: ["undated", "1.0.0"],
    policy: { unknownAge: "deny" },
    leadsTo: "denied-by-unknownAge",
  },
  { rule: "yanked", pin: ["withdrawn", "1.1.0"], policy: { yanked: "deny" }, leadsTo: "denied-by-yanked" },
  {
    rule: "deprecated",
    pin: ["advised", "1.0.0"],
    policy: { deprecated: "deny" },
    leadsTo: "denied-by-deprecated",
  },
  {
    rule: "publisherDowngrade",
    pin: ["downgraded", "2.0.1"],
    policy: { publisherDowngrade: "deny" },
    leadsTo: "denied-by-publisherDowngrade",
  },
  {
    rule: "override",
    pin: ["steady", "1.1.0"],
    policy: { block: ["pypi/steady==1.1.0"] },
    leadsTo: "denied-by-override",
  },
  { rule: "floor", pin: ["banned", "1.0.0"], floor: ["pypi/banned: ALL"], leadsTo: "denied-by-floor" },
];

const PINS = ROWS.map(({ pin: [name, version] }) => `${name}==${version}`);

/** What each prints of a file that its lockfile names and the policy refuses. */
const OF_A_FILE: Readonly<Record<PythonClient, (row: Row) => RegExp>> = {
  "pip": whereItLed,
  "pip-machine": whereItLed,
  "uv": whereItLed,
  "poetry": ({ pin: [name, version] }) =>
    text(`Unable to find installation candidates for ${name} (${version})`),
  "pdm": ({ pin: [name] }) =>
    text(`No candidate is found for \`${name}\` that matches the environment or hashes`),
  "pipenv": ({ pin: [name, version] }) => text(`No matching distribution found for ${name}==${version}`),
};

function whereItLed({ pin: [name, version], leadsTo }: Row): RegExp {
  return text(`/-/why/pkg:pypi/${name}%40${version}/${leadsTo}`);
}

/** What each says where no release fits: of a reason none of them can know. */
const OF_NOTHING: Readonly<Record<PythonClient, (name: string, specifier: string) => RegExp>> = {
  "pip": noDistribution,
  "pip-machine": noDistribution,
  "uv": (name, specifier) =>
    new RegExp(
      `Because (only ${name}==[\\d.]+ is available|there (is no version|are no versions) of ${name}).*` +
        `your project depends on ${name}${specifier}, we can conclude`,
    ),
  "poetry": (name, specifier) =>
    text(
      `project depends on ${name} (${
        specifier.replace("==", "")
      }) which doesn't match any versions, version solving failed`,
    ),
  "pdm": (name) => new RegExp(`Unable to find (a resolution|candidates) for ${name}(\\.|$)`, "m"),
  "pipenv": noDistribution,
};

function noDistribution(name: string, specifier: string): RegExp {
  return text(`No matching distribution found for ${name}${specifier}`);
}

function text(literal: string): RegExp {
  return new RegExp(literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}

await forEachPythonClient(
  "each rule refuses by range, by pin and by lockfile, and the terminal says what it can",
  (client, context) => runTable(context, client, ROWS),
  ["pip-machine", "pip", "uv", "poetry", "pdm"],
);

/** It is pip that it runs. */
await forEachPythonClient(
  "a rule refuses by range, by pin and by lockfile, and the terminal says what it can",
  (client, context) => runTable(context, client, ROWS.slice(0, 1)),
  ["pipenv"],
);

async function runTable(
  context: Deno.TestContext,
  client: PythonClient,
  rows: readonly Row[],
): Promise<void> {
  await using world = await createPypiWorld();
  await world.sluice.setPolicy(LENIENT);
  await using locked = await world.project(client, { dependencies: PINS });
  const ran = await locked.lock();
  assert.equal(ran.code, 0, ran.output);
  for (const row of rows) await runRow(context, { world, client, row, locked });
  await world.sluice.setPolicy(LENIENT);
  await world.sluice.setFloor({});
  if (client !== "pip-machine") await isWhole(locked);
}

/** Nothing but the policy was in the way. */
async function isWhole(locked: PythonProject): Promise<void> {
  const ran = await locked.sync();
  assert.equal(ran.code, 0, ran.output);
  for (const { pin: [name, version] } of ROWS) assert.equal(await locked.installed(name), version);
}

interface Case {
  readonly world: PypiWorld;
  readonly client: PythonClient;
  readonly row: Row;
  readonly locked: PythonProject;
}

/** The three at once: none of them changes anything. */
async function runRow(context: Deno.TestContext, given: Case): Promise<void> {
  const { world, client, row } = given;
  const [name, version] = row.pin;
  await world.sluice.setPolicy({ ...LENIENT, ...row.policy });
  await world.sluice.setFloor({ deny: row.floor ?? [] });
  const ways: readonly (readonly [string, () => Promise<void>])[] = [
    ["range", () => resolves(given, `>=${version}`)],
    ["pin", () => resolves(given, `==${version}`)],
    ["lockfile", () => installsLocked(given)],
  ];
  const passed = await Promise.all(
    ways.map(([way, fn]) => context.step({ name: `${row.rule} by ${way}`, fn, ...WITHOUT_SANITIZERS })),
  );
  assert.ok(passed.every(Boolean));
  assert.deepEqual(await served(world, row), [], `${name} ${version} was served to ${client}`);
}

/**
 * To this row's own user: a client that an earlier row refused one file may leave another on its way, which that
 * row's policy allows, and its record comes when it comes.
 */
async function served({ sluice }: PypiWorld, row: Row): Promise<readonly InstallRecord[]> {
  return (await recordsOf(sluice, row)).filter(({ outcome }) => outcome !== "refused");
}

async function recordsOf(sluice: TestSluice, row: Row): Promise<readonly InstallRecord[]> {
  const [name, version] = row.pin;
  return (await sluice.installs()).filter((record) =>
    record.user === row.rule && record.package === name && record.version === version
  );
}

async function resolves({ world, client, row, locked }: Case, specifier: string): Promise<void> {
  const [name] = row.pin;
  await using project = await world.project(client, {
    user: row.rule,
    dependencies: [`${name}${specifier}`],
  });
  await project.borrowEnvironment(locked);
  const ran = await project.install();
  show(`${client} ${row.rule} ${specifier}`, ran);
  assert.notEqual(ran.code, 0, ran.output);
  assert.equal(await project.installed(name), null);
  assert.match(ran.output, OF_NOTHING[client](name, specifier));
}

async function installsLocked({ world, client, row, locked }: Case): Promise<void> {
  const [name] = row.pin;
  await using project = await world.project(client, { user: row.rule, dependencies: PINS });
  await project.write(project.lockfileName, await lockfileOf({ world, client, row, locked }));
  const ran = await project.sync();
  show(`${client} ${row.rule} lockfile`, ran);
  assert.notEqual(ran.code, 0, ran.output);
  assert.equal(await project.installed(name), null);
  assert.match(ran.output, OF_A_FILE[client](row));
  if (OF_A_FILE[client] !== whereItLed) return;
  const refused = (await recordsOf(world.sluice, row)).filter(({ outcome }) => outcome === "refused");
  assert.ok(refused.some(({ rule }) => rule === row.rule), ran.output);
}

/** An older pip has no lockfile of its own: its requirements name files, to which it sends no index's user name. */
async function lockfileOf({ world, client, row, locked }: Case): Promise<string> {
  if (client !== "pip-machine") return await locked.lockfile();
  const [name, version] = row.pin;
  const base = world.sluice.url.replace("://", `://${row.rule}:@`);
  return `${name} @ ${base}/pypi/packages/${name}/${name}-${version}-py3-none-any.whl\n`;
}

function show(title: string, { output, code }: Ran): void {
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${title}: exit ${code}\n${output.trim()}`);
}

await forEachPythonClient(
  "of a range with others in it takes what the rules leave, and no rule is met",
  async (client) => {
    await using world = await createPypiWorld();
    await world.sluice.setPolicy({ block: ["pypi/steady==1.1.0"] });
    const left = { fresh: "1.0.0", withdrawn: "1.0.0", downgraded: "2.0.0", steady: "1.0.0" };
    await using project = await world.project(client, { dependencies: Object.keys(left) });
    const ran = await project.install();
    assert.equal(ran.code, 0, ran.output);
    for (const [name, version] of Object.entries(left)) assert.equal(await project.installed(name), version);
    assert.ok((await world.sluice.installs()).every(({ outcome }) => outcome === "served"));
  },
  ["pip", "uv", "poetry", "pdm"],
);

await forEachPythonClient(
  "in observe everything installs, and the log says what would have been refused",
  async (client) => {
    await using world = await createPypiWorld();
    await world.sluice.setPolicy({ enforcement: "observe", block: ["pypi/steady==1.1.0"] });
    await using project = await world.project(client, {
      dependencies: ["fresh==1.1.0", "steady==1.1.0", "downgraded==2.0.1"],
    });
    const ran = await project.install();
    assert.equal(ran.code, 0, ran.output);
    const installs = new Set(
      (await world.sluice.installs()).map((record) => `${record.package} ${record.outcome} ${record.rule}`),
    );
    assert.deepEqual([...installs].sort(), [
      "downgraded observed publisherDowngrade",
      "fresh observed minimumAge",
      "steady observed override",
    ]);
  },
);
