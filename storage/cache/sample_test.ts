import assert from "node:assert/strict";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { createMemoryStore } from "../artifacts/memory.ts";
import type { ArtifactStore, BlobKey } from "../artifacts/store.ts";
import { createFiles, type FileRecord, type PackageKey } from "../kv/packages.ts";
import { sampleDigests } from "./sample.ts";

const KEY: PackageKey = {
  ecosystem: "npm",
  upstreamId: "u",
  scope: "public",
  subject: "package",
  name: "left-pad",
};
const MINUTE_MS = 60_000;

/** A store of which some blobs answer with other bytes than they were put with. */
function damagable() {
  const store = createMemoryStore({ maxBytes: 100_000_000 });
  const damaged = new Set<BlobKey>();
  const read: BlobKey[] = [];
  const altered: ArtifactStore = {
    ...store,
    async get(key) {
      const blob = await store.get(key);
      if (blob === null) return null;
      read.push(key);
      if (!damaged.has(key)) return blob;
      const bytes = new Uint8Array(await new Response(blob.body).arrayBuffer());
      return { ...blob, body: ReadableStream.from([bytes.with(0, bytes[0]! ^ 1)]) };
    },
    async delete(key) {
      damaged.delete(key);
      return await store.delete(key);
    },
  };
  return { store: altered, damage: (key: BlobKey) => void damaged.add(key), read };
}

async function rig(blobs: number, bytesEach: number) {
  const kv = await Deno.openKv(":memory:");
  const time = createTestClock();
  const { store, damage, read } = damagable();
  const keys: BlobKey[] = [];
  for (let i = 0; i < blobs; i++) {
    const bytes = new Uint8Array(bytesEach).fill(i);
    keys.push((await store.put(bytes, { maxBytes: bytesEach })).key);
  }
  const logged: string[] = [];
  const options = {
    kv,
    store,
    clock: time.clock,
    timers: time.timers,
    log: (level: string, message: string) => void logged.push(`${level} ${message}`),
    everyMs: MINUTE_MS,
  };
  return { kv, time, store, damage, read, keys: keys.toSorted(), logged, options, files: createFiles(kv) };
}

const never = new AbortController().signal;

Deno.test("sampleDigests: each round goes on where the last one ended, all blobs are looked at, and then again", async () => {
  const { kv, time, options, read, keys } = await rig(10, 30);
  for (let round = 0; round < 10; round++) {
    await sampleDigests({ ...options, roundBytes: 60 }, never);
    assert.equal(read.length, 2 * (round + 1));
    await time.advance(MINUTE_MS);
  }
  assert.deepEqual(read, [...keys, ...keys]);
  await sampleDigests({ ...options, roundBytes: 1_000_000 }, never);
  assert.equal(read.length, 30, "never more than once around");
  kv.close();
});

Deno.test("sampleDigests: of two processes one does the round; the next is due after its time, or when the clock was set back", async () => {
  const { kv, time, options, read } = await rig(4, 30);
  await Promise.all([sampleDigests(options, never), sampleDigests(options, never)]);
  assert.equal(read.length, 4);
  await time.advance(MINUTE_MS - 1);
  await sampleDigests(options, never);
  assert.equal(read.length, 4);
  await time.advance(1);
  await sampleDigests(options, never);
  assert.equal(read.length, 8);
  time.jump(-24 * 60 * MINUTE_MS);
  await sampleDigests(options, never);
  assert.equal(read.length, 12);
  kv.close();
});

Deno.test("sampleDigests: wrong bytes are evicted with all that points at them, and told once by the files' names", async () => {
  const { kv, time, options, damage, store, keys, files, logged } = await rig(5, 30);
  const record: FileRecord = {
    v: 1,
    blob: keys[2]!,
    sizeBytes: 30,
    contentType: "application/octet-stream",
    verified: [],
    filledAt: time.clock(),
  };
  await files.put(KEY, "left-pad-1.0.0.tgz", record);
  await files.put(KEY, "left-pad-1.1.0.tgz", { ...record, blob: keys[3]! });
  damage(keys[2]!);
  damage(keys[4]!);
  await sampleDigests(options, never);
  assert.equal(await store.stat(keys[2]!), null);
  assert.equal(await files.get(KEY, "left-pad-1.0.0.tgz"), null);
  assert.equal((await files.get(KEY, "left-pad-1.1.0.tgz"))?.blob, keys[3]);
  assert.deepEqual(logged, [
    "error Evicted npm left-pad-1.0.0.tgz: its bytes were not those of its digest",
    "error Evicted a blob that nothing points at: its bytes were not those of its digest",
  ]);
  await time.advance(MINUTE_MS);
  await sampleDigests(options, never);
  assert.equal(logged.length, 2);
  kv.close();
});

Deno.test("sampleDigests: reads no faster than it may, and stops when it is told to, keeping its place", async () => {
  const { kv, time, options, read } = await rig(3, 2_000_000);
  let ended = false;
  const stop = new AbortController();
  const round = sampleDigests({ ...options, bytesPerSecond: 1_000_000 }, stop.signal).finally(() =>
    ended = true
  );
  round.catch(() => {});
  for (let i = 0; i < 20 && time.sleeping === 0; i++) await time.advance(0);
  await time.advance(1_000);
  assert.equal(
    read.length,
    1,
    "a megabyte takes a second, and the rest of this one is paid for with the next",
  );
  await time.advance(100);
  assert.equal(read.length, 2);
  assert.equal(ended, false);
  stop.abort(new Error("the end"));
  await assert.rejects(round, /the end/);
  await time.advance(MINUTE_MS);
  const again = sampleDigests({ ...options, roundBytes: 1 }, never);
  for (let i = 0; i < 20; i++) await time.advance(500);
  await again;
  assert.equal(read[2], read[1], "the one it was stopped in is looked at again");
  kv.close();
});
