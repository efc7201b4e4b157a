/** A restore beside servers that run: they refuse while it writes, and keep nothing of what was before. */
import assert from "node:assert/strict";
import { backupOrRestore } from "../../cli/backup.ts";
import { query } from "../../cli/query.ts";
import { testIo } from "../../cli/testing.ts";
import type { EpochMs } from "../../policy/types.ts";
import { restore } from "../../storage/backup.ts";
import { keys } from "../../storage/kv/keys.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { ADMIN_TOKEN, HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice, type TestSluice, type TestSluiceOptions } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const OLD = { publishedAt: daysAgo(100) };
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` };

interface World extends AsyncDisposable {
  readonly registry: FakeNpmRegistry;
  readonly sluice: TestSluice;
  /** `deno task backup|restore …` on the server's own data, or with `--server`; its clock is the server's. */
  run(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  /** The status of an install by this user. */
  install(user: string, file?: string): Promise<number>;
  /** Who has `steady`, as `deno task query who` tells. */
  who(): Promise<readonly string[]>;
  advance(ms: number): void;
}

async function createWorld(options: Partial<TestSluiceOptions> = {}): Promise<World> {
  const registry = await startNpmRegistry();
  registry.publish({ name: "steady", releases: { "1.0.0": OLD, "1.1.0": OLD } });
  const env: Record<string, string> = {
    ...HOLDERS_ENV,
    SLUICE_UPSTREAM_NPM: registry.upstream.url,
    ...options.env,
  };
  const sluice = await startSluice({ ...options, env });
  let now = NOW;
  const place = options.data === "none" ? ["--kv", env.SLUICE_KV!] : ["--data", sluice.data];
  const io = {
    ...testIo({
      cwd: sluice.data === "none" ? Deno.cwd() : sluice.data,
      env: { ...env, SLUICE_TOKEN: ADMIN_TOKEN },
    }),
    // A fold deletes journals that are hours old by its clock: it has to be the one that the server has.
    clock: () => now as EpochMs,
  };
  return {
    registry,
    sluice,
    async run(...args) {
      const where = args.includes("--server") ? [] : place;
      return { code: await backupOrRestore([...args, ...where], io), ...io.take() };
    },
    async install(user, file = "steady/-/steady-1.1.0.tgz") {
      return (await ask(`${sluice.url}/npm/${file}`, { user })).status;
    },
    async who() {
      assert.equal(await query(["who", "steady", "--json", ...place], io), 0);
      return JSON.parse(io.take().out).map(({ user }: { user: string }) => user).sort();
    },
    advance(ms) {
      now += ms;
      sluice.advance(ms);
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-restore-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const WAYS = {
  "the command beside a server whose log is a journal": { there: false, options: (_folder: string) => ({}) },
  "--server, of one whose log is in KV": {
    there: true,
    options: (folder: string) => ({
      data: "none",
      env: { SLUICE_KV: `${folder}/kv.sqlite3`, SLUICE_ARTIFACTS: `file:${folder}/artifacts` },
    }),
  },
} as const;

for (const [title, way] of Object.entries(WAYS)) {
  Deno.test(`restore, ${title}: policies, tokens, packages are the backup's, and no install is lost`, () =>
    inFolder(async (folder) => {
      await using world = await createWorld(way.options(folder));
      const { sluice, registry, run, install, who, advance } = world;
      const there = way.there ? ["--server", sluice.url] : [];
      const kept = await makeToken(sluice, NOW, { organisation: null, scopes: ["admin"] });
      assert.equal(await install("ada"), 200);
      assert.equal((await run("backup", `${folder}/all.gz`, "--artifacts", ...there)).code, 0);

      await sluice.setPolicy({ block: ["npm/steady==1.1.0"] });
      advance(3_600_001);
      registry.publish({ name: "steady", releases: { "1.0.0": OLD, "1.1.0": OLD, "1.2.0": OLD } });
      assert.equal(await install("cyd", "steady/-/steady-1.0.0.tgz"), 200);
      assert.equal(await install("bob"), 403);
      const lost = await makeToken(sluice, NOW, { organisation: null, scopes: ["admin"] });
      await fetch(`${sluice.url}/-/api/v1/tokens/${kept.id}`, { method: "DELETE", headers: ADMIN });
      const index = async () => Object.keys((await ask(`${sluice.url}/npm/steady`)).json().versions ?? {});
      // The copy that is an hour old is served while it is looked at again.
      while (!(await index()).includes("1.2.0")) await new Promise((resolve) => setTimeout(resolve, 10));
      const statusOf = async ({ secret }: { secret: string }) =>
        (await ask(`${sluice.url}/-/api/v1/status`, { headers: { authorization: `Bearer ${secret}` } }))
          .status;
      assert.deepEqual([await statusOf(kept), await statusOf(lost)], [401, 200]);
      await registry.upstream.stop();

      const refused = await run("restore", `${folder}/all.gz`, ...there);
      assert.equal(refused.code, 1);
      assert.match(refused.err, /policies, tokens, packages\. Nothing was changed\..*--replace/);
      assert.deepEqual([await statusOf(kept), await statusOf(lost)], [401, 200]);
      const restored = await run("restore", `${folder}/all.gz`, "--replace", ...there);
      assert.equal(restored.code, 0, restored.err);

      // Whoever restores forgets at once, the others within a second.
      if (!way.there) advance(1_000);
      assert.deepEqual([await statusOf(kept), await statusOf(lost)], [200, 401]);
      assert.equal(await install("eve"), 200);
      assert.deepEqual(await index(), ["1.0.0", "1.1.0"]);
      const { entries } = (await ask(`${sluice.url}/-/api/v1/audit?everywhere=true`, { headers: ADMIN }))
        .json();
      const done = entries.map(({ action }: { action: string }) => action);
      // What was changed since the backup stays told.
      assert.deepEqual(done.toSorted(), ["createToken", "createToken", "restore", "revokeToken"]);
      assert.deepEqual(await who(), ["ada", "cyd", "eve"]);
      await sluice.maintain();
      assert.deepEqual(await who(), ["ada", "cyd", "eve"]);
      await sluice.setPolicy({ block: ["npm/steady==1.1.0"] });
      assert.equal(await install("eve"), 403);

      // Once more, and back to what was before the first: still each install once.
      assert.equal((await run("restore", `${folder}/all.gz`, "--replace", "--no-copy", ...there)).code, 0);
      const copy = /What was there before: (\S+)/.exec(restored.out)?.[1] ?? "";
      assert.equal((await run("restore", copy, "--replace", "--no-copy", ...there)).code, 0);
      advance(1_000);
      assert.deepEqual([await statusOf(kept), await statusOf(lost)], [401, 200]);
      await sluice.restart();
      await sluice.maintain();
      const installs = await sluice.installs();
      assert.deepEqual(installs.map(({ user, outcome }) => `${user} ${outcome}`).toSorted(), [
        "ada served",
        "bob refused",
        "cyd served",
        "eve refused",
        "eve served",
      ]);
      assert.deepEqual(await who(), ["ada", "cyd", "eve"]);
    }));
}

/** As a process that was killed while it wrote leaves it: nobody is told, and nothing more is heard. */
async function dieHalfWay(kvPath: string, file: string): Promise<void> {
  const bare = await openStorage(kvPath);
  let isDead = false;
  let cleared = 0;
  const mortal = new Proxy(bare, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (property !== "atomic") return typeof value === "function" ? value.bind(target) : value;
      return () => {
        const operation = target.atomic();
        const commit = operation.commit.bind(operation);
        const remove = operation.delete.bind(operation);
        operation.delete = (key) => {
          cleared++;
          return remove(key);
        };
        operation.commit = () => {
          if (isDead) return Promise.reject(new Error("killed"));
          // The store is emptied, and nothing is written.
          isDead = cleared > 0;
          return commit();
        };
        return operation;
      };
    },
  });
  const dying = restore(mortal, async () => (await Deno.open(file)).readable, {
    clock: () => NOW as EpochMs,
    replace: true,
  });
  await assert.rejects(dying, /killed/);
  bare.close();
}

Deno.test("a restore that dies half-way: nothing is answered but that it must be run again; that completes it", () =>
  inFolder(async (folder) => {
    await using world = await createWorld();
    const { sluice, run, install, who, advance } = world;
    assert.equal(await install("ada"), 200);
    const { secret } = await makeToken(sluice, NOW, { organisation: null, scopes: ["admin"] });
    assert.equal((await run("backup", `${folder}/all.gz`)).code, 0);
    await dieHalfWay(`${sluice.data}/kv.sqlite3`, `${folder}/all.gz`);
    advance(16_000);

    const hot = await ask(`${sluice.url}/npm/steady/-/steady-1.1.0.tgz`, { user: "cyd" });
    assert.deepEqual([hot.status, hot.headers.get("retry-after")], [503, "60"]);
    assert.match(hot.text, /A restore of this Sluice was interrupted.*run the restore again/);
    for (const path of ["npm/steady", "-/api/v1/status", "-/why/pkg:npm/steady@1.1.0", "-/api/v1/backup"]) {
      const answer = await ask(`${sluice.url}/${path}`, { headers: { authorization: `Bearer ${secret}` } });
      assert.deepEqual([answer.status, answer.json().code], [503, "restoring"], path);
    }
    assert.equal((await ask(`${sluice.url}/-/health`)).json().status, "degraded");
    assert.equal((await ask(`${sluice.url}/-/ready`)).status, 503);
    await sluice.maintain();
    assert.match((await run("backup", `${folder}/half.gz`)).err, /run it again: deno task restore FILE/);
    await assert.rejects(sluice.restart(), /a restore into it runs, or was broken off/);

    // It needs no yes: there is nothing to lose.
    const again = await run("restore", `${folder}/all.gz`);
    assert.equal(again.code, 0, again.err);
    assert.doesNotMatch(again.out, /What was there before/);
    await sluice.restart();
    assert.equal(await install("eve"), 200);
    assert.deepEqual(await who(), ["ada", "eve"]);
  }));

Deno.test("a restore that dies half-way is run again with --server, by SLUICE_ADMIN_TOKEN", () =>
  inFolder(async (folder) => {
    await using world = await createWorld();
    const { sluice, run, install, advance } = world;
    assert.equal(await install("ada"), 200);
    assert.equal((await run("backup", `${folder}/all.gz`)).code, 0);
    await dieHalfWay(`${sluice.data}/kv.sqlite3`, `${folder}/all.gz`);
    advance(16_000);
    assert.equal(await install("cyd"), 503);
    const again = await run("restore", `${folder}/all.gz`, "--replace", "--server", sluice.url);
    assert.equal(again.code, 0, again.err);
    assert.match(again.err, /what it has left is not kept/);
    advance(1_000);
    assert.equal(await install("eve"), 200);
  }));

Deno.test("a restore by one of two servers: the other refuses while it runs, and keeps nothing of what was before", () =>
  inFolder(async (folder) => {
    await using world = await createWorld();
    const { sluice, registry, run, install, advance } = world;
    const env = { ...HOLDERS_ENV, SLUICE_UPSTREAM_NPM: registry.upstream.url };
    await using other = await startSluice({ env, data: sluice.data });
    const elsewhere = async (user: string) =>
      await ask(`${other.url}/npm/steady/-/steady-1.1.0.tgz`, { user });
    assert.equal((await run("backup", `${folder}/all.gz`)).code, 0);
    await sluice.setPolicy({ block: ["npm/steady==1.1.0"] });
    advance(1_001);
    other.advance(2_002);
    assert.deepEqual([await install("bob"), (await elsewhere("bob")).status], [403, 403]);

    const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
    await kv.set(keys.restoreBeat(), NOW + 2_002);
    const { versionstamp } = await kv.set(keys.restore(), { v: 1, id: "x", state: "running" });
    other.advance(1_000);
    const refused = await elsewhere("bob");
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "2"]);
    assert.match(refused.text, /This Sluice is being restored from a backup: ask again in a moment/);
    await kv.atomic().check({ key: keys.restore(), versionstamp }).delete(keys.restore()).delete(
      keys.restoreBeat(),
    )
      .commit();
    kv.close();
    other.advance(1_000);
    assert.equal((await elsewhere("bob")).status, 403);

    const restored = await run("restore", `${folder}/all.gz`, "--replace", "--server", sluice.url);
    assert.equal(restored.code, 0, restored.err);
    other.advance(1_000);
    assert.equal((await elsewhere("eve")).status, 200);
    assert.deepEqual((await other.installs()).map(({ user }) => user).toSorted(), [
      "bob",
      "bob",
      "bob",
      "eve",
    ]);
  }));

Deno.test("a request over which a restore comes is not answered: it was decided in part by what was before", () =>
  inFolder(async (folder) => {
    await using world = await createWorld();
    const { sluice, registry, run, install, who, advance } = world;
    assert.equal((await run("backup", `${folder}/all.gz`)).code, 0);
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const packument = await fetch(new URL("/steady", registry.upstream.url));
    const body = new Uint8Array(await packument.arrayBuffer());
    const type = packument.headers.get("content-type") ?? "";
    registry.upstream.answer("/steady", async () => {
      asked.resolve();
      await held.promise;
      return { body, headers: { "content-type": type } };
    });
    const slow = install("ada");
    await asked.promise;
    assert.equal((await run("restore", `${folder}/all.gz`, "--replace", "--server", sluice.url)).code, 0);
    held.resolve();
    assert.equal(await slow, 503);
    advance(1_000);
    assert.equal(await install("eve"), 200);
    assert.deepEqual(await who(), ["eve"]);
  }));

Deno.test("POST /restore: nothing is changed without ?replace=true, by who may not, or by what is no backup", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  const policy = { block: ["npm/steady==1.1.0"] };
  await sluice.setPolicy(policy);
  const { secret } = await makeToken(sluice, NOW, { organisation: "default", scopes: ["admin"] });
  const send = async (body: Uint8Array | undefined, query = "?replace=true", headers = ADMIN) => {
    const path = `${sluice.url}/-/api/v1/restore${query}`;
    const { status, json } = await ask(path, {
      method: "POST",
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return [status, json().code];
  };
  const some = new TextEncoder().encode("no backup");
  assert.deepEqual(await send(some, ""), [409, "replace-required"]);
  assert.deepEqual(await send(some), [422, "unusable-backup"]);
  assert.deepEqual(await send(undefined), [422, "unusable-backup"]);
  assert.deepEqual(await send(some, "?replace=true", { authorization: `Bearer ${secret}` }), [
    403,
    "not-yours",
  ]);
  assert.equal(await world.install("bob"), 403);
  const names = [...Deno.readDirSync(sluice.data)].map(({ name }) => name);
  assert.ok(!names.some((name) => name.startsWith(".spool")), names.join());
});
