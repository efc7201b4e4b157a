/** `deno task clients`: installs the package managers that tests/e2e runs, exact versions, under `.cache/clients`. */
import { CLIENT_VERSIONS, findClient } from "./clients.ts";
import {
  findPython,
  findPythonProgram,
  PYTHON_PROGRAMS,
  pythonFolder,
  type PythonProgram,
} from "./pypi_programs.ts";

const root = new URL("../../.cache/clients/", import.meta.url).pathname;

for (const [name, spec] of Object.entries(CLIENT_VERSIONS)) {
  if (spec === "" || await findClient(name as keyof typeof CLIENT_VERSIONS) !== null) continue;
  const folder = `${root}${name}`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, '{"private":true}\n');
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", spec];
  const { success, stderr } = await new Deno.Command("npm", {
    args,
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  console.log(
    success
      ? `installed ${spec}`
      : `could not install ${spec}: ${new TextDecoder().decode(stderr).slice(-500)}`,
  );
}

const python = await findPython();
for (const name of Object.keys(PYTHON_PROGRAMS) as PythonProgram[]) {
  if (await findPythonProgram(name) === null) await installPython(python, name);
}

/** Into a virtual environment of the machine's own Python. */
async function installPython(
  python: string | null,
  name: PythonProgram,
): Promise<void> {
  const spec = PYTHON_PROGRAMS[name];
  if (python === null) return console.log(`could not install ${spec}: there is no python3`);
  const folder = pythonFolder(name);
  const commands: readonly (readonly string[])[] = [
    [python, "-m", "venv", folder],
    [`${folder}/bin/python`, "-m", "pip", "install", "--quiet", spec],
  ];
  for (const [program = "", ...args] of commands) {
    const options = { args, stdout: "null", stderr: "piped" } as const;
    const { success, stderr } = await new Deno.Command(program, options).output();
    if (success) continue;
    return console.log(`could not install ${spec}: ${new TextDecoder().decode(stderr).slice(-500)}`);
  }
  console.log(`installed ${spec}`);
}
