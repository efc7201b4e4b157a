/** Python's package managers on this machine: which versions, and where each is. */
import { join } from "node:path";

/** Exact, so that what a terminal prints can be asserted. Installed by `deno task clients`. */
export const PYTHON_PROGRAMS = {
  pip: "pip==26.3",
  uv: "uv==0.13.8",
  poetry: "poetry==2.5.1",
  pdm: "pdm[locked]==2.29.3",
  pipenv: "pipenv==2026.10.3",
  twine: "twine==7.0.0",
} as const;

export type PythonProgram = keyof typeof PYTHON_PROGRAMS;

/** `pip-machine` is whatever pip the machine has. */
export type PythonClient = Exclude<PythonProgram, "twine"> | "pip-machine";

/** Each is in a virtual environment of its own below, since what they depend on does not agree. */
const ROOT = new URL("../../.cache/clients/", import.meta.url).pathname;

/** Where virtualenv keeps what it puts into environments: unpacked once, not for every test. */
export const VIRTUALENV_DATA = join(ROOT, "virtualenv-data");

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
export function pythonFolder(program: PythonProgram): string {
  return join(ROOT, program);
}

/** What to run; null where it is not on this machine. */
export async function findPythonProgram(
  program: PythonProgram | "pip-machine",
): Promise<readonly string[] | null> {
  const python = await findPython();
  if (python === null) return null;
  if (program === "pip-machine") {
    const { success } = await new Deno.Command(python, {
      args: ["-m", "pip", "--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? [python, "-m", "pip"] : null;
  }
  const path = join(pythonFolder(program), "bin", program);
  return await Deno.stat(path).then(() => [path], () => null);
}
