/** What somebody does to the files in the data folder by hand: never served, fetched again once, and told. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { publishBytes } from "../fakes/npm_registry.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const SMALL = Buffer.from("a small file, kept in memory once it was asked for");
const LARGE = Buffer.from(Uint8Array.from({ length: 1_200_000 }, (_, at) => (at * 7919) >> 7));
const RANGE = { range: "bytes=10-19" };

/** How a file is damaged; each leaves another one in its place, or none. */
const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  deleted: (path) => Deno.remove(path),
  emptied: (path) => rewritten(path, () => new Uint8Array()),
  truncated: (path) => rewritten(path, (bytes) => bytes.subarray(0, bytes.length >> 1)),
  grown: (path) => rewritten(path, (bytes) => Buffer.concat([bytes, Buffer.from("!")])),
  altered: (path) => rewritten(path, (bytes) => bytes.with(15, bytes[15]! ^ 1)),
};

async function rewritten(path: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const bytes = await Deno.readFile(path);
  await Deno.chmod(path, 0o600);
  await Deno.writeFile(path, change(bytes));
}

async function world() {
  const upstream = await startFakeUpstream();
  const files = new Map([["small", SMALL], ["large", LARGE]]);
  for (const [name, bytes] of files) publishBytes(upstream, name, bytes, { etag: '"one"' });
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: upstream.url } });
  return {
    upstream,
    sluice,
    asked: (path: string) => upstream.asked(path).length,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Where the folder keeps these bytes. */
function pathOf({ data }: TestSluice, bytes: Uint8Array): string {
  const hex = createHash("sha256").update(bytes).digest("hex");
  return `${data}/artifacts/sha256/${hex.slice(0, 2)}/${hex}`;
}

async function isHealed(sluice: TestSluice, bytes: Buffer): Promise<boolean> {
  return bytes.equals(await Deno.readFile(pathOf(sluice, bytes)));
}

const told = ({ lines }: TestSluice) => lines.filter(({ level }) => level === "error" || level === "warn");

for (const [name, bytes] of [["small", SMALL], ["large", LARGE]] as const) {
  Deno.test(`GET a file (${name}) that was damaged by hand: right for all who ask at once, fetched again once, told once`, async () => {
    await using place = await world();
    const { sluice, asked } = place;
    const path = `/${name}/-/${name}-1.0.0.tgz`;
    const url = `${sluice.url}/npm${path}`;
    assert.equal((await ask(url)).status, 200);
    for (const [how, damage] of Object.entries(DAMAGES)) {
      // A larger file's digest is looked at in the background: see below.
      if (how === "altered" && name === "large") continue;
      for (const headers of [{}, RANGE]) {
        const what = `${how}, ${JSON.stringify(headers)}`;
        await sluice.restart();
        await damage(pathOf(sluice, bytes));
        const before = {
          asked: asked(path),
          told: told(sluice).length,
          installs: (await sluice.installs()).length,
        };
        const answers = await Promise.all(
          Array.from({ length: 5 }, (_, i) => ask(url, { headers, user: `${how}-${i}` })),
        );
        for (const answer of answers) {
          assert.equal(answer.status, headers === RANGE ? 206 : 200, what);
          assert.ok(
            Buffer.from(answer.bytes).equals(headers === RANGE ? bytes.subarray(10, 20) : bytes),
            what,
          );
        }
        assert.equal(asked(path) - before.asked, 1, what);
        const lines = told(sluice).slice(before.told);
        assert.deepEqual(lines.map(({ message }) => message), [
          `Fetching npm file "${name}-1.0.0.tgz" again: its blob is lost or damaged`,
        ], what);
        assert.ok(await isHealed(sluice, bytes), what);
        assert.equal((await sluice.installs()).length - before.installs, 5, what);
        assert.equal((await ask(url, { headers })).status, headers === RANGE ? 206 : 200, what);
        assert.equal(asked(path) - before.asked, 1, what);
      }
    }
  });
}

Deno.test("GET a large file that was altered by hand: found in the background, evicted and told, fetched again once, right", async () => {
  await using place = await world();
  const { sluice, asked } = place;
  const path = "/large/-/large-1.0.0.tgz";
  assert.equal((await ask(`${sluice.url}/npm${path}`)).status, 200);
  await DAMAGES["altered"]!(pathOf(sluice, LARGE));
  await sluice.maintain();
  for (let i = 0; i < 3_000 && told(sluice).length === 0; i++) await new Promise((go) => setTimeout(go, 10));
  assert.deepEqual(told(sluice).map(({ level, message }) => `${level} ${message}`), [
    "error Evicted npm large-1.0.0.tgz: its bytes were not those of its digest",
  ]);
  for (const _ of [1, 2]) {
    const answer = await ask(`${sluice.url}/npm${path}`);
    assert.equal(answer.status, 200, answer.text);
    assert.ok(Buffer.from(answer.bytes).equals(LARGE));
  }
  assert.equal(asked(path), 2);
  assert.ok(await isHealed(sluice, LARGE));
  assert.equal(told(sluice).length, 1);
});

Deno.test("GET an index whose raw document was damaged by hand: right, fetched again once without a validator, told once", async () => {
  await using place = await world();
  const { sluice, asked, upstream } = place;
  const url = `${sluice.url}/npm/small`;
  const right = await ask(url);
  const [stored] = await findDocuments(sluice);
  assert.ok(stored !== undefined);
  for (const [how, damage] of Object.entries(DAMAGES)) {
    await sluice.restart();
    await damage(stored);
    const before = { asked: asked("/small"), told: told(sluice).length };
    for (const answer of await Promise.all(Array.from({ length: 20 }, () => ask(url)))) {
      assert.equal(answer.status, 200, `${how}: ${answer.text}`);
      assert.equal(answer.text, right.text, how);
    }
    assert.equal(asked("/small") - before.asked, 1, how);
    assert.equal(upstream.asked("/small").at(-1)?.headers.get("if-none-match") ?? null, null, how);
    assert.deepEqual(told(sluice).slice(before.told).map(({ message }) => message), [
      'Cannot render npm "small": its raw document is lost or damaged: fetching it anew',
    ], how);
    assert.deepEqual(await findDocuments(sluice), [stored], how);
    assert.equal(
      createHash("sha256").update(await Deno.readFile(stored)).digest("hex"),
      stored.slice(-64),
      how,
    );
  }
});

async function findDocuments({ data }: TestSluice): Promise<readonly string[]> {
  const found: string[] = [];
  const root = `${data}/artifacts/sha256`;
  for await (const shard of Deno.readDir(root)) {
    for await (const { name } of Deno.readDir(`${root}/${shard.name}`)) {
      found.push(`${root}/${shard.name}/${name}`);
    }
  }
  return found;
}
