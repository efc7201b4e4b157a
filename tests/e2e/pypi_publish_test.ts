/**
 * What uploading clients ask of an index. Nothing is hosted here: each is told so, with no upload kept and upstream
 * untouched. `twine check` asks nobody, `--skip-existing` none but PyPI's own address.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleProject } from "../../ecosystems/pypi/testing.ts";
import { daysAgo } from "../fakes/sluice.ts";
import type { Ran } from "./clients.ts";
import { type PythonProject, runProgram } from "./pypi_client.ts";
import { findPython, findPythonProgram, type PythonClient } from "./pypi_programs.ts";
import { createPypiWorld, forEachPythonClient, type PypiWorld, WITHOUT_SANITIZERS } from "./pypi_world.ts";

const SENTENCE = "This Sluice hosts no packages: publish to the registry itself";
const WHEEL = "own-1.1.0-py3-none-any.whl";

/** A project with a wheel in its `dist` that no index has. */
async function projectWithWheel(world: PypiWorld, client: PythonClient): Promise<PythonProject> {
  const releases = [{ version: "1.1.0", date: null }];
  const [file] = sampleProject({ name: "own", root: "https://registry.example/", releases }).files;
  const project = await world.project(client);
  await Deno.mkdir(join(project.folder, "dist"));
  await Deno.writeFile(join(project.folder, "dist", WHEEL), file!.bytes);
  await project.write("pyproject.toml", '[project]\nname = "own"\nversion = "1.1.0"\n');
  return project;
}

const twine = await findPythonProgram("twine");
const python = await findPython();

Deno.test({
  name: `twine: what it asks of an index beside uploading, and what it prints of an upload${
    twine === null ? ' (skipped: run "deno task clients" first)' : ""
  }`,
  ignore: twine === null,
  ...WITHOUT_SANITIZERS,
  async fn() {
    await using world = await createPypiWorld();
    await using project = await projectWithWheel(world, "pip");
    const legacy = world.index.replace("/simple/", "/legacy/");
    const where = {
      client: "pip",
      index: world.index,
      folder: project.folder,
      home: project.folder,
    } as const;
    const run = (...args: readonly string[]) => runProgram(twine!, args, { ...where, python: python! });
    const credentials = ["-u", "ada", "-p", "x", "--non-interactive", "--disable-progress-bar"] as const;
    const upload = (...args: readonly string[]) =>
      run("upload", "--repository-url", legacy, ...credentials, ...args, `dist/${WHEEL}`);

    const [checked, short, long, existing, registered] = await Promise.all([
      run("check", `dist/${WHEEL}`),
      upload(),
      upload("--verbose"),
      upload("--skip-existing"),
      run("register", "--repository-url", legacy, ...credentials, `dist/${WHEEL}`),
    ]);
    [checked, short, long, existing, registered].forEach((ran) => show("twine", ran));
    assert.equal(checked.code, 0, checked.output);
    const refused = `HTTPError: 405 Method Not Allowed from ${legacy}`;
    for (const ran of [short, long, registered]) {
      assert.equal(ran.code, 1, ran.output);
      assert.ok(ran.output.includes(refused), ran.output);
      assert.doesNotMatch(ran.output, /Traceback/);
    }
    assert.match(short.output, /Retry with the --verbose option for more details/);
    assert.ok(long.output.includes(SENTENCE), long.output);
    // It reads `releases` of PyPI's legacy JSON, at an address that cannot be set; of any other index, nothing.
    assert.match(existing.output, /does not have support for the following features: --skip-existing/);
    assert.deepEqual(world.registry.upstream.requests, []);
    assert.deepEqual(await world.sluice.installs(), []);
  },
});

interface Publishing {
  readonly commands: (legacy: string) => readonly (readonly string[])[];
  readonly says: RegExp;
}

const PUBLISHING: Readonly<Partial<Record<PythonClient, Publishing>>> = {
  uv: {
    commands: (legacy) => [["publish", "--publish-url", legacy, "-u", "ada", "-p", "x"]],
    says: /POST requests are not supported by the endpoint.*Server says: This Sluice hosts no packages/,
  },
  poetry: {
    commands: (legacy) => [
      ["config", "repositories.own", legacy],
      ["publish", "-r", "own", "-u", "ada", "-p", "x"],
    ],
    says: /HTTP Error 405: Method Not Allowed \| b'This Sluice hosts no packages/,
  },
  pdm: {
    commands: (legacy) => [["publish", "--no-build", "-r", legacy, "-u", "ada", "-P", "x"]],
    says: /Client error '405 Method Not Allowed' for url '[^']+\/pypi\/legacy\/'/,
  },
};

await forEachPythonClient(
  "publishing is refused in words",
  async (client) => {
    await using world = await createPypiWorld();
    await using project = await projectWithWheel(world, client);
    const { commands, says } = PUBLISHING[client]!;
    let last: Ran = { code: 0, output: "" };
    for (const command of commands(world.index.replace("/simple/", "/legacy/"))) {
      last = await project.run(...command);
    }
    show(`${client} publish`, last);
    assert.notEqual(last.code, 0, last.output);
    assert.match(last.output, says);
    assert.deepEqual(world.registry.upstream.requests, []);
  },
  ["uv", "poetry", "pdm"],
);

await forEachPythonClient(
  "publish --check-url finds here what is there already, and uploads nothing",
  async (client) => {
    await using world = await createPypiWorld();
    const { files: [file] } = world.registry.publish({
      name: "own",
      releases: { "1.1.0": { publishedAt: daysAgo(100) } },
    });
    await using project = await projectWithWheel(world, client);
    await Deno.writeFile(join(project.folder, "dist", WHEEL), file!.bytes);
    const legacy = world.index.replace("/simple/", "/legacy/");
    const ran = await project.run("publish", "--publish-url", legacy, "--check-url", world.index);
    show(`${client} publish --check-url`, ran);
    assert.equal(ran.code, 0, ran.output);
    assert.match(ran.output, /already exists, skipping/);
  },
  ["uv"],
);

function show(title: string, { output, code }: Ran): void {
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${title}: exit ${code}\n${output.trim()}`);
}
