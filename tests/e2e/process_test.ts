/** Sluice as a process: how it starts, what runs beside it, how it ends. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball, type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
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
    place.registry.upstream.answer(place.registry.tarballPath("slow", "1.0.0"), {
      stream: inTenths(tarball, 150),
    });
    await using server = await place.start();
    const headers = { authorization: `Basic ${btoa("ada:")}` };
    const response = await fetch(`${server.url}/npm/slow/-/slow-1.0.0.tgz`, { headers });
    assert.equal(response.status, 200);
    const ended = server.end(signal);
    const refused = new Promise((resolve) => setTimeout(resolve, 200))
      .then(() => fetch(`${server.url}/-/health`)).then((late) => late.body?.cancel());
    const [bytes] = await Promise.all([response.bytes(), assert.rejects(refused, "a new connection")]);
    assert.ok(Buffer.from(bytes).equals(tarball));
    assert.equal(await ended, 0, server.output());
    const records = JSON.parse(await place.beside("cli/query.ts", "export", "--json"));
    assert.deepEqual(
      records.map(({ user, outcome }: Record<string, string>) => [user, outcome]),
      [["ada", "served"]],
    );
  });
}

async function* inTenths(bytes: Uint8Array, pauseMs: number): AsyncGenerator<Uint8Array> {
  const tenth = Math.ceil(bytes.length / 10);
  for (let at = 0; at < bytes.length; at += tenth) {
    if (at > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    yield bytes.subarray(at, at + tenth);
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

Deno.test("org set beside a running server is in force within two seconds, on the index and on the file", async () => {
  await using place = await createPlace();
  await using server = await place.start();
  const file = `${server.url}/npm/steady/-/steady-1.1.0.tgz`;
  const versions = async () => Object.keys((await ask(`${server.url}/npm/steady`)).json().versions);
  assert.equal((await ask(file)).status, 200);
  assert.deepEqual(await versions(), ["1.0.0", "1.1.0"]);
  const policy = `${place.folder}/policy.yaml`;
  await Deno.writeTextFile(policy, "block: [npm/steady==1.1.0]\n");
  await place.beside("cli/org.ts", "set", policy);
  const written = performance.now();
  while ((await ask(file)).status === 200 && performance.now() - written < 10_000) await pause(20);
  const tookMs = performance.now() - written;
  console.log(`      in force after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 2_000, `${tookMs} ms`);
  assert.deepEqual(await versions(), ["1.0.0"]);
  assert.equal((await ask(file)).status, 403);
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
