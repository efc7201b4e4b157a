/** What a clock does to two Sluices on one folder: minutes in which no timer ran, and jumps forward and back. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createTarball, type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RELEASE = { publishedAt: daysAgo(50), files: { "a.txt": "x".repeat(50_000) } };
const FILE = "npm/wanted/-/wanted-1.0.0.tgz";

interface World extends AsyncDisposable {
  readonly registry: FakeNpmRegistry;
  readonly first: TestSluice;
  readonly second: TestSluice;
}

async function createWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const registry = await startNpmRegistry();
  registry.publish({ name: "wanted", releases: { "1.0.0": RELEASE } });
  const own = { SLUICE_UPSTREAM_NPM: registry.upstream.url, ...env };
  const first = await startSluice({ env: own });
  const second = await startSluice({ env: own, data: first.data });
  return {
    registry,
    first,
    second,
    async [Symbol.asyncDispose]() {
      for (const each of [second, first, registry]) await each[Symbol.asyncDispose]();
    },
  };
}

async function latestAt(sluice: TestSluice): Promise<string> {
  return (await ask(`${sluice.url}/npm/wanted`)).json()["dist-tags"].latest;
}

Deno.test("idle for minutes: the first request afterwards knows the policy, the index and the log of now", async () => {
  await using world = await createWorld({ SLUICE_STALE_WHILE_REVALIDATE: "0s" });
  const { registry, first, second } = world;
  assert.equal((await ask(`${first.url}/${FILE}`, { user: "before" })).status, 200);
  await second.setPolicy({ overrides: [{ effect: "deny", purl: "pkg:npm/wanted", reason: "no" }] });
  first.advance(10 * MINUTE_MS);
  assert.equal((await ask(`${first.url}/${FILE}`, { user: "denied" })).status, 403);

  await second.setPolicy({});
  registry.publish({ name: "wanted", releases: { "1.0.0": RELEASE, "1.0.1": RELEASE } });
  first.advance(2 * HOUR_MS);
  assert.equal(await latestAt(first), "1.0.1");
  assert.equal((await ask(`${first.url}/${FILE}`, { user: "after" })).status, 200);
  const outcomes = new Map((await first.installs()).map(({ user, outcome }) => [user, outcome]));
  assert.deepEqual(Object.fromEntries(outcomes), { before: "served", denied: "refused", after: "served" });
});

for (const [name, jumpMs] of [["forward", HOUR_MS], ["back", -HOUR_MS]] as const) {
  Deno.test(`a clock that jumps ${name} amid a fetch: every client of both has the whole file, and is in the log once`, async () => {
    await using world = await createWorld();
    const { registry, first, second } = world;
    const tarball = createTarball("wanted", "1.0.0", RELEASE);
    const begun = Promise.withResolvers<void>();
    const jumped = Promise.withResolvers<void>();
    registry.upstream.answer(registry.tarballPath("wanted", "1.0.0"), async () => {
      begun.resolve();
      await jumped.promise;
      return { body: tarball };
    });
    for (const sluice of [first, second]) assert.equal((await ask(`${sluice.url}/npm/wanted`)).status, 200);
    const early = ask(`${first.url}/${FILE}`, { user: "early" });
    await begun.promise;
    first.advance(jumpMs);
    const later = ["a", "b", "c"].map((user) => ask(`${second.url}/${FILE}`, { user }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    second.advance(jumpMs);
    jumped.resolve();
    for (const { status, bytes } of await Promise.all([early, ...later])) {
      assert.equal(status, 200);
      assert.ok(Buffer.from(bytes).equals(tarball));
    }
    assert.ok(registry.downloads("wanted", "1.0.0") <= 2, "at worst both of them have asked");
    const users = (await first.installs()).map(({ user }) => user).sort();
    assert.deepEqual(users, ["a", "b", "c", "early"]);
    // What they left behind is right: nobody asks again.
    const before = registry.downloads("wanted", "1.0.0");
    for (const sluice of [first, second]) assert.equal((await ask(`${sluice.url}/${FILE}`)).status, 200);
    assert.equal(registry.downloads("wanted", "1.0.0"), before);
  });
}

Deno.test("a clock that is set back: nothing stays fresh for longer, and nothing becomes older than it is", async () => {
  await using world = await createWorld({ SLUICE_STALE_WHILE_REVALIDATE: "0s" });
  const { registry, first } = world;
  registry.publish({
    name: "wanted",
    releases: { "1.0.0": RELEASE, "1.0.1": { publishedAt: daysAgo(9.99) } },
  });
  assert.equal(await latestAt(first), "1.0.0", "ten days old it must be");
  first.advance(-HOUR_MS);
  registry.publish({
    name: "wanted",
    releases: { "1.0.0": RELEASE, "1.0.1": { publishedAt: daysAgo(9.99) }, "1.0.2": RELEASE },
  });
  assert.equal(await latestAt(first), "1.0.2", "upstream is asked again: what is of the future is not fresh");
  first.advance(HOUR_MS);
  const { versions } = (await ask(`${first.url}/npm/wanted`)).json();
  assert.deepEqual(Object.keys(versions), ["1.0.0", "1.0.2"]);
  first.advance(0.02 * 24 * HOUR_MS);
  assert.deepEqual(Object.keys((await ask(`${first.url}/npm/wanted`)).json().versions), [
    "1.0.0",
    "1.0.1",
    "1.0.2",
  ]);
});

Deno.test("two clocks that differ by a second: what one has fetched is fresh at the other", async () => {
  await using world = await createWorld({ SLUICE_STALE_WHILE_REVALIDATE: "0s" });
  const { registry, first, second } = world;
  first.advance(1_000);
  for (const sluice of [first, second]) assert.equal(await latestAt(sluice), "1.0.0");
  assert.equal(registry.upstream.asked("/wanted").length, 1);
});

Deno.test("a clock that jumps: what was first seen keeps its time, forward and back", async () => {
  await using world = await createWorld({ SLUICE_STALE_WHILE_REVALIDATE: "0s" });
  const { registry, first } = world;
  const dated = { "1.0.0": RELEASE };
  await latestAt(first);
  // A release without a date that appears counts from its appearance: ten days.
  registry.publish({ name: "wanted", releases: { ...dated, "1.0.1": {} } });
  first.advance(2 * HOUR_MS);
  assert.equal(await latestAt(first), "1.0.0");
  first.advance(-24 * HOUR_MS);
  assert.equal(await latestAt(first), "1.0.0", "seen in the future is not seen long ago");
  first.advance(24 * HOUR_MS + 9.9 * 24 * HOUR_MS);
  assert.equal(await latestAt(first), "1.0.0");
  first.advance(0.2 * 24 * HOUR_MS);
  assert.equal(await latestAt(first), "1.0.1");
});
