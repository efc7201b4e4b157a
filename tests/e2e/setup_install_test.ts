/** What setup.sh writes is all that real clients need. */
import assert from "node:assert/strict";
import { missingCargo } from "./cargo_client.ts";
import { type ClientName, findClient } from "./clients.ts";
import { findPython, findPythonProgram } from "./pypi_programs.ts";
import { WITHOUT_SANITIZERS } from "./pypi_world.ts";
import { type Home, type SetupWorld, startSetupWorld } from "./setup_world.ts";

/** A project of its own for each, which wants `steady`. */
interface Install {
  readonly client: ClientName | "cargo" | "pip" | "uv" | "pdm";
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

const NPM_PROJECT = { "package.json": '{"name":"p","version":"1.0.0","dependencies":{"steady":"^1.0.0"}}' };
/** No cooldown, telemetry or cache of its own; the registry is what the home says. */
const YARN_SETTINGS = [
  "nodeLinker: node-modules",
  "enableGlobalCache: false",
  "enableTelemetry: false",
  "enableImmutableInstalls: false",
  "npmMinimalAgeGate: 0",
  "",
].join("\n");
const PYTHON_PROJECT = {
  "pyproject.toml": [
    "[project]",
    'name = "p"',
    'version = "1"',
    'requires-python = ">=3.9"',
    'dependencies = ["steady"]',
    "[tool.uv]",
    "package = false",
    "[tool.pdm]",
    "distribution = false",
    "",
  ].join("\n"),
};
const CARGO_PROJECT = {
  "Cargo.toml": '[package]\nname = "p"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nsteady = "1"\n',
  "src/lib.rs": "",
};
const PYTHON = await findPython() ?? "python3";
const INSTALLS: readonly Install[] = [
  { client: "npm", files: NPM_PROJECT, command: ["npm", "install"] },
  { client: "pnpm", files: NPM_PROJECT, command: ["pnpm", "install", "--no-frozen-lockfile"] },
  { client: "yarn1", files: NPM_PROJECT, command: ["yarn", "install"] },
  {
    client: "yarn4",
    files: { ...NPM_PROJECT, "yarn.lock": "", ".yarnrc.yml": YARN_SETTINGS },
    command: [...await findClient("yarn4") ?? [], "install"],
  },
  { client: "bun", files: NPM_PROJECT, command: ["bun", "install"] },
  { client: "deno", files: NPM_PROJECT, command: ["deno", "install"] },
  { client: "cargo", files: CARGO_PROJECT, command: ["cargo", "fetch"] },
  { client: "pip", files: {}, command: ["pip", "install", "--target", "site", "steady"] },
  { client: "uv", files: PYTHON_PROJECT, command: ["uv", "sync", "--python", PYTHON] },
  { client: "pdm", files: PYTHON_PROJECT, command: ["pdm", "lock"] },
];

async function missingOf({ client }: Install): Promise<string | null> {
  const missing = 'run "deno task clients" first';
  switch (client) {
    case "cargo":
      return await missingCargo();
    case "pip":
    case "uv":
    case "pdm":
      return await findPythonProgram(client) === null ? missing : null;
    case "npm":
      return null;
    default:
      return await findClient(client) === null ? missing : null;
  }
}

async function install(
  world: SetupWorld,
  home: Home,
  organisation: string,
  user: string | null,
  each: Install,
) {
  const folder = `projects/${each.client}`;
  for (const [file, content] of Object.entries(each.files)) await home.write(`${folder}/${file}`, content);
  const before = (await world.sluice.installs(organisation)).length;
  const ran = await home.run(folder, ...each.command);
  assert.equal(ran.code, 0, ran.output);
  // To lock takes no more than what stands beside the file.
  if (each.client === "pdm") return;
  const installs = await world.sluice.installs(organisation);
  assert.ok(installs.length > before, `installed past Sluice: ${ran.output}`);
  assert.equal(installs[0]?.user ?? null, user);
}

for (
  const [organisation, user, by] of [
    ["default", null, "nobody"],
    ["named", "ada", "name"],
    ["guarded", "jane", "token"],
  ] as const
) {
  Deno.test({
    name: `setup.sh: every client installs without any other configuration, known by ${by}`,
    ...WITHOUT_SANITIZERS,
    async fn(context) {
      await using world = await startSetupWorld();
      await using home = await world.home(organisation);
      await Deno.writeTextFile(`${home.folder}/../token`, world.token);
      const args =
        { nobody: [], name: ["--user", "ada"], token: ["--token-file", `${home.folder}/../token`] }[by];
      const set = await home.setup("sh", ...args);
      assert.equal(set.code, 0, set.output);
      for (const each of INSTALLS) {
        const missing = await missingOf(each);
        await context.step({
          name: `${each.client}${missing === null ? "" : ` (skipped: ${missing})`}`,
          ignore: missing !== null,
          ...WITHOUT_SANITIZERS,
          fn: () => install(world, home, organisation, user, each),
        });
      }
      if (await findPythonProgram("pipenv") !== null) {
        // What pipenv reads is in the environment of every shell from now on.
        const said = await home.run("", "sh", "-lc", 'printf %s "$PIPENV_PYPI_MIRROR"');
        const site = world.site(organisation).replace("//", by === "name" ? "//ada@" : "//");
        assert.equal(said.output, `${site}/pypi/simple/`);
      }
      const undone = await home.setup("sh", "--undo");
      assert.equal(undone.code, 0, undone.output);
      for (
        const file of [".npmrc", ".netrc", ".cargo/config.toml", ".config/pip/pip.conf", ".sluice-setup"]
      ) {
        await assert.rejects(Deno.stat(`${home.folder}/${file}`), Deno.errors.NotFound, file);
      }
    },
  });
}
