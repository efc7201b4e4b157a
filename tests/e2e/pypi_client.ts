/** Real Python package managers, as a test runs them: each in a home, a cache and an environment of its own. */
import { join } from "node:path";
import type { Ran } from "./clients.ts";
import { environmentOf, filesOf, netrcOf, type PythonProjectOptions } from "./pypi_files.ts";
import { findPython, findPythonProgram, type PythonClient } from "./pypi_programs.ts";

const RUN_TIMEOUT_MS = 120_000;

export interface PythonProject extends AsyncDisposable {
  readonly folder: string;
  /** Runs the client itself. */
  run(...args: readonly string[]): Promise<Ran>;
  /** Resolves what is asked for and writes the lockfile; an older pip, which has none, does nothing. */
  lock(): Promise<Ran>;
  /** Resolves what is asked for, installs it and writes the lockfile. */
  install(): Promise<Ran>;
  /** Installs what the lockfile says. */
  sync(): Promise<Ran>;
  /** Where it is; the machine's pip has one only if the test wrote it. */
  readonly lockfileName: string;
  lockfile(): Promise<string>;
  /** Its version; null if it is not there. */
  installed(name: string): Promise<string | null>;
  write(file: string, content: string): Promise<void>;
  /** Uses another's environment instead of making one, which takes longer than a resolution. */
  borrowEnvironment(of: PythonProject): Promise<void>;
  /** Forgets every download and installation, the lockfile stays. */
  forget(): Promise<void>;
}

export async function createPythonProject(options: PythonProjectOptions): Promise<PythonProject> {
  const program = await findPythonProgram(options.client);
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
  const netrc = netrcOf(options);
  if (netrc !== null) await Deno.writeTextFile(join(home, ".netrc"), netrc, { mode: 0o600 });
  const { lock, install, sync, lockfile } = COMMANDS[options.client];
  return {
    folder,
    write,
    run,
    lock: () => inTurn(lock, run),
    install: () => inTurn(install, run),
    sync: () => inTurn(sync, run),
    lockfileName: lockfile,
    lockfile: () => Deno.readTextFile(join(folder, lockfile)),
    installed: (name) => installedVersion(folder, name),
    async borrowEnvironment(of) {
      const environment = join(of.folder, ".venv");
      if (await Deno.stat(environment).then(() => true, () => false)) {
        await Deno.symlink(environment, join(folder, ".venv"));
      }
    },
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
  readonly lock: readonly (readonly string[])[];
  readonly install: readonly (readonly string[])[];
  readonly sync: readonly (readonly string[])[];
  readonly lockfile: string;
}

const LOCK = [["lock"]] as const;
const PIP_LOCK = ["lock", "-r", "requirements.txt"] as const;
const pipInstall = (from: string) => ["install", "--target", "site", "-r", from] as const;

/** The newest pip locks into pylock.toml (PEP 751); an older one has only what a person wrote down. */
const COMMANDS: Readonly<Record<PythonClient, Commands>> = {
  "pip": {
    lock: [PIP_LOCK],
    install: [pipInstall("requirements.txt"), PIP_LOCK],
    sync: [pipInstall("pylock.toml")],
    lockfile: "pylock.toml",
  },
  "pip-machine": {
    lock: [],
    install: [pipInstall("requirements.txt")],
    sync: [pipInstall("requirements.lock")],
    lockfile: "requirements.lock",
  },
  "uv": { lock: LOCK, install: [["lock"], ["sync"]], sync: [["sync", "--frozen"]], lockfile: "uv.lock" },
  "poetry": { lock: LOCK, install: [["lock"], ["install"]], sync: [["sync"]], lockfile: "poetry.lock" },
  "pdm": { lock: LOCK, install: [["lock"], ["sync"]], sync: [["sync"]], lockfile: "pdm.lock" },
  "pipenv": { lock: LOCK, install: [["lock"], ["sync"]], sync: [["sync"]], lockfile: "Pipfile.lock" },
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

/** Runs it in a folder with nothing of this machine but the path; both streams, colours taken out. */
export async function runProgram(
  program: readonly string[],
  args: readonly string[],
  where: PythonProjectOptions & { readonly folder: string; readonly home: string; readonly python: string },
): Promise<Ran> {
  const [command, ...first] = program;
  const { code, stdout, stderr } = await new Deno.Command(command!, {
    args: [...first, ...args],
    cwd: where.folder,
    clearEnv: true,
    env: environmentOf(where),
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
