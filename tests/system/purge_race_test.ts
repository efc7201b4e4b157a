/** Two Sluices and a purge on one data folder at once: nothing that is purged while it is fetched stays lost. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createFolderStore } from "../../storage/artifacts/folder.ts";
import type { ArtifactStore, BlobKey } from "../../storage/artifacts/store.ts";
import type { Reference } from "../../storage/cache/references.ts";
import { purgeCache } from "../../storage/cache/purge.ts";
import { verifyCache, type VerifyEvent } from "../../storage/cache/verify.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import type { EpochMs } from "../../policy/types.ts";
import { bytesPath, publishBytes } from "../fakes/npm_registry.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import { type FakeUpstream, startFakeUpstream } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";

const ROUNDS = 12;
const BYTES = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, at) => (at * 7919) >> 5));
/** Two packages with the same file: one blob. */
const NAMES = ["one", "other"] as const;

interface World extends AsyncDisposable {
  readonly upstream: FakeUpstream;
  readonly both: readonly [TestSluice, TestSluice];
  readonly kv: Deno.Kv;
  readonly store: ArtifactStore;
  downloads(): number;
}

async function createWorld(): Promise<World> {
  const upstream = await startFakeUpstream();
  for (const name of NAMES) publishBytes(upstream, name, BYTES);
  // What is in memory would hide what is lost.
  const env = { SLUICE_UPSTREAM_NPM: upstream.url, SLUICE_ARTIFACTS_MEMORY: "1kB" };
  const first = await startSluice({ env });
  const second = await startSluice({ env, data: first.data });
  const kv = await openStorage(`${first.data}/kv.sqlite3`);
  const store = await createFolderStore({
    path: `${first.data}/artifacts`,
    clock: () => Date.now() as EpochMs,
    instance: "purge",
  });
  return {
    upstream,
    both: [first, second],
    kv,
    store,
    downloads: () => upstream.asked(/\.tgz$/).length,
    async [Symbol.asyncDispose]() {
      kv.close();
      for (const sluice of [second, first]) await sluice[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

async function assertWhole(world: World, name: string): Promise<void> {
  for (const sluice of world.both) {
    const { status, bytes, text } = await ask(`${sluice.url}/npm${bytesPath(name)}`);
    assert.equal(status, 200, text.slice(0, 200));
    assert.ok(BYTES.equals(bytes));
  }
}

async function dangling(world: World): Promise<readonly VerifyEvent[]> {
  const events = await Array.fromAsync(verifyCache({ kv: world.kv, store: world.store, dryRun: true }));
  return events.filter(({ kind }) => kind !== "progress");
}

async function crowdOn(world: World, name: string): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => ask(`${world.both[i % 2]!.url}/npm${bytesPath(name)}`)),
  );
  for (const { status, bytes, text } of answers) {
    assert.equal(status, 200, text.slice(0, 200));
    assert.ok(BYTES.equals(bytes));
  }
}

Deno.test("purge: bytes that a fill has found there, deleted before anybody knows: fetched again at the next request, once", async () => {
  await using world = await createWorld();
  const { kv, store, both } = world;
  await crowdOn(world, "one");
  const late: ArtifactStore = {
    ...store,
    async delete(blob) {
      // It was decided that nothing points at it; now something does.
      const { status, bytes } = await ask(`${both[0].url}/npm${bytesPath("other")}`);
      assert.equal(status, 200);
      assert.ok(BYTES.equals(bytes));
      return await store.delete(blob);
    },
  };
  const matches = (reference: Reference) => reference.kind === "file" && reference.name === "one";
  await purgeCache({ kv, store: late, matches, unreferenced: false, dryRun: false });
  assert.deepEqual((await dangling(world)).map(({ kind }) => kind), ["dangling"]);
  const before = world.downloads();
  await crowdOn(world, "other");
  assert.equal(world.downloads() - before, 1);
  assert.deepEqual(await dangling(world), []);
});

Deno.test("purge beside two servers that fetch the same blob: what is lost is there again at the next request", async () => {
  await using world = await createWorld();
  const { kv, both } = world;
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const slow = {
    ...world.store,
    delete: async (blob: BlobKey) => (await pause(4), world.store.delete(blob)),
  };
  for (let round = 0; round < ROUNDS; round++) {
    const clients = both.flatMap((sluice, at) =>
      NAMES.map(async (name) => {
        await pause((round * 3 + at * 5) % 8);
        // A client whose file is purged from under it may be cut off; it is never given other bytes.
        const answer = await ask(`${sluice.url}/npm${bytesPath(name)}`).catch(() => null);
        if (answer?.status === 200) assert.ok(BYTES.equals(answer.bytes));
      })
    );
    const matches = ({ name }: Reference) => name === NAMES[round % 2];
    const purge = pause(round % 8).then(() =>
      purgeCache({ kv, store: slow, matches, unreferenced: false, dryRun: false })
    );
    await Promise.all([...clients, purge]);
    for (const name of NAMES) await assertWhole(world, name);
  }
  const before = world.downloads();
  for (const name of NAMES) await assertWhole(world, name);
  assert.equal(world.downloads(), before, "nothing is fetched any more");
  assert.deepEqual(await dangling(world), []);
});

Deno.test("a blob deleted behind its record's back, asked for at both servers at once: it is fetched again, once", async () => {
  await using world = await createWorld();
  for (const name of NAMES) await assertWhole(world, name);
  for (let round = 0; round < 5; round++) {
    const [blob] = (await Array.fromAsync(world.store.list())).filter(({ sizeBytes }) =>
      sizeBytes === BYTES.length
    );
    assert.ok(blob !== undefined && await world.store.delete(blob.key));
    for (const sluice of world.both) await sluice.restart();
    const before = world.downloads();
    await crowdOn(world, "one");
    assert.equal(world.downloads() - before, 1);
  }
});
