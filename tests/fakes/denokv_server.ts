/** The real KV Connect server of the tests (denokv), one process and one file for each; nothing of it outlives it. */
import { freePort, pathOf, startProgram } from "./program.ts";

const BINARY = await pathOf("denokv");

/** Why a test that needs the server cannot run; null: it can. */
export const DENOKV_MISSING = BINARY === null ? "denokv is missing: deno task components" : null;

export interface DenokvServer extends AsyncDisposable {
  /** What `SLUICE_KV` takes: `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly token: string;
  /** With its one file, `kv`. */
  readonly folder: string;
  /** Of the process that runs now. */
  readonly pid: number;
  /** SIGKILL; its data stay. */
  stop(): Promise<void>;
  /** On the same port and the same data. */
  start(): Promise<void>;
}

/** The same for all: Deno has one token for a whole process, in its environment. */
const TOKEN = "sluice-test-token";

/** Resolves when it answers. */
export async function startDenokv(): Promise<DenokvServer> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-denokv-" });
  const port = freePort();
  const url = `http://127.0.0.1:${port}`;

  async function answers(): Promise<boolean> {
    return await fetch(url).then(async (answer) => (await answer.body?.cancel(), true), () => false);
  }

  function run() {
    const args = ["--sqlite-path", `${folder}/kv`, "serve", "--addr", `127.0.0.1:${port}`];
    return startProgram(BINARY ?? "denokv", [...args, "--access-token", TOKEN], { cwd: folder, answers });
  }

  let program = await run();
  return {
    url,
    token: TOKEN,
    folder,
    get pid() {
      return program.pid;
    },
    stop: () => program.kill(),
    async start() {
      program = await run();
    },
    async [Symbol.asyncDispose]() {
      await program.kill();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
