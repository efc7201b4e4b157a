/** A Sluice in a process of its own, as `deno task start` runs it, for tests that end processes. */
import manifest from "../../deno.json" with { type: "json" };
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../", import.meta.url);

export interface ServerOptions {
  readonly data: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: any that is free. */
  readonly listen?: string;
  /** Flags of Deno itself. */
  readonly runtime?: readonly string[];
}

export interface SpawnedServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** From the start of the process until it printed its address. */
  readonly readyMs: number;
  /** All it printed so far. */
  output(): string;
  /** Sends the signal, and resolves with the exit code once the process has ended. */
  end(signal: Deno.Signal): Promise<number>;
  /** Sends it without waiting. */
  signal(signal: Deno.Signal): void;
  readonly pid: number;
}

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command of ours beside a server: `cli/org.ts`, `cli/query.ts`, or `main.ts` where it is to fail. */
export async function runOurs(
  script: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {},
): Promise<Ended> {
  const child = commandOf(script, args, options.env ?? {}, "piped").spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The same for a test that ends it. */
export function spawnOurs(
  script: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): Deno.ChildProcess {
  return commandOf(script, args, options.env ?? {}, "null").spawn();
}

/** Throws with what it printed where it ends before it listens. */
export async function spawnServer(options: ServerOptions): Promise<SpawnedServer> {
  const startedAt = performance.now();
  const listen = options.listen ?? "127.0.0.1:0";
  const args = ["--listen", listen, "--data", options.data];
  const child = commandOf("main.ts", args, options.env ?? {}, "null", options.runtime).spawn();
  let printed = "";
  const ready = Promise.withResolvers<string>();
  const reading = Promise.all([child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      printed += text;
      const url = /^Sluice listens on (\S+)$/m.exec(printed)?.[1];
      if (url !== undefined) ready.resolve(url);
    }
  }));
  let ended = false;
  const status = child.status.then(async ({ code }) => {
    ended = true;
    await reading;
    ready.reject(new Error(`The server ended with ${code}: ${printed}`));
    return code;
  });
  const url = await ready.promise;
  const signal = (name: Deno.Signal) => {
    if (!ended) child.kill(name);
  };
  return {
    url,
    readyMs: performance.now() - startedAt,
    output: () => printed,
    signal,
    pid: child.pid,
    end(name) {
      signal(name);
      return status;
    },
    async [Symbol.asyncDispose]() {
      signal("SIGKILL");
      await status;
    },
  };
}

/** What `deno task start` tells V8: tests and benches run Sluice as its users do. */
const START_FLAGS = manifest.tasks.start.split(" ").filter((word) => word.startsWith("--v8-flags="));

function commandOf(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin: "piped" | "null",
  runtime: readonly string[] = [],
): Deno.Command {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) =>
    !name.startsWith("SLUICE_") && !/^(https?|no)_proxy$/i.test(name) && name !== "PORT"
  );
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      ...(script === "main.ts" ? START_FLAGS : []),
      ...runtime,
      fileURLToPath(new URL(script, ROOT)),
      ...args,
    ],
    cwd: fileURLToPath(ROOT),
    clearEnv: true,
    env: { ...Object.fromEntries(own), NO_COLOR: "1", ...env },
    stdin,
    stdout: "piped",
    stderr: "piped",
  });
}
