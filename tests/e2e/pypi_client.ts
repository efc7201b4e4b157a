/** Real Python package managers, as a test runs them: each in a home, a cache and an environment of its own. */
import { join } from "node:path";
import type { Ran } from "./clients.ts";

/** Exact, so that what a terminal prints can be asserted. Installed by `deno task clients`. */
export const PYTHON_CLIENTS = {
  pip: "pip==26.3",
  uv: "uv==0.13.8",
  poetry: "poetry==2.5.1",
  pdm: "pdm[locked]==2.29.3",
} as const;

/** `pip-machine` is whatever pip the machine has. */
export type PythonClient = keyof typeof PYTHON_CLIENTS | "pip-machine";

/** Each is in a virtual environment of its own below, since what they depend on does not agree. */
const ROOT = new URL("../../.cache/clients/", import.meta.url).pathname;
const RUN_TIMEOUT_MS = 120_000;

/** The machine's own interpreter, by its real path (a shim needs a home); null: there is none. */
export async function findPython(): Promise<string | null> {
  try {
    const args = ["-c", "import sys; print(sys.executable)"];
    const { success, stdout } = await new Deno.Command("python3", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : null;
  } catch {
    return null;
  }
}

/** Its virtual environment. */
export function pythonFolder(client: keyof typeof PYTHON_CLIENTS): string {
  return join(ROOT, client);
}

/** The program; null where it is not on this machine. */
export async function findPythonClient(client: PythonClient): Promise<readonly string[] | null> {
  const python = await findPython();
  if (python === null) return null;
  if (client === "pip-machine") {
    const { success } = await new Deno.Command(python, {
      args: ["-m", "pip", "--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? [python, "-m", "pip"] : null;
  }
  const program = join(pythonFolder(client), "bin", client);
  return await Deno.stat(program).then(() => [program], () => null);
}

export interface PythonProjectOptions {
  readonly client: PythonClient;
  /** The simple index, with trailing slash. */
  readonly index: string;
  /** Sent as Basic auth with an empty password. */
  readonly user?: string;
  /** PEP 508: `steady`, `fresh==1.1.0`. */
  readonly dependencies?: readonly string[];
}

export interface PythonProject extends AsyncDisposable {
  readonly folder: string;
  /** Runs the client itself. */
  run(...args: readonly string[]): Promise<Ran>;
  /** Resolves what is asked for, installs it and writes the lockfile. */
  install(): Promise<Ran>;
  /** Installs what the lockfile says. */
  sync(): Promise<Ran>;
  lockfile(): Promise<string>;
  /** Its version; null if it is not there. */
  installed(name: string): Promise<string | null>;
  write(file: string, content: string): Promise<void>;
  /** Forgets every download and installation, the lockfile stays. */
  forget(): Promise<void>;
}

export async function createPythonProject(options: PythonProjectOptions): Promise<PythonProject> {
  const program = await findPythonClient(options.client);
  const python = await findPython();
  if (program === null || python === null) {
    throw new Error(`Cannot run ${options.client}: run "deno task clients" first`);
  }
  const root = await Deno.makeTempDir({ prefix: `sluice-${options.client}-` });
  const folder = join(root, "project");
  const home = join(root, "home");
  await Deno.mkdir(folder);
  await Deno.mkdir(home);
  const write = (file: string, content: string) => Deno.writeTextFile(join(folder, file), content);
  const run = (...args: readonly string[]) => runProgram(program, args, { ...options, folder, home, python });
  for (const [file, content] of Object.entries(filesOf(options))) await write(file, content);
  const { install, sync, lockfile } = COMMANDS[options.client];
  return {
    folder,
    write,
    run,
    install: () => inTurn(install, run),
    sync: () => inTurn(sync, run),
    lockfile: () => Deno.readTextFile(join(folder, lockfile)),
    installed: (name) => installedVersion(folder, name),
    async forget() {
      for (const name of ["site", ".venv"]) {
        await Deno.remove(join(folder, name), { recursive: true }).catch(() => {});
      }
      await Deno.remove(home, { recursive: true });
      await Deno.mkdir(home);
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

interface Commands {
  readonly install: readonly (readonly string[])[];
  readonly sync: readonly (readonly string[])[];
  readonly lockfile: string;
}

/** The newest pip locks into pylock.toml (PEP 751); an older one has only what a person wrote down. */
export const COMMANDS: Readonly<Record<PythonClient, Commands>> = {
  "pip": {
    install: [["install", "--target", "site", "-r", "requirements.txt"], ["lock", "-r", "requirements.txt"]],
    sync: [["install", "--target", "site", "-r", "pylock.toml"]],
    lockfile: "pylock.toml",
  },
  "pip-machine": {
    install: [["install", "--target", "site", "-r", "requirements.txt"]],
    sync: [["install", "--target", "site", "-r", "requirements.lock"]],
    lockfile: "requirements.lock",
  },
  "uv": { install: [["lock"], ["sync"]], sync: [["sync", "--frozen"]], lockfile: "uv.lock" },
  "poetry": { install: [["lock"], ["install"]], sync: [["sync"]], lockfile: "poetry.lock" },
  "pdm": { install: [["lock"], ["sync"]], sync: [["sync"]], lockfile: "pdm.lock" },
};

async function inTurn(
  commands: readonly (readonly string[])[],
  run: (...args: readonly string[]) => Promise<Ran>,
): Promise<Ran> {
  let output = "";
  for (const command of commands) {
    const ran = await run(...command);
    output += ran.output;
    if (ran.code !== 0) return { code: ran.code, output };
  }
  return { code: 0, output };
}

/** With the user's name where this client keeps it. */
function filesOf(options: PythonProjectOptions): Readonly<Record<string, string>> {
  const { client, index, dependencies = [] } = options;
  const project = [
    "[project]",
    'name = "project"',
    'version = "1.0.0"',
    'requires-python = ">=3.9"',
    `dependencies = ${JSON.stringify(dependencies)}`,
    "",
  ];
  switch (client) {
    case "pip":
    case "pip-machine":
      return { "requirements.txt": `${dependencies.join("\n")}\n` };
    case "uv":
      return { "pyproject.toml": [...project, "[tool.uv]", "package = false", ""].join("\n") };
    case "poetry":
      return {
        "pyproject.toml": [
          ...project,
          "[tool.poetry]",
          "package-mode = false",
          "[[tool.poetry.source]]",
          'name = "sluice"',
          `url = "${index}"`,
          'priority = "primary"',
          "",
        ].join("\n"),
      };
    case "pdm":
      return {
        "pyproject.toml": [...project, "[tool.pdm]", "distribution = false", ""].join("\n"),
      };
  }
}

function environment(
  where: PythonProjectOptions & { readonly home: string; readonly python: string },
): Readonly<Record<string, string>> {
  const { client, index, user, home, python } = where;
  const url = new URL(index);
  if (user !== undefined) url.username = user;
  // Where a name is required, pdm gives up at once with an address that has no password beside it.
  if (user !== undefined && client === "pdm") url.password = "-";
  const withUser = url.href;
  return {
    PATH: Deno.env.get("PATH") ?? "",
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local"),
    NO_COLOR: "1",
    CI: "1",
    COLUMNS: "400",
    PIP_INDEX_URL: withUser,
    PIP_RETRIES: "0",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PIP_NO_INPUT: "1",
    UV_DEFAULT_INDEX: withUser,
    UV_PYTHON: python,
    UV_PYTHON_DOWNLOADS: "never",
    UV_HTTP_RETRIES: "0",
    UV_NO_PROGRESS: "1",
    POETRY_VIRTUALENVS_IN_PROJECT: "true",
    POETRY_NO_INTERACTION: "1",
    POETRY_KEYRING_ENABLED: "false",
    ...(user === undefined
      ? {}
      : { POETRY_HTTP_BASIC_SLUICE_USERNAME: user, POETRY_HTTP_BASIC_SLUICE_PASSWORD: "" }),
    PDM_PYPI_URL: withUser,
    PDM_CHECK_UPDATE: "false",
    PDM_NON_INTERACTIVE: "1",
    PDM_IGNORE_SAVED_PYTHON: "1",
    PYTHONUNBUFFERED: "1",
  };
}

async function runProgram(
  program: readonly string[],
  args: readonly string[],
  where: PythonProjectOptions & { readonly folder: string; readonly home: string; readonly python: string },
): Promise<Ran> {
  const [command, ...first] = program;
  const { code, stdout, stderr } = await new Deno.Command(command!, {
    args: [...first, ...args],
    cwd: where.folder,
    clearEnv: true,
    env: environment(where),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(RUN_TIMEOUT_MS),
  }).output();
  const text = new TextDecoder();
  // deno-lint-ignore no-control-regex
  const output = `${text.decode(stdout)}\n${text.decode(stderr)}`.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");
  return { code, output };
}

/** From the name of its `.dist-info` folder. */
async function installedVersion(folder: string, name: string): Promise<string | null> {
  const start = `${name.replaceAll("-", "_")}-`;
  for (const place of await sitePackages(folder)) {
    for await (const entry of Deno.readDir(place)) {
      if (!entry.name.startsWith(start) || !entry.name.endsWith(".dist-info")) continue;
      return entry.name.slice(start.length, -".dist-info".length);
    }
  }
  return null;
}

async function sitePackages(folder: string): Promise<readonly string[]> {
  const places: string[] = [];
  for (const candidate of [join(folder, "site"), join(folder, ".venv/lib")]) {
    try {
      for await (const entry of Deno.readDir(candidate)) {
        if (candidate.endsWith("site")) continue;
        places.push(join(candidate, entry.name, "site-packages"));
      }
      if (candidate.endsWith("site")) places.push(candidate);
    } catch {
      // Nothing was installed there.
    }
  }
  return places;
}
