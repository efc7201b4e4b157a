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

/** null: it is there now; else why not. */
async function build(spec: string): Promise<string | null> {
  try {
    const { success, stderr } = await new Deno.Command(await findOrInstallGo(GO_FOLDER), {
      args: ["install", spec],
      env: { GOBIN: FOLDER },
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? null : new TextDecoder().decode(stderr).slice(-500);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

await Deno.mkdir(FOLDER, { recursive: true });
for (const [name, spec] of Object.entries(GO_COMPONENTS)) {
  if (await isThere(`${FOLDER}${name}`)) continue;
  const why = await build(spec);
  console.log(why === null ? `installed ${spec}` : `could not install ${spec}: ${why}`);
}
