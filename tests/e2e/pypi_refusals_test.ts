import assert from "node:assert/strict";
import type { PythonClient, PythonProject } from "./pypi_client.ts";
import { createPypiWorld, forEachPythonClient, type PypiWorld } from "./pypi_world.ts";

interface Rule {
  readonly rule: string;
  readonly pin: readonly [name: string, version: string];
  readonly policy: Readonly<Record<string, unknown>>;
  /** The address that the client is led to, and prints. */
  readonly shows: RegExp;
}

const RULES: readonly Rule[] = [
  {
    rule: "minimumAge",
    pin: ["fresh", "1.1.0"],
    policy: {},
    shows: /-\/why\/pkg:pypi\/fresh%401\.1\.0\/held-by-minimumAge-until-2026-06-09/,
  },
  {
    rule: "override",
    pin: ["steady", "1.1.0"],
    policy: { block: ["pypi/steady==1.1.0"] },
    shows: /-\/why\/pkg:pypi\/steady%401\.1\.0\/denied-by-override/,
  },
  {
    rule: "publisherDowngrade",
    pin: ["downgraded", "2.0.1"],
    policy: {},
    shows: /-\/why\/pkg:pypi\/downgraded%402\.0\.1\/\S*publisherDowngrade/,
  },
  {
    rule: "unknownAge",
    pin: ["undated", "1.0.0"],
    policy: { unknownAge: "deny" },
    shows: /-\/why\/pkg:pypi\/undated%401\.0\.0\/\S*unknownAge/,
  },
  {
    rule: "yanked",
    pin: ["withdrawn", "1.1.0"],
    policy: {},
    shows: /-\/why\/pkg:pypi\/withdrawn%401\.1\.0\/\S*yanked/,
  },
];

const LENIENT = { minimumAge: "0d", unknownAge: "allow", publisherDowngrade: "allow", yanked: "allow" };

/**
 * poetry and pdm look a locked file up in the index before they ask for it, and there it is not: they say no more
 * than that.
 */
const LOOK_IT_UP: ReadonlyMap<PythonClient, RegExp> = new Map([
  ["poetry", /Unable to find installation candidates for/],
  ["pdm", /No candidate is found for `\w+` that matches the environment or hashes/],
]);

/** What each says where no release fits: of a reason none of them can know. */
const NOTHING_FITS: Readonly<Record<PythonClient, RegExp>> = {
  "pip": /No matching distribution found for/,
  "pip-machine": /No matching distribution found for/,
  "uv": /No solution found when resolving dependencies/,
  "poetry": /doesn't match any versions, version solving failed/,
  "pdm": /Unable to find a resolution for|Unable to find candidates for/,
};

function show(title: string, output: string): void {
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${title}\n${output.trim()}`);
}

/** An older pip has no lockfile of its own: its requirements name files and their digests. */
async function lock(world: PypiWorld, project: PythonProject, { pin: [name, version] }: Rule): Promise<void> {
  const filename = `${name}-${version}-py3-none-any.whl`;
  const url = `${world.sluice.url}/pypi/packages/${name}/${filename}`;
  await project.write("requirements.lock", `${name} @ ${url}\n`);
}

for (const rule of RULES) {
  const [name, version] = rule.pin;

  await forEachPythonClient(
    `a lockfile that names a release under ${rule.rule} is refused, and the terminal says why`,
    async (client) => {
      await using world = await createPypiWorld();
      await world.sluice.setPolicy(LENIENT);
      await using project = await world.project(client, { dependencies: [`${name}==${version}`] });
      const first = await project.install();
      assert.equal(first.code, 0, first.output);
      assert.equal(await project.installed(name), version);
      if (client === "pip-machine") await lock(world, project, rule);

      await world.sluice.setPolicy(rule.policy);
      await project.forget();
      const refused = await project.sync();
      show(`${client} lockfile ${rule.rule}`, refused.output);
      assert.notEqual(refused.code, 0, refused.output);
      assert.equal(await project.installed(name), null);
      const looksUp = LOOK_IT_UP.get(client);
      assert.match(refused.output, looksUp ?? rule.shows);
      assert.equal(world.registry.downloads(`${name}-${version}-py3-none-any.whl`), 1, "not asked for again");
      if (looksUp !== undefined) return;
      const [record] = await world.sluice.installs();
      assert.equal(
        `${record?.package}@${record?.version} ${record?.outcome} ${record?.rule}`,
        `${name}@${version} refused ${rule.rule}`,
      );
    },
  );

  await forEachPythonClient(
    `a pin to a release under ${rule.rule} finds nothing that fits`,
    async (client) => {
      await using world = await createPypiWorld();
      await world.sluice.setPolicy(rule.policy);
      await using project = await world.project(client, { dependencies: [`${name}==${version}`] });
      const ran = await project.install();
      show(`${client} pin ${rule.rule}`, ran.output);
      assert.notEqual(ran.code, 0, ran.output);
      assert.equal(await project.installed(name), null);
      assert.match(ran.output, NOTHING_FITS[client]);
      assert.equal(world.registry.downloads(`${name}-${version}-py3-none-any.whl`), 0, "upstream untouched");
    },
  );
}

await forEachPythonClient(
  "a range of which everything is withheld finds nothing that fits",
  async (client) => {
    await using world = await createPypiWorld();
    await using project = await world.project(client, { dependencies: ["young>=1"] });
    const ran = await project.install();
    show(`${client} range`, ran.output);
    assert.notEqual(ran.code, 0, ran.output);
    assert.match(ran.output, NOTHING_FITS[client]);
  },
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
