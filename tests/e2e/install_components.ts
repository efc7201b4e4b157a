/** `deno task components`: builds the real servers that tests speak to, exact versions, under `.cache/bin`. */
import { findOrInstallGo } from "./go.ts";

const FOLDER = new URL("../../.cache/bin/", import.meta.url).pathname;
const GO_FOLDER = new URL("../../.cache/go", import.meta.url).pathname;

/** What it is called, and where Go finds it. */
const GO_COMPONENTS: Readonly<Record<string, string>> = {
  versitygw: "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
};

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** What it is called, and its version on crates.io. */
const CARGO_COMPONENTS: Readonly<Record<string, string>> = { denokv: "0.14.0" };

/** Compiled as fast as it goes: two minutes on two cores instead of five. */
const FAST_BUILD = { CARGO_PROFILE_DEV_DEBUG: "0", CARGO_INCREMENTAL: "0", CARGO_TERM_COLOR: "never" };

/** null: it is there now; else why not. */
async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string | null> {
  try {
    const { success, stderr } = await new Deno.Command(program, {
      args: [...args],
      env: { ...env },
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? null : new TextDecoder().decode(stderr).slice(-500);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function buildWithGo(spec: string): Promise<string | null> {
  try {
    return await run(await findOrInstallGo(GO_FOLDER), ["install", spec], { GOBIN: FOLDER });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function buildWithCargo(name: string, version: string): Promise<string | null> {
  const args = [
    "install",
    name,
    "--version",
    version,
    "--locked",
    "--debug",
    "--root",
    new URL("../", `file://${FOLDER}`).pathname,
  ];
  return await run("cargo", args, FAST_BUILD);
}

async function install(name: string, what: string, build: () => Promise<string | null>): Promise<void> {
  if (await isThere(`${FOLDER}${name}`)) return;
  const why = await build();
  console.log(why === null ? `installed ${what}` : `could not install ${what}: ${why}`);
}

await Deno.mkdir(FOLDER, { recursive: true });
for (const [name, spec] of Object.entries(GO_COMPONENTS)) {
  await install(name, spec, () => buildWithGo(spec));
}
for (const [name, version] of Object.entries(CARGO_COMPONENTS)) {
  await install(name, `${name} ${version}`, () => buildWithCargo(name, version));
}
