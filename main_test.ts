import assert from "node:assert/strict";

const ROOT = new URL(".", import.meta.url).pathname;

interface Child {
  readonly process: Deno.ChildProcess;
  /** All that was printed, once the process has ended. */
  readonly printed: Promise<{ readonly out: string; readonly err: string }>;
  /** Resolves with the first address that is printed. */
  readonly address: Promise<string>;
}

/** main.ts as a person starts it, but for where it listens and keeps things. */
function start(...args: readonly string[]): Child {
  const { PATH = "", HOME = "", DENO_DIR, NPM_CONFIG_REGISTRY } = Deno.env.toObject();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "main.ts", ...args],
    cwd: ROOT,
    clearEnv: true,
    env: {
      PATH,
      HOME,
      NO_COLOR: "1",
      ...(DENO_DIR === undefined ? {} : { DENO_DIR }),
      ...(NPM_CONFIG_REGISTRY === undefined ? {} : { NPM_CONFIG_REGISTRY }),
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const address = Promise.withResolvers<string>();
  address.promise.catch(() => {});
  async function read(): Promise<string> {
    let text = "";
    for await (const piece of process.stdout.pipeThrough(new TextDecoderStream())) {
      text += piece;
      const found = /listens on (\S+)/.exec(text)?.[1];
      if (found !== undefined) address.resolve(found);
    }
    address.reject(new Error(`main.ts ended: ${text}`));
    return text;
  }
  const printed = Promise.all([read(), new Response(process.stderr).text()])
    .then(([out, err]) => ({ out, err }));
  return { process, printed, address: address.promise };
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-main-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("main.ts: says where it is and how to point npm at it, answers, and ends with 0 on SIGTERM", () =>
  withFolder(async (folder) => {
    const { process, printed, address } = start("--listen", "127.0.0.1:0", "--data", `${folder}/data`);
    const url = await address;
    const health = await fetch(`${url}/-/health`);
    assert.equal(health.status, 200);
    await health.body?.cancel();
    const taken = start("--listen", url.slice("http://".length), "--data", `${folder}/other`);
    assert.equal((await taken.process.status).code, 1);
    const { err } = await taken.printed;
    assert.match(err, /^Cannot listen on 127\.0\.0\.1:\d+: the port is taken\..*\n$/);
    process.kill("SIGTERM");
    assert.equal((await process.status).code, 0);
    const { out } = await printed;
    assert(out.includes(`npm config set registry ${url}/npm/`), out);
    assert(out.includes(`${folder}/data`), out);
    assert.match(out, /Stopping/);
  }));

Deno.test("main.ts: a configuration with mistakes ends with 1, each mistake told", async () => {
  const { process, printed } = start("--listen", "nowhere", "--lisen", ":1");
  assert.equal((await process.status).code, 1);
  const { err } = await printed;
  assert.match(err, /--listen "nowhere": expected HOST:PORT/);
  assert.match(err, /--lisen: expected a known flag; did you mean --listen\?/);
});

Deno.test("main.ts: --help and --version answer without starting", async () => {
  const [help, version] = [start("--help"), start("--version")];
  assert.equal((await help.process.status).code, 0);
  assert.match((await help.printed).out, /--listen HOST:PORT, SLUICE_LISTEN/);
  assert.equal((await version.process.status).code, 0);
  assert.match((await version.printed).out, /^sluice \d+\.\d+\.\d+\n$/);
});
