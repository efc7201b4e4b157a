/** A Sluice before the fixture upstream, each a process of its own. */
import { fileURLToPath } from "node:url";
import { type SpawnedServer, spawnServer } from "../e2e/server.ts";
import { memoryOf } from "./servers.ts";

export interface Rig extends AsyncDisposable {
  readonly sluice: SpawnedServer;
  readonly upstream: string;
  readonly data: string;
  /** The same folder, a new process. */
  restart(): Promise<void>;
}

/** On an empty folder. The configuration is the default but for the upstream. */
export async function startRig(env: Readonly<Record<string, string>> = {}): Promise<Rig> {
  const data = await Deno.makeTempDir({ prefix: "sluice-bench-" });
  const registry = await startScript("registry.ts");
  const start = () => {
    return spawnServer({ data, env: { SLUICE_UPSTREAM_NPM: `${registry.url}/`, ...env } });
  };
  let sluice = await start();
  return {
    get sluice() {
      return sluice;
    },
    upstream: registry.url,
    data,
    async restart() {
      await sluice.end("SIGTERM");
      sluice = await start();
    },
    async [Symbol.asyncDispose]() {
      await sluice.end("SIGTERM");
      await registry[Symbol.asyncDispose]();
      await Deno.remove(data, { recursive: true });
    },
  };
}

/** A script beside this one, that prints its address first. */
export async function startScript(
  name: string,
  args: readonly string[] = [],
): Promise<{ readonly url: string } & AsyncDisposable> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", fileURLToPath(new URL(name, import.meta.url)), ...args],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  return {
    url: value.trim(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await Promise.all([reader.cancel(), child.status]);
    },
  };
}

/** The most memory that a process has from now on: the kernel's own mark, set anew. */
export async function watchPeak(pid: number): Promise<() => Promise<number>> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
  return async () => (await memoryOf(pid))?.peakMb ?? NaN;
}
