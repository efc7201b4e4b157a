/** Five hundred clients with one wish: upstream is asked once, and all get the same bytes. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask, type Asked } from "./ask.ts";
import { slowAsk } from "./slow_ask.ts";

const CLIENTS = 500;

/** All at once. */
function crowd(url: string, abbreviated: (client: number) => boolean = () => false): Promise<Asked[]> {
  return Promise.all(
    Array.from(
      { length: CLIENTS },
      (_, client) => ask(url, { abbreviated: abbreviated(client), user: `u${client}` }),
    ),
  );
}

/** The registry takes its time, so that all have come before the first is served. */
async function slowWorld() {
  const registry = await startNpmRegistry();
  const files = { "large.txt": Array.from({ length: 20_000 }, (_, line) => `${line * 7919}\n`).join("") };
  const release = { publishedAt: daysAgo(50), files };
  registry.publish({ name: "wanted", releases: { "1.0.0": release } });
  const { upstream } = registry;
  const packument = await (await fetch(new URL("wanted", upstream.url))).text();
  const tarball = createTarball("wanted", "1.0.0", release);
  upstream.answer("/wanted", async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { body: packument, headers: { "content-type": "application/json" } };
  });
  upstream.answer(registry.tarballPath("wanted", "1.0.0"), async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return { body: tarball, headers: { "content-type": "application/octet-stream" } };
  });
  const before = upstream.asked("/wanted").length;
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: upstream.url } });
  return { registry, sluice, tarball, packuments: () => upstream.asked("/wanted").length - before };
}

Deno.test("GET /npm/{package}: a cold packument that 500 clients ask for is one request upstream", async () => {
  const world = await slowWorld();
  await using _registry = world.registry;
  await using sluice = world.sluice;
  const crowded = crowd(`${sluice.url}/npm/wanted`, (client) => client % 2 === 0);
  const slow = slowAsk(`${sluice.url}/npm/wanted`, { user: "slowest", before: crowded });
  const answers = await crowded;
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  for (const form of [0, 1]) {
    const texts = new Set(answers.filter((_, client) => client % 2 === form).map(({ text }) => text));
    assert.equal(texts.size, 1, "everybody gets the same bytes");
    assert.deepEqual(Object.keys(JSON.parse([...texts][0]!).versions), ["1.0.0"]);
  }
  assert.deepEqual(
    await slow,
    { status: 200, bytes: answers[1]!.bytes },
    "the slowest has the first one's bytes",
  );
  assert.equal(world.packuments(), 1);
});

Deno.test("GET /npm/{package}/-/{file}: a cold tarball that 500 clients ask for is one request upstream", async () => {
  const world = await slowWorld();
  await using registry = world.registry;
  await using sluice = world.sluice;
  const file = `${sluice.url}/npm/wanted/-/wanted-1.0.0.tgz`;
  const crowded = crowd(file);
  const slow = slowAsk(file, { user: "slowest", before: crowded });
  const answers = await crowded;
  for (const { status, bytes } of answers) {
    assert.equal(status, 200);
    assert.ok(Buffer.from(bytes).equals(world.tarball), "every byte is the registry's");
  }
  const slowest = await slow;
  assert.equal(slowest.status, 200);
  assert.ok(Buffer.from(slowest.bytes).equals(world.tarball), "the slowest has every byte of it, too");
  assert.equal(registry.downloads("wanted", "1.0.0"), 1);
  assert.equal(world.packuments(), 1);
  const installs = await sluice.installs();
  assert.equal(installs.length, CLIENTS + 1);
  assert.equal(new Set(installs.map(({ user }) => user)).size, CLIENTS + 1);
  assert.deepEqual(new Set(installs.map(({ outcome }) => outcome)), new Set(["served"]));
});
