/** Real clients before an organisation that lets in callers with a token only. */
import assert from "node:assert/strict";
import { type FakeCargoRegistry, startCargoRegistry } from "../fakes/cargo_registry.ts";
import { HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { type FakePypiRegistry, startPypiRegistry } from "../fakes/pypi_registry.ts";
import { ONE_OR_PAIR_MISSING, startOneOrPair } from "../fakes/pair.ts";
import { daysAgo, NOW, type TestSluice } from "../fakes/sluice.ts";
import { createCargoProject, missingCargo } from "./cargo_client.ts";
import { type ClientName, createProject, findClient, type ProjectOptions, type Ran } from "./clients.ts";
import { createPythonProject } from "./pypi_client.ts";
import type { PythonProjectOptions } from "./pypi_files.ts";
import { findPythonProgram } from "./pypi_programs.ts";
import { WITHOUT_SANITIZERS } from "./pypi_world.ts";
import { COMMANDS } from "./world.ts";

interface World extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly secret: string;
  readonly npm: FakeNpmRegistry;
  readonly pypi: FakePypiRegistry;
  readonly cargo: FakeCargoRegistry;
}

/** What one client did, with a token or without. */
interface Installed extends Ran {
  readonly version: string | null;
  /** Everything that the client wrote into the project itself, and somebody may commit. */
  readonly written: string;
}

interface Client {
  readonly title: string;
  readonly missing: () => Promise<string | null>;
  readonly install: (world: World, secret: string | null) => Promise<Installed>;
  /** What its terminal says to whoever has no token; null: that was tried already. */
  readonly says: RegExp | null;
}

/** The first of each client tries without one, too. */
const CLIENTS: readonly Client[] = [
  ofNpm(
    "npm",
    /401 Unauthorized .*lets in callers with a token only: make one of your own at http.*\/-\/admin\/default\/tokens or ask/,
  ),
  ofNpm("npm", null, "password"),
  ofNpm("pnpm", /Unauthorized - 401/),
  ofNpm(
    "yarn1",
    /lets in callers with a token only: make one of your own at http.*\/-\/admin\/default\/tokens or ask/,
  ),
  ofNpm("yarn4", /Invalid authentication \(as an anonymous user\)/),
  ofNpm("yarn4", null, "password"),
  ofNpm("bun", /npm\/steady - 401/),
  ofNpm(
    "deno",
    /lets in callers with a token only: make one of your own at http.*\/-\/admin\/default\/tokens or ask/,
  ),
  // pip and pdm keep it to themselves where nobody can be asked for a password.
  ofPython({ client: "pip" }, /No matching distribution found for steady/),
  ofPython({ client: "pip", kept: "netrc" }, null),
  ofPython({ client: "uv" }, /lack of valid authentication credentials \(401 Unauthorized\)/),
  ofPython({ client: "uv", kept: "index-name" }, null),
  ofPython({ client: "uv", kept: "netrc" }, null),
  ofPython({ client: "poetry" }, /401|uthori/),
  ofPython({ client: "pdm" }, /Unable to find candidates for steady/),
  ofCargo("", /authenticated registries require a credential-provider/),
  ofCargo("Bearer ", null),
];

function ofNpm(client: ClientName, says: RegExp | null, as: "token" | "password" = "token"): Client {
  return {
    title: `${client}, ${as === "token" ? "its token" : "Basic"}`,
    says,
    missing: async () => await findClient(client) === null ? 'run "deno task clients" first' : null,
    async install({ sluice }, secret) {
      const options: ProjectOptions = {
        client,
        registry: `${sluice.url}/npm/`,
        dependencies: { steady: "^1.0.0" },
        ...(secret === null ? {} : { user: "jane", token: { secret, as } }),
      };
      await using project = await createProject(options);
      const ran = await project.run(...COMMANDS[client].install);
      const written = await project.read(COMMANDS[client].lockfile).catch(() => "");
      return { ...ran, version: await project.installed("steady"), written };
    },
  };
}

function ofPython(given: Pick<PythonProjectOptions, "client" | "kept">, says: RegExp | null): Client {
  const { client, kept } = given;
  return {
    title: `${client}, ${kept ?? (client === "poetry" ? "http-basic" : "the address")}`,
    says,
    missing: async () => await findPythonProgram(client) === null ? 'run "deno task clients" first' : null,
    async install({ sluice }, secret) {
      const index = `${sluice.url}/pypi/simple/`;
      const own = secret === null ? {} : { ...given, user: "jane", password: secret };
      await using project = await createPythonProject({ client, index, dependencies: ["steady"], ...own });
      const ran = await project.install();
      return {
        ...ran,
        version: await project.installed("steady"),
        written: await project.lockfile().catch(() => ""),
      };
    },
  };
}

/** Raw, as Cargo sends what it is given; or with a scheme before it. */
function ofCargo(scheme: string, says: RegExp | null): Client {
  return {
    title: `cargo, ${scheme === "" ? "raw" : scheme.trim()}`,
    says,
    missing: missingCargo,
    async install({ sluice }, secret) {
      const own = secret === null ? {} : { token: `${scheme}${secret}` };
      const registry = `${sluice.url}/cargo/`;
      await using project = await createCargoProject({
        registry,
        dependencies: { steady: "^1.0.0" },
        ...own,
      });
      // With the file, for which Cargo sends its token only where config.json says so.
      const ran = await project.run("fetch");
      return {
        ...ran,
        version: await project.locked("steady"),
        written: await project.lockfile().catch(() => ""),
      };
    },
  };
}

async function startWorld(): Promise<World> {
  const npm = await startNpmRegistry();
  const pypi = await startPypiRegistry();
  const cargo = await startCargoRegistry();
  const releases = { "1.0.0": { publishedAt: daysAgo(200) }, "1.1.0": { publishedAt: daysAgo(100) } };
  for (const registry of [npm, pypi, cargo]) registry.publish({ name: "steady", releases });
  npm.upstream.answer("/nothing-of-this-name", { status: 404 });
  const sluice = await startOneOrPair({
    env: {
      ...HOLDERS_ENV,
      SLUICE_LOG_LEVEL: "debug",
      SLUICE_UPSTREAM_NPM: npm.upstream.url,
      SLUICE_UPSTREAM_CARGO: cargo.upstream.url,
      SLUICE_UPSTREAM_PYPI: pypi.upstream.url,
      SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: pypi.files.host,
      // With a sign-in the sentence leads to where members make their own; nobody signs in here.
      SLUICE_OIDC_ISSUER: "https://login.example",
      SLUICE_OIDC_CLIENT_ID: "sluice",
    },
  });
  await sluice.setPolicy({ callers: "token" });
  const { secret } = await makeToken(sluice, NOW, { organisation: "default", scopes: ["read"] });
  return {
    sluice,
    secret,
    npm,
    pypi,
    cargo,
    async [Symbol.asyncDispose]() {
      for (const each of [sluice, npm, pypi, cargo]) await each[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name:
    `callers: token: every client installs with one and fails without; it is in no lockfile, index, log or upstream${
      ONE_OR_PAIR_MISSING === null ? "" : ` (skipped: ${ONE_OR_PAIR_MISSING})`
    }`,
  ignore: ONE_OR_PAIR_MISSING !== null,
  ...WITHOUT_SANITIZERS,
  async fn(context) {
    await using world = await startWorld();
    const written = new Map<string, string>();
    await Promise.all(CLIENTS.map(async (client) => {
      const missing = await client.missing();
      await context.step({
        name: `${client.title}${missing === null ? "" : ` (skipped: ${missing})`}`,
        ignore: missing !== null,
        ...WITHOUT_SANITIZERS,
        async fn() {
          if (client.says !== null) await failsWithout(client, world, client.says);
          const installed = await client.install(world, world.secret);
          assert.equal(installed.code, 0, installed.output);
          assert.equal(installed.version, "1.1.0", installed.output);
          assert.notEqual(installed.written, "", "there is a lockfile");
          written.set(client.title, installed.written);
        },
      });
    }));
    const installs = await world.sluice.installs();
    assert.ok(installs.length > 0 && installs.every(({ user }) => user === "jane"));
    const places: readonly (readonly [string, string])[] = [
      ...[...written].map(([title, text]) => [`${title}'s lockfile`, text] as const),
      ["the log", JSON.stringify(world.sluice.lines)],
      ["the install log", JSON.stringify(installs)],
      ["what upstreams were sent", sentUpstream(world)],
      ...(await served(world)),
      ...(await kept(world)),
    ];
    for (const [place, text] of places) assertWithout(text, world.secret, place);
  },
});

async function failsWithout(client: Client, world: World, says: RegExp): Promise<void> {
  const { code, output, version } = await client.install(world, null);
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client.title}\n${output.trim()}`);
  assert.notEqual(code, 0, output);
  assert.match(output, says);
  assert.equal(version, null);
}

/** By its whole, by its random part, and in the form that Basic auth has. */
function assertWithout(text: string, secret: string, place: string): void {
  for (const hidden of [secret, secret.slice(-43), secret.slice(-20), btoa(`jane:${secret}`), btoa(secret)]) {
    assert.ok(!text.includes(hidden), `a token is in ${place}`);
  }
}

function sentUpstream({ npm, pypi, cargo }: World): string {
  const all = [npm.upstream, pypi.upstream, pypi.files, cargo.upstream].flatMap(({ requests }) => requests);
  assert.ok(all.length > 4);
  assert.ok(all.every(({ headers }) => !headers.has("authorization") && !headers.has("referer")));
  return JSON.stringify(all.map(({ target, headers }) => [target, [...headers]]));
}

/** Indexes, pages and errors, with their headers. */
async function served({ sluice, secret }: World): Promise<readonly (readonly [string, string])[]> {
  const paths = [
    "npm/steady",
    "npm/steady/1.1.0",
    "npm/-/whoami",
    "npm/nothing-of-this-name",
    "pypi/simple/steady/",
    "pypi/pypi/steady/json",
    "cargo/config.json",
    "cargo/st/ea/steady",
    "-/why/pkg:npm/steady@1.1.0",
    `npm/${secret}`,
    `npm/-/v1/search?text=${secret}`,
    `t/${secret}/npm/steady`,
    "",
  ];
  return await Promise.all(paths.map(async (path) => {
    const headers = { authorization: `Bearer ${secret}`, accept: "*/*" };
    const response = await fetch(`${sluice.url}/${path}`, { headers, redirect: "manual" });
    return [
      path.replace(secret, "TOKEN"),
      `${JSON.stringify([...response.headers])}${await response.text()}`,
    ] as const;
  }));
}

/** To the last byte: the database, the journal, the artifacts. */
async function kept({ sluice }: World): Promise<readonly (readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  async function look(folder: string): Promise<void> {
    for await (const { name, isFile, isDirectory } of Deno.readDir(folder)) {
      const path = `${folder}/${name}`;
      if (isDirectory) await look(path);
      if (isFile) found.push([path, new TextDecoder("latin1").decode(await Deno.readFile(path))]);
    }
  }
  for (const folder of sluice.folders) await look(folder);
  assert.ok(found.some(([path]) => /\/kv(\.sqlite3)?$/.test(path)));
  return found;
}
