/** What the tests of setup.sh stand on: one Sluice before three registries, homes of nobody, and shells. */
import { join } from "node:path";
import { type FakeCargoRegistry, startCargoRegistry } from "../fakes/cargo_registry.ts";
import { HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { pathOf } from "../fakes/program.ts";
import { type FakePypiRegistry, startPypiRegistry } from "../fakes/pypi_registry.ts";
import { daysAgo, NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { findClient, type Ran } from "./clients.ts";
import { findPythonProgram } from "./pypi_programs.ts";

/** `default` lets anybody in, `named` whoever has a name, `guarded` whoever has the token. */
export interface SetupWorld extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly token: string;
  /** `steady` 1.0.0 and 1.1.0, in each. */
  readonly npm: FakeNpmRegistry;
  readonly pypi: FakePypiRegistry;
  readonly cargo: FakeCargoRegistry;
  site(organisation: string): string;
  /** A person's home, with a copy of that organisation's script beside it. */
  home(organisation: string): Promise<Home>;
}

export interface Home extends AsyncDisposable {
  readonly folder: string;
  /** Runs the script with a shell (`busybox ash` is two words). */
  setup(shell: string, ...args: readonly string[]): Promise<Ran>;
  /** Runs a command in a folder below the home, with nothing of this machine's configuration. */
  run(folder: string, ...command: readonly string[]): Promise<Ran>;
  write(file: string, content: string, mode?: number): Promise<void>;
  read(file: string): Promise<string>;
  /** Every file and folder, with content, mode and time. */
  snapshot(): Promise<Readonly<Record<string, string>>>;
}

const RUN_TIMEOUT_MS = 120_000;

export async function startSetupWorld(): Promise<SetupWorld> {
  const npm = await startNpmRegistry();
  const pypi = await startPypiRegistry();
  const cargo = await startCargoRegistry();
  const releases = { "1.0.0": { publishedAt: daysAgo(200) }, "1.1.0": { publishedAt: daysAgo(100) } };
  for (const registry of [npm, pypi, cargo]) registry.publish({ name: "steady", releases });
  const sluice = await startSluice({
    env: {
      ...HOLDERS_ENV,
      SLUICE_UPSTREAM_NPM: npm.upstream.url,
      SLUICE_UPSTREAM_CARGO: cargo.upstream.url,
      SLUICE_UPSTREAM_PYPI: pypi.upstream.url,
      SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: pypi.files.host,
    },
  });
  await sluice.setPolicy({ callers: "named" }, "named");
  await sluice.setPolicy({ callers: "token" }, "guarded");
  const { secret } = await makeToken(sluice, NOW, { organisation: "guarded", scopes: ["read"] });
  const programs = await installPrograms();
  const site = (organisation: string) =>
    organisation === "default" ? sluice.url : `${sluice.url}/o/${organisation}`;
  return {
    sluice,
    token: secret,
    npm,
    pypi,
    cargo,
    site,
    home: (organisation) => createHome(`${site(organisation)}/-/setup.sh`, programs),
    async [Symbol.asyncDispose]() {
      for (const each of [sluice, npm, pypi, cargo]) await each[Symbol.asyncDispose]();
      await Deno.remove(programs, { recursive: true });
    },
  };
}

/** A folder for PATH with the clients that `deno task clients` brought; npm and cargo are the machine's. */
async function installPrograms(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-programs-" });
  for (
    const [name, client] of [["pnpm", "pnpm"], ["yarn", "yarn1"], ["bun", "bun"], ["deno", "deno"]] as const
  ) {
    await wrap(folder, name, await findClient(client));
  }
  for (const name of ["pip", "uv", "poetry", "pdm", "pipenv"] as const) {
    await wrap(folder, name, await findPythonProgram(name));
  }
  return folder;
}

async function wrap(folder: string, name: string, command: readonly string[] | null): Promise<void> {
  if (command === null) return;
  const words = command.map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(join(folder, name), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
}

async function createHome(script: string, programs: string): Promise<Home> {
  const root = await Deno.makeTempDir({ prefix: "sluice-home-" });
  const folder = join(root, "home of somebody");
  await Deno.mkdir(folder);
  const response = await fetch(script);
  if (response.status !== 200) throw new Error(`${script}: ${response.status} ${await response.text()}`);
  await Deno.writeTextFile(join(root, "setup.sh"), await response.text());
  const env = {
    PATH: `${programs}:${Deno.env.get("PATH")}`,
    HOME: folder,
    NO_COLOR: "1",
    CI: "1",
    // yarn 1 keeps what root fetched for everybody, elsewhere.
    XDG_CACHE_HOME: join(root, "cache"),
    npm_config_audit: "false",
    npm_config_fund: "false",
    // They ask for themselves, and nobody published them here.
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PDM_CHECK_UPDATE: "false",
    // The compiler stays the machine's.
    RUSTUP_HOME: Deno.env.get("RUSTUP_HOME") ?? join(Deno.env.get("HOME") ?? "/root", ".rustup"),
    PYENV_ROOT: Deno.env.get("PYENV_ROOT") ?? join(Deno.env.get("HOME") ?? "/root", ".pyenv"),
    UV_PYTHON_DOWNLOADS: "never",
    CARGO_NET_RETRY: "0",
  };
  return {
    folder,
    setup: (shell, ...args) => run([...shell.split(" "), join(root, "setup.sh"), ...args], root, env),
    async run(below, ...command) {
      const cwd = join(folder, below);
      await Deno.mkdir(cwd, { recursive: true });
      return await run(command, cwd, env);
    },
    async write(file, content, mode = 0o644) {
      const path = join(folder, file);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, content);
      await Deno.chmod(path, mode);
    },
    read: (file) => Deno.readTextFile(join(folder, file)),
    snapshot: () => snapshot(folder),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

async function run(
  [program = "", ...args]: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    env: { ...env },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_TIMEOUT_MS),
  }).output();
  const text = new TextDecoder();
  return { code, output: `${text.decode(stdout)}${text.decode(stderr)}` };
}

async function snapshot(folder: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  async function look(below: string): Promise<void> {
    for await (const { name } of Deno.readDir(join(folder, below))) {
      const path = `${below}/${name}`;
      const info = await Deno.lstat(join(folder, path));
      const mode = (info.mode ?? 0).toString(8);
      if (info.isDirectory) {
        found[path] = mode;
        await look(path);
      } else if (info.isSymlink) found[path] = `-> ${await Deno.readLink(join(folder, path))}`;
      else found[path] = `${mode} ${info.mtime?.getTime()} ${await Deno.readTextFile(join(folder, path))}`;
    }
  }
  await look("");
  return found;
}

/** Those that are here, of what runs POSIX scripts. */
export async function shells(): Promise<readonly string[]> {
  const found = await Promise.all(["sh", "dash", "bash", "zsh", "busybox"].map(async (name) => ({
    name,
    isThere: await pathOf(name) !== null,
  })));
  return found.filter(({ isThere }) => isThere)
    .map(({ name }) => name === "busybox" ? "busybox ash" : name === "bash" ? "bash --posix" : name);
}
