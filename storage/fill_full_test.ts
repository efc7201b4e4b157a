/** What becomes of a fill where the store cannot keep it: a full disk, above all. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytesOf, createFillRig, KB, wholeOf } from "../tests/fakes/fill_rig.ts";
import { createTestSource } from "../tests/fakes/source.ts";
import { createMemoryStore } from "./artifacts/memory.ts";
import type { ArtifactStore } from "./artifacts/store.ts";
import { IntegrityError, StorageError } from "./errors.ts";

const BYTES = bytesOf(2000 * KB);

/** A store that is full after so many bytes, or (null) refuses before it has taken one. */
function fullAfter(bytes: number | null): ArtifactStore {
  const store = createMemoryStore({ maxBytes: bytes ?? 1 });
  if (bytes !== null) return store;
  return { ...store, put: () => Promise.reject(new StorageError("Cannot keep it: the disk is full")) };
}

/** All bytes are taken, and then it turns out that they cannot be kept. */
function fullAtTheEnd(): ArtifactStore {
  const store = createMemoryStore({ maxBytes: 100_000_000 });
  return {
    ...store,
    async put(body, options) {
      await store.delete((await store.put(body, options)).key);
      throw new StorageError("Cannot keep it: the disk is full");
    },
  };
}

for (
  const [title, store] of [
    ["before the first byte", () => fullAfter(null)],
    ["within the window", () => fullAfter(100 * KB)],
    ["beyond the window", () => fullAfter(900 * KB)],
    ["at the end", fullAtTheEnd],
  ] as const
) {
  Deno.test(`follow: a store that is full ${title}: who keeps up gets all of it, verified, and it is told once`, async () => {
    const rig = createFillRig({ store: store() });
    const source = createTestSource(BYTES);
    source.allowAll();
    const request = rig.request(source, BYTES);
    const both = await Promise.all([rig.fills.follow(request), rig.fills.follow(request)]);
    const [one, other] = await Promise.all(both.map(wholeOf));
    for (const bytes of [one!, other!]) assert.ok(Buffer.from(bytes.buffer).equals(BYTES));
    assert.equal(source.opened, 1);
    assert.equal((await both[0]!.done)?.sizeBytes, BYTES.length, "its digest is known");
    await rig.time.advance(0);
    assert.equal(rig.kept.length, 0);
    assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
    assert.deepEqual(rig.logged.map(([level]) => level), ["warn"]);
    assert.match(rig.logged[0]![1], /full.*: passed on without keeping it$/);
    assert.equal(rig.fills.running, 0);
    assert.equal(rig.time.sleeping, 0);
  });

  Deno.test(`follow: a store that is full ${title}: wrong bytes fail the download all the same`, async () => {
    const rig = createFillRig({ store: store() });
    const source = createTestSource(BYTES.with(-1, BYTES.at(-1)! ^ 1));
    source.allowAll();
    const reading = (async () => await wholeOf(await rig.fills.follow(rig.request(source, BYTES))))();
    await assert.rejects(reading, IntegrityError);
    assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
  });
}

Deno.test("follow: a store that is full in the middle: who fell behind the window is cut off, who keeps up is not, the next has it", async () => {
  const rig = createFillRig({ store: fullAfter(1200 * KB) });
  const source = createTestSource(BYTES);
  source.allow(1000 * KB);
  const request = rig.request(source, BYTES);
  const [stalled, healthy] = await Promise.all([rig.fills.follow(request), rig.fills.follow(request)]);
  const reading = wholeOf(healthy);
  while (source.pulledBytes < 1000 * KB) await new Promise((resolve) => setTimeout(resolve, 1));
  await rig.time.advance(0);
  source.allowAll();
  assert.ok(Buffer.from(await reading).equals(BYTES));
  await assert.rejects(wholeOf(stalled), StorageError);
  const next = createTestSource(BYTES);
  next.allowAll();
  assert.ok(Buffer.from(await wholeOf(await rig.fills.follow(rig.request(next, BYTES)))).equals(BYTES));
});

Deno.test("follow: a store that is full and nobody there any more: nothing more is fetched", async () => {
  const rig = createFillRig({ store: fullAfter(100 * KB) });
  const source = createTestSource(BYTES);
  source.allow(90 * KB);
  const following = await rig.fills.follow(rig.request(source, BYTES));
  await following!.body.cancel();
  source.allow(100 * KB);
  await assert.rejects(following!.done, StorageError);
  assert.ok(source.cancelled);
  assert.ok(source.pulledBytes < 300 * KB);
});
