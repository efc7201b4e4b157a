/** Disks that are full or read-only, for real: small file systems in memory, which only root can make. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { ask, type Asked } from "../system/ask.ts";
import { runOurs, type SpawnedServer, spawnServer } from "./server.ts";

const OLD = { publishedAt: daysAgo(100) };
const noise = (seed: number, length: number) =>
  Array.from({ length }, (_, n) => `${((n + seed) * 2_654_435_761) % 4_294_967_291}\n`).join("");
/** About 3 MB, of which nothing can be spared. */
const LARGE = { ...OLD, files: { "text.txt": noise(1, 600_000) } };
const SMALL = { ...OLD, files: { "text.txt": noise(2, 2_000) } };

async function mount(folder: string, ...options: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command("mount", {
    args: ["-t", "tmpfs", "-o", options.join(","), "tmpfs", folder],
    stderr: "null",
  }).output().catch(() => ({ success: false }));
  return success;
}

async function unmount(folder: string): Promise<void> {
  await new Deno.Command("umount", { args: ["-l", folder] }).output();
  await Deno.remove(folder, { recursive: true });
}

const SKIP = await (async () => {
  const folder = await Deno.makeTempDir({ prefix: "sluice-mount-" });
  const mounted = await mount(folder, "size=1m");
  if (mounted) await unmount(folder);
  else await Deno.remove(folder);
  return mounted ? null : "no file system can be mounted here";
})();
const skipped = SKIP === null ? "" : ` (skipped: ${SKIP})`;

/** Takes what is left of a disk. */
async function fill(folder: string): Promise<void> {
  using file = await Deno.open(`${folder}/filler`, { write: true, create: true });
  for (let length = 2 ** 20; length > 0;) {
    try {
      await file.write(new Uint8Array(length));
    } catch {
      length >>= 1;
    }
  }
}

async function world() {
  const registry = await startNpmRegistry();
  for (const name of ["one", "two", "three"]) {
    registry.publish({ name, releases: { "1.0.0": LARGE, "1.1.0": SMALL } });
  }
  const disk = await Deno.makeTempDir({ prefix: "sluice-disk-" });
  const data = await Deno.makeTempDir({ prefix: "sluice-data-" });
  assert.ok(await mount(disk, "size=2m"));
  const get = (server: SpawnedServer, name: string, version: string, user = "ada"): Promise<Asked | null> =>
    ask(`${server.url}/npm/${name}/-/${name}-${version}.tgz`, { user }).catch((error) => {
      if (error instanceof TypeError) return null;
      throw error;
    });
  const isRight = (answer: Asked | null, name: string, version: string) =>
    answer?.status === 200 &&
    Buffer.from(answer.bytes).equals(createTarball(name, version, version === "1.0.0" ? LARGE : SMALL));
  return {
    registry,
    disk,
    data,
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url },
    get,
    isRight,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await unmount(disk);
      await Deno.remove(data, { recursive: true });
    },
  };
}

async function recordsOf(data: string) {
  const { stdout, stderr, code } = await runOurs("cli/query.ts", ["export", "--json", "--data", data]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as { package: string; version: string; outcome: string; user: string }[];
}

Deno.test({
  name:
    `artifacts on a disk that is full, then read-only: passed on whole, recorded, told; what is kept is served${skipped}`,
  ignore: SKIP !== null,
  fn: async () => {
    await using place = await world();
    const { disk, data, get, isRight } = place;
    const env = { ...place.env, SLUICE_ARTIFACTS: `file:${disk}/artifacts` };
    await using server = await spawnServer({ data, env });
    for (const name of ["one", "two"]) assert.equal((await ask(`${server.url}/npm/${name}`)).status, 200);
    assert.ok(isRight(await get(server, "one", "1.1.0"), "one", "1.1.0"), "it fits");
    assert.ok(isRight(await get(server, "one", "1.0.0"), "one", "1.0.0"), "it does not: full in the middle");
    assert.match(
      server.output(),
      /Cannot keep "npm\/one\/one-1\.0\.0\.tgz".*the disk is full: passed on without keeping it/,
    );
    await fill(disk);
    for (const version of ["1.0.0", "1.1.0"]) {
      assert.ok(isRight(await get(server, "two", version), "two", version), "not a byte is left");
    }
    const remounted = await new Deno.Command("mount", { args: ["-o", "remount,ro", disk] }).output();
    assert.ok(remounted.success);
    for (const name of ["one", "two"]) {
      for (const version of ["1.0.0", "1.1.0"]) {
        assert.ok(isRight(await get(server, name, version), name, version));
      }
    }
    assert.match(server.output(), /the file system is read-only: passed on without keeping it/);
    const records = await recordsOf(data);
    assert.equal(records.filter(({ outcome }) => outcome === "served").length, 8);
    await new Deno.Command("mount", { args: ["-o", "remount,rw", disk] }).output();
    await Deno.remove(`${disk}/filler`);
    assert.ok(isRight(await get(server, "two", "1.1.0"), "two", "1.1.0"));
    const { code, stdout } = await runOurs("cli/cache.ts", ["verify", "--data", data], { env });
    assert.equal(code, 0, stdout);
    assert.doesNotMatch(server.output(), /^\S+ error /m);
  },
});

Deno.test({
  name:
    `all data on a disk that is full: nothing is answered without its record, in a plain sentence; with room, all is well${skipped}`,
  ignore: SKIP !== null,
  fn: async () => {
    await using place = await world();
    const { disk, get, isRight } = place;
    const data = `${disk}/data`;
    await using server = await spawnServer({ data, env: place.env });
    assert.equal((await ask(`${server.url}/npm/one`)).status, 200);
    assert.ok(isRight(await get(server, "one", "1.1.0"), "one", "1.1.0"));
    await fill(disk);
    const whole: string[] = [];
    for (let turn = 0; turn < 40; turn++) {
      // The journal's last page has room for a few more.
      const cold = turn % 20 === 0 ? [["one", "1.0.0"], ["two", "1.1.0"]] as const : [];
      for (const [name, version] of [["one", "1.1.0"], ...cold] as const) {
        const user = `${name}-${version}-${turn}`;
        const answer = await get(server, name, version, user);
        if (isRight(answer, name, version)) whole.push(user);
        else if (answer !== null) {
          assert.equal(answer.status, 503, answer.text);
          assert.equal(answer.json().error, "Sluice's own storage does not answer.");
        }
      }
    }
    assert.match(server.output(), /Cannot write to install journal.*(disk is full|No space left)/);
    await Deno.remove(`${disk}/filler`);
    assert.ok(isRight(await get(server, "one", "1.1.0"), "one", "1.1.0"));
    assert.ok(isRight(await get(server, "two", "1.1.0"), "two", "1.1.0"));
    assert.equal(await server.end("SIGTERM"), 0, server.output());
    const users = new Set((await recordsOf(data)).map(({ user }) => user));
    for (const user of whole) assert.ok(users.has(user), `${user} holds the file, and is not in the log`);
    assert.equal((await runOurs("cli/cache.ts", ["verify", "--data", data])).code, 0);
  },
});
