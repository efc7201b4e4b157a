/** Sluice as a process: how it starts, what runs beside it, how it ends. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createTarball, type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { until } from "../fakes/program.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { ask, decisionOf, linkOf } from "../system/ask.ts";
import { runOurs, type SpawnedServer, spawnServer } from "./server.ts";

const OLD = { publishedAt: daysAgo(100) };

interface Place extends AsyncDisposable {
  readonly registry: FakeNpmRegistry;
  /** An empty folder; the server's data is `{folder}/data`. */
  readonly folder: string;
  readonly data: string;
  readonly env: Readonly<Record<string, string>>;
  start(): Promise<SpawnedServer>;
  /** `deno task org|query|backup|restore …` on the server's data; throws if it fails. */
  beside(script: string, ...args: readonly string[]): Promise<string>;
}

async function createPlace(): Promise<Place> {
  const registry = await startNpmRegistry();
  // The real clock ticks here: what is young must be so today.
  const young = { publishedAt: new Date(Date.now() - 2 * 86_400_000).toISOString() };
  registry.publish({ name: "steady", releases: { "1.0.0": OLD, "1.1.0": OLD } });
  registry.publish({ name: "fresh", releases: { "1.0.0": OLD, "1.1.0": young } });
  const folder = await Deno.makeTempDir({ prefix: "sluice-process-" });
  const data = `${folder}/data`;
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url };
  return {
    registry,
    folder,
    data,
    env,
    start: () => spawnServer({ data, env }),
    async beside(script, ...args) {
      const { code, stdout, stderr } = await runOurs(script, [...args, "--data", data], { env });
      assert.equal(code, 0, `${script} ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

Deno.test("start: prints its address, its data folder and the client line, and is ready at once, the second time too", async () => {
  await using place = await createPlace();
  for (const start of ["empty folder", "same folder"]) {
    await using server = await place.start();
    console.log(`      ready after ${Math.round(server.readyMs)} ms (${start})`);
    assert.ok(server.readyMs < 20_000);
    assert.equal((await ask(`${server.url}/-/health`)).status, 200);
    assert.equal((await ask(`${server.url}/npm/steady`)).status, 200);
    const printed = server.output();
    assert.ok(printed.includes(server.url) && printed.includes(place.data), printed);
    assert.ok(printed.includes(`npm config set registry ${server.url}/npm/`), printed);
    assert.equal(await server.end("SIGTERM"), 0, server.output());
    assert.doesNotMatch(server.output(), /warn |error /);
  }
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`${signal}: a running transfer ends whole and is in the log; nothing new is taken; exit code 0`, async () => {
    await using place = await createPlace();
    const text = Array.from({ length: 150_000 }, (_, line) => `${line * 7919 % 65_537}\n`).join("");
    const release = { ...OLD, files: { "text.txt": text } };
    place.registry.publish({ name: "slow", releases: { "1.0.0": release } });
    const tarball = createTarball("slow", "1.0.0", release);
    const { promise: isRefusing, resolve: goOn } = Promise.withResolvers<void>();
    place.registry.upstream.answer(place.registry.tarballPath("slow", "1.0.0"), {
      stream: inHalves(tarball, isRefusing),
    });
    await using server = await place.start();
    const headers = { authorization: `Basic ${btoa("ada:")}` };
    const response = await fetch(`${server.url}/npm/slow/-/slow-1.0.0.tgz`, { headers });
    assert.equal(response.status, 200);
    const ended = server.end(signal);
    await until("it refuses new connections", () => refuses(server.url));
    goOn();
    assert.ok(Buffer.from(await response.bytes()).equals(tarball));
    assert.equal(await ended, 0, server.output());
    const records = JSON.parse(await place.beside("cli/query.ts", "export", "--json"));
    assert.deepEqual(
      records.map(({ user, outcome }: Record<string, string>) => [user, outcome]),
      [["ada", "served"]],
    );
  });
}

Deno.test("SIGTERM: a client that takes nothing holds the end up for drainTimeout and no longer; a second signal ends at once", async () => {
  await using place = await createPlace();
  const bytes = new Uint8Array(32_000_000).map((_, at) => at * 31);
  place.registry.upstream.answer("/huge", { body: packumentOf("huge", bytes, place.registry) });
  place.registry.upstream.answer(place.registry.tarballPath("huge", "1.0.0"), { body: bytes });
  for (const signals of [1, 2]) {
    const env = { ...place.env, SLUICE_DRAIN_TIMEOUT: signals === 1 ? "2s" : "60s" };
    await using server = await spawnServer({ data: `${place.folder}/data-${signals}`, env });
    const { hostname, port } = new URL(server.url);
    using stalled = await Deno.connect({ hostname, port: Number(port) });
    await stalled.write(
      new TextEncoder().encode(
        `GET /npm/huge/-/huge-1.0.0.tgz HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`,
      ),
    );
    await stalled.read(new Uint8Array(1_000));
    const started = performance.now();
    const ended = server.end("SIGTERM");
    if (signals === 2) {
      // Sooner it counts as the same keypress.
      await pause(700);
      server.signal("SIGTERM");
    }
    const code = await ended;
    const tookMs = performance.now() - started;
    assert.equal(code, signals === 1 ? 0 : 130, server.output());
    // It would be held up for ever, or by the first signal alone for a minute; a busy machine takes its time.
    assert.ok(tookMs < 20_000, `${tookMs} ms`);
  }
});

/** Of one release with just these bytes. */
function packumentOf(name: string, bytes: Uint8Array, registry: FakeNpmRegistry): string {
  const tarball = new URL(registry.tarballPath(name, "1.0.0"), registry.upstream.url).href;
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const versions = { "1.0.0": { name, version: "1.0.0", dist: { tarball, integrity } } };
  return JSON.stringify({
    name,
    "dist-tags": { latest: "1.0.0" },
    versions,
    time: { "1.0.0": OLD.publishedAt },
  });
}

Deno.test("two processes on one data folder: one policy, one log, one cache; each file is whole at both", async () => {
  await using place = await createPlace();
  await using one = await place.start();
  await using other = await place.start();
  const servers = [one, other];
  const file = "/npm/steady/-/steady-1.1.0.tgz";
  const expected = createTarball("steady", "1.1.0", OLD);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => ask(servers[i % 2]!.url + file, { user: `u${i}` })),
  );
  for (const { status, bytes } of answers) {
    assert.equal(status, 200);
    assert.ok(Buffer.from(bytes).equals(expected));
  }
  assert.ok(place.registry.downloads("steady", "1.1.0") <= 2);
  const who = JSON.parse(await place.beside("cli/query.ts", "who", "steady", "--json"));
  assert.equal(who.length, 100);

  const policy = `${place.folder}/policy.yaml`;
  await Deno.writeTextFile(policy, "block: [npm/steady==1.1.0]\n");
  await place.beside("cli/org.ts", "set", policy);
  await pause(1_500);
  for (const { url } of servers) assert.equal((await ask(url + file)).status, 403, url);
  assert.equal(await one.end("SIGTERM"), 0);
  assert.equal((await ask(`${other.url}/npm/steady/-/steady-1.0.0.tgz`)).status, 200);
  for (const { output } of servers) assert.doesNotMatch(output(), /^\S+ error /m);
});

async function* inHalves(bytes: Uint8Array, between: Promise<void>): AsyncGenerator<Uint8Array> {
  const half = bytes.length / 2;
  yield bytes.subarray(0, half);
  await between;
  yield bytes.subarray(half);
}

async function refuses(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  try {
    (await Deno.connect({ hostname, port: Number(port) })).close();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

Deno.test("a start that cannot be: one clear sentence on standard error, exit code 1, and no folder half made", async () => {
  await using place = await createPlace();
  await using server = await place.start();
  const { host } = new URL(server.url);
  const file = `${place.folder}/file`;
  await Deno.writeTextFile(file, "");
  const rows: readonly (readonly [args: readonly string[], sentence: RegExp])[] = [
    [
      ["--listen", host, "--data", `${place.folder}/other`],
      new RegExp(`^Cannot listen on ${host}: the port is taken`),
    ],
    [
      ["--listen", "127.0.0.1:0", "--data", `${file}/data`],
      /^Cannot write to the data folder ".*\/file\/data": /,
    ],
    [["--listen", "127.0.0.1:0", "--data", file], /^Cannot write to the data folder ".*\/file": /],
    [["--listen", "here"], /^Cannot start: the configuration has mistakes/],
  ];
  for (const [args, sentence] of rows) {
    const { code, stderr } = await runOurs("main.ts", args, { env: place.env });
    assert.equal(code, 1, stderr);
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /^ +at /m, "no stack");
    if (!stderr.startsWith("Cannot start")) assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});

Deno.test("org set beside a running server is in force for what is asked a second later, on the index and on the file", async () => {
  await using place = await createPlace();
  await using server = await place.start();
  const file = `${server.url}/npm/steady/-/steady-1.1.0.tgz`;
  const versions = async () => Object.keys((await ask(`${server.url}/npm/steady`)).json().versions);
  assert.equal((await ask(file)).status, 200);
  assert.deepEqual(await versions(), ["1.0.0", "1.1.0"]);
  const policy = `${place.folder}/policy.yaml`;
  await Deno.writeTextFile(policy, "block: [npm/steady==1.1.0]\n");
  await place.beside("cli/org.ts", "set", policy);
  await pause(1_001);
  assert.equal((await ask(file)).status, 403);
  assert.deepEqual(await versions(), ["1.0.0"]);
});

Deno.test("query beside a running server knows what was installed a moment ago", async () => {
  await using place = await createPlace();
  await using server = await place.start();
  for (const user of ["ada", "bob"]) await ask(`${server.url}/npm/steady/-/steady-1.1.0.tgz`, { user });
  await ask(`${server.url}/npm/fresh/-/fresh-1.1.0.tgz`, { user: "eve" });
  const who = JSON.parse(await place.beside("cli/query.ts", "who", "steady", "--json"));
  assert.deepEqual(who.map(({ user }: { user: string }) => user).sort(), ["ada", "bob"]);
  assert.match(await place.beside("cli/query.ts", "who", "steady"), /ada.*1\.1\.0/);
  const refused = JSON.parse(await place.beside("cli/query.ts", "refused", "--json"));
  assert.deepEqual(
    refused.map(({ user, rule }: Record<string, string>) => [user, rule]),
    [["eve", "minimumAge"]],
  );
});

Deno.test("a backup made while it runs, restored into a fresh folder, gives the same answers with upstream gone", async () => {
  await using place = await createPlace();
  const backup = `${place.folder}/backup`;
  const fresh = `${place.folder}/fresh`;
  const policy = `${place.folder}/policy.yaml`;
  await Deno.writeTextFile(policy, "block: [npm/steady==1.0.0]\n");
  await place.beside("cli/org.ts", "set", policy);

  async function answers(url: string) {
    const index = await ask(`${url}/npm/steady`, { abbreviated: true });
    const file = await ask(`${url}/npm/steady/-/steady-1.1.0.tgz`, { user: "ada" });
    const refused = await ask(`${url}/npm/fresh/-/fresh-1.1.0.tgz`, { user: "ada" });
    // A decision's id is over the policy's stamp, which a restore renews.
    const nameless = (text: string) => text.replaceAll(url, "").replaceAll(/decision=[\w-]+/g, "decision=…");
    const why = new URL(linkOf(refused));
    return {
      why: why.pathname + why.search,
      id: decisionOf(refused),
      told: {
        index: nameless(index.text),
        file: Buffer.from(file.bytes).toString("base64"),
        refused: nameless(refused.text),
      },
    };
  }

  let before;
  let installs;
  {
    await using server = await place.start();
    before = await answers(server.url);
    const load = Promise.all(
      Array.from(
        { length: 50 },
        (_, i) => ask(`${server.url}/npm/steady/-/steady-1.1.0.tgz`, { user: `load-${i}` }),
      ),
    );
    await place.beside("cli/backup.ts", "backup", backup, "--artifacts");
    await load;
    installs = JSON.parse(await place.beside("cli/query.ts", "who", "fresh", "--json"));
  }
  await place.registry.upstream.stop();
  const restored = await runOurs("cli/backup.ts", ["restore", backup, "--data", fresh], { env: place.env });
  assert.equal(restored.code, 0, restored.stderr);
  const elsewhere = ["who", "fresh", "--json", "--data", fresh];
  assert.deepEqual(JSON.parse((await runOurs("cli/query.ts", elsewhere)).stdout), installs);
  await using server = await spawnServer({ data: fresh, env: place.env });
  assert.deepEqual((await answers(server.url)).told, before.told);
  const record = (await ask(server.url + before.why)).json().decision;
  assert.equal(record.id, before.id, "a link that somebody was given before still leads to its record");
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
