/** `deno task restore` beside a server process: what clients see meanwhile, and what a kill half-way leaves. */
import assert from "node:assert/strict";
import { DENOKV_MISSING, startDenokv } from "../fakes/denokv_server.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { ask } from "../system/ask.ts";
import { runOurs, type SpawnedServer, spawnOurs, spawnServer } from "./server.ts";

const OLD = { publishedAt: daysAgo(100) };
const TOKEN = "an-admin-token-of-more-than-32-characters";
/** So many records take a restore long enough to be seen. */
const FILLER = 8_000;

interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly server: SpawnedServer;
  /** Throws if it fails. */
  run(script: string, ...args: readonly string[]): Promise<string>;
  spawnRestore(...args: readonly string[]): ReturnType<typeof spawnOurs>;
  install(user: string, version: string): Promise<{ readonly status: number; readonly text: string }>;
  who(): Promise<readonly string[]>;
}

async function createPlace(): Promise<Place> {
  const registry = await startNpmRegistry();
  registry.publish({ name: "steady", releases: { "1.0.0": OLD, "1.1.0": OLD } });
  const folder = await Deno.makeTempDir({ prefix: "sluice-restore-" });
  const data = `${folder}/data`;
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ADMIN_TOKEN: TOKEN, SLUICE_TOKEN: TOKEN };
  const server = await spawnServer({ data, env });
  async function run(script: string, ...args: readonly string[]): Promise<string> {
    const where = args.includes("--server") ? [] : ["--data", data];
    const { code, stdout, stderr } = await runOurs(script, [...args, ...where], { env });
    assert.equal(code, 0, `${script} ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }
  const kv = await Deno.openKv(`${data}/kv.sqlite3`);
  const text = "x".repeat(500);
  for (let i = 0; i < FILLER; i += 500) {
    const atomic = kv.atomic();
    for (let each = i; each < i + 500; each++) atomic.set(["filler", each], { each, text });
    await atomic.commit();
  }
  kv.close();
  return {
    folder,
    server,
    run,
    spawnRestore: (...args) => spawnOurs("cli/backup.ts", ["restore", ...args, "--data", data], { env }),
    install: (user, version) => ask(`${server.url}/npm/steady/-/steady-${version}.tgz`, { user }),
    async who() {
      const rows = JSON.parse(await run("cli/query.ts", "who", "steady", "--json"));
      return rows.map(({ user }: { user: string }) => user).sort();
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** What becomes of one request after another, until `end` is called: each state once, in its order. */
function watch(
  place: {
    install(user: string, version: string): Promise<{ readonly status: number; readonly text: string }>;
  },
) {
  const seen: string[] = [];
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const { status, text } = await place.install("bob", "1.1.0");
      const state = status === 503 ? `503 ${JSON.parse(text).error}` : String(status);
      if (seen.at(-1) !== state) seen.push(state);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    seen,
    async end() {
      isOver = true;
      await watching;
      return seen;
    },
  };
}

const RUNS = "503 This Sluice is being restored from a backup: ask again in a moment.";

Deno.test("restore beside a server process: refused by the old policy, then 503, then served by the restored one", async () => {
  await using place = await createPlace();
  const { run, install, who, server, folder } = place;
  assert.equal((await install("ada", "1.1.0")).status, 200);
  await run("cli/backup.ts", "backup", `${folder}/all.gz`, "--artifacts");
  await Deno.writeTextFile(`${folder}/policy.yaml`, "block: [npm/steady==1.1.0]\n");
  for (const [user, there] of [["eve", []], ["fay", ["--server", server.url]]] as const) {
    await run("cli/org.ts", "set", `${folder}/policy.yaml`);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    assert.equal((await install("cyd", "1.0.0")).status, 200);
    const watched = watch(place);
    const told = await run("cli/backup.ts", "restore", `${folder}/all.gz`, "--replace", ...there);
    assert.match(told, /^Restored \d+ records/);
    const endedAt = Date.now();
    while ((await install(user, "1.1.0")).status !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(Date.now() - endedAt < 3_000, "in force within a second or two");
    // A restore of so little may be over between two looks; whatever is seen of it is that it runs, or has just ended.
    const seen = await watched.end();
    assert.deepEqual([seen.at(0), seen.at(-1)], ["403", "200"], seen.join());
    assert.ok(seen.slice(1, -1).every((state) => state.startsWith("503 ")), seen.join());
  }
  assert.deepEqual(await who(), ["ada", "bob", "cyd", "eve", "fay"]);
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.equal(files.filter((name) => /^all\.gz\.replaced-\w+\.gz$/.test(name)).length, 2, files.join());
});

Deno.test("restore, killed half-way with SIGKILL: the server says so and serves nothing; run again, it is complete", async () => {
  await using place = await createPlace();
  const { run, install, who, folder } = place;
  assert.equal((await install("ada", "1.1.0")).status, 200);
  await run("cli/backup.ts", "backup", `${folder}/all.gz`);
  assert.equal((await install("cyd", "1.0.0")).status, 200);
  const watched = watch(place);
  // A restore of so little may be over before anybody looks: then it is begun anew.
  for (let isKilled = false; !isKilled;) {
    const restoring = place.spawnRestore(`${folder}/all.gz`, "--replace", "--no-copy");
    let hasEnded = false;
    const output = restoring.output().finally(() => hasEnded = true);
    while (!hasEnded && watched.seen.at(-1) !== RUNS) await new Promise((resolve) => setTimeout(resolve, 5));
    if (!hasEnded) restoring.kill("SIGKILL");
    isKilled = !(await output).success;
  }
  const interrupted = /A restore of this Sluice was interrupted.*run the restore again/;
  while (!interrupted.test(watched.seen.at(-1)!)) await new Promise((resolve) => setTimeout(resolve, 100));
  await watched.end();
  assert.equal(watched.seen.at(-2), RUNS, watched.seen.join());
  assert.match(await run("cli/backup.ts", "restore", `${folder}/all.gz`), /^Restored \d+ records/);
  while ((await install("eve", "1.1.0")).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(await who(), ["ada", "bob", "cyd", "eve"]);
});

Deno.test({
  name:
    "restore, two servers over one KV Connect: both refuse meanwhile, and keep nothing of what was before",
  ignore: DENOKV_MISSING !== null,
  async fn() {
    await using registry = await startNpmRegistry();
    registry.publish({ name: "steady", releases: { "1.0.0": OLD, "1.1.0": OLD } });
    await using kv = await startDenokv();
    const folder = await Deno.makeTempDir({ prefix: "sluice-restore-" });
    const env = {
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
      SLUICE_KV: kv.url,
      SLUICE_KV_TOKEN: kv.token,
      SLUICE_ARTIFACTS: `file:${folder}/artifacts`,
    };
    // One has its log in a journal, the other in KV.
    const where = { data: `${folder}/data`, env };
    await using first = await spawnServer(where);
    await using second = await spawnServer({ data: "none", env });
    const both = [first, second];
    const run = async (script: string, ...args: readonly string[]) => {
      const { code, stdout, stderr } = await runOurs(script, [...args, "--data", where.data], { env });
      assert.equal(code, 0, `${script} ${args.join(" ")}: ${stdout}${stderr}`);
      return stdout;
    };
    const install = (url: string, user: string) => ask(`${url}/npm/steady/-/steady-1.1.0.tgz`, { user });
    for (const [i, { url }] of both.entries()) assert.equal((await install(url, `ada-${i}`)).status, 200);
    await run("cli/backup.ts", "backup", `${folder}/all.gz`);
    for (const [i, { url }] of both.entries()) assert.equal((await install(url, `cyd-${i}`)).status, 200);
    await Deno.writeTextFile(`${folder}/policy.yaml`, "block: [npm/steady==1.1.0]\n");
    await run("cli/org.ts", "set", `${folder}/policy.yaml`);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const watched = both.map(({ url }) => watch({ install: (user) => install(url, user) }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    await run("cli/backup.ts", "restore", `${folder}/all.gz`, "--replace");
    for (const [i, { url }] of both.entries()) {
      while ((await install(url, `eve-${i}`)).status !== 200) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const seen = (await watched[i]!.end()).filter((state) =>
        !/restored from a backup just now/.test(state)
      );
      assert.deepEqual([seen.at(0), seen.at(-1)], ["403", "200"], seen.join());
      assert.deepEqual(seen.slice(1, -1).filter((state) => state !== RUNS), []);
    }
    const rows = JSON.parse(await run("cli/query.ts", "who", "steady", "--json"));
    const users = rows.map(({ user }: { user: string }) => user).sort();
    assert.deepEqual(users, ["ada-0", "ada-1", "bob", "cyd-0", "cyd-1", "eve-0", "eve-1"]);
    await Deno.remove(folder, { recursive: true });
  },
});
