/** Verdaccio as a yardstick: what people drop in today. `deno task yardsticks` installs it. */
import { fileURLToPath } from "node:url";
import { freePort, type Measured, untilListening } from "./servers.ts";

const FOLDER = fileURLToPath(new URL("../../.cache/verdaccio", import.meta.url));
const PACKAGE = {
  private: true,
  dependencies: { verdaccio: "6.2.4" },
  // The one it names itself cannot be had from every mirror.
  overrides: { "node-fetch": "2.6.7" },
};

/** Fetches it with npm, scripts off. Throws with what npm said. */
export async function installVerdaccio(): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(`${FOLDER}/package.json`, JSON.stringify(PACKAGE));
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--ignore-scripts"],
    cwd: FOLDER,
    stderr: "piped",
    stdout: "null",
  }).output();
  if (!success) throw new Error(`Cannot install Verdaccio: ${new TextDecoder().decode(stderr).slice(-500)}`);
}

/** On an empty folder, before the same upstream; null where it is not installed. */
export async function startVerdaccio(upstream: string): Promise<Measured | null> {
  const script = `${FOLDER}/node_modules/verdaccio/bin/verdaccio`;
  if (!await isThere(script)) return null;
  const place = await Deno.makeTempDir({ prefix: "sluice-verdaccio-" });
  const port = freePort();
  await Deno.writeTextFile(`${place}/config.yaml`, config(upstream));
  const child = new Deno.Command("node", {
    args: [script, "-c", `${place}/config.yaml`, "-l", `127.0.0.1:${port}`],
    cwd: place,
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    await untilListening(port);
  } catch (error) {
    // A yardstick that does not start is one that is not here.
    console.error(`Verdaccio: ${error instanceof Error ? error.message : error}`);
    child.kill("SIGKILL");
    await child.status;
    return null;
  }
  return {
    name: "verdaccio",
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
      await Deno.remove(place, { recursive: true });
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** Its defaults, but for the log and an upstream that is asked once an hour. */
function config(upstream: string): string {
  return `
storage: ./storage
web: { enable: false }
max_body_size: 100mb
uplinks: { upstream: { url: ${upstream}/, maxage: 1h } }
packages: { '**': { access: $all, proxy: upstream } }
log: { type: stdout, level: fatal }
`;
}

if (import.meta.main) await installVerdaccio();
