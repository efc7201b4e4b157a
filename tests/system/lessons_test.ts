/** What other proxies got wrong and no other test here holds: see the table in tests/README.md. */
import assert from "node:assert/strict";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const HOUR_MS = 3_600_000;
const FILE = "/npm/wanted/-/wanted-1.0.0.tgz";

async function world(): Promise<{ readonly registry: FakeNpmRegistry; readonly sluice: TestSluice }> {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "wanted",
    releases: { "1.0.0": { publishedAt: daysAgo(400) }, "1.1.0": { publishedAt: daysAgo(1) } },
  });
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  return { registry, sluice };
}

/** Takes every blob that `wanted` holds for out of the folder; how many there were. */
async function loseBlobs(sluice: TestSluice, wanted: (bytes: Uint8Array) => boolean): Promise<number> {
  let lost = 0;
  for await (const path of filesBelow(`${sluice.data}/artifacts`)) {
    if (!wanted(await Deno.readFile(path))) continue;
    await Deno.remove(path);
    lost++;
  }
  return lost;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    else if (entry.isFile) yield path;
  }
}

const isPackument = (bytes: Uint8Array) => new TextDecoder().decode(bytes.subarray(0, 8)) === '{"_id":"';
const isTarball = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;

Deno.test("GET a file: decided from kept facts, without its packument being opened, let alone parsed", async () => {
  const { registry, sluice } = await world();
  await using _registry = registry;
  await using _sluice = sluice;
  assert.equal((await ask(`${sluice.url}/npm/wanted`)).status, 200);
  assert.equal(await loseBlobs(sluice, isPackument), 1);
  await sluice.restart();
  const file = await ask(sluice.url + FILE);
  assert.equal(file.status, 200, file.text);
  assert.equal((await ask(`${sluice.url}/npm/wanted/-/wanted-1.1.0.tgz`)).status, 403);
  assert.equal(registry.upstream.asked("/wanted").length, 1);
  assert.deepEqual(sluice.lines.filter(({ level }) => level === "error" || level === "warn"), []);
});

Deno.test("GET /npm/{package}: a 304 renews the copy for its whole lifetime", async () => {
  const { registry, sluice } = await world();
  await using _registry = registry;
  await using _sluice = sluice;
  assert.equal((await ask(`${sluice.url}/npm/wanted`)).headers.get("x-sluice-cache"), "fetched");
  for (const renewal of [1, 2]) {
    sluice.advance(2 * HOUR_MS);
    assert.equal((await ask(`${sluice.url}/npm/wanted`)).headers.get("x-sluice-cache"), "revalidated");
    sluice.advance(HOUR_MS / 2);
    assert.equal((await ask(`${sluice.url}/npm/wanted`)).headers.get("x-sluice-cache"), "hit");
    const asked = registry.upstream.asked("/wanted");
    assert.equal(asked.length, 1 + renewal);
    assert.notEqual(asked.at(-1)?.headers.get("if-none-match") ?? null, null);
  }
});

Deno.test("GET /npm/{package}: a 304 for a copy that is lost fetches it anew", async () => {
  const { registry, sluice } = await world();
  await using _registry = registry;
  await using _sluice = sluice;
  assert.equal((await ask(`${sluice.url}/npm/wanted`)).status, 200);
  assert.equal(await loseBlobs(sluice, isPackument), 1);
  sluice.advance(2 * HOUR_MS);
  const again = await ask(`${sluice.url}/npm/wanted`, { abbreviated: true });
  assert.equal(again.status, 200, again.text);
  assert.deepEqual(Object.keys(again.json().versions), ["1.0.0"]);
  assert.equal(registry.upstream.asked("/wanted").length, 3, "the first, the 304, and the whole");
});

Deno.test("GET a file: one whose blob is lost is fetched again, verified, and recorded", async () => {
  const { registry, sluice } = await world();
  await using _registry = registry;
  await using _sluice = sluice;
  const first = await ask(sluice.url + FILE);
  assert.equal(await loseBlobs(sluice, isTarball), 1);
  await sluice.restart();
  const again = await ask(sluice.url + FILE);
  assert.equal(again.status, 200, again.text);
  assert.deepEqual(again.bytes, first.bytes);
  assert.equal(registry.downloads("wanted", "1.0.0"), 2);
  assert.deepEqual((await sluice.installs()).map(({ outcome }) => outcome), ["served", "served"]);
});

Deno.test("GET and HEAD change no policy and add no waiver, whatever they are refused", async () => {
  const { registry, sluice } = await world();
  await using _registry = registry;
  await using _sluice = sluice;
  const why = `${sluice.url}/-/why/pkg:npm/wanted@1.1.0?format=json`;
  const paths = ["/npm/wanted", "/npm/wanted/1.1.0", "/npm/wanted/-/wanted-1.1.0.tgz", FILE];
  for (const path of paths) {
    for (const method of ["GET", "HEAD"]) {
      await ask(sluice.url + path, { method, user: "ada", headers: { "npm-command": "audit" } });
    }
  }
  const told = (await ask(why)).json();
  assert.equal(told.policyRevision, 1);
  assert.equal(told.verdict, "hold");
  assert.deepEqual(told.reasons.map(({ rule }: { rule: string }) => rule), ["minimumAge"]);
});
