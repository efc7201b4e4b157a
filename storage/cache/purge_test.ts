import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createMemoryStore } from "../artifacts/memory.ts";
import type { ArtifactStore } from "../artifacts/store.ts";
import { StorageError } from "../errors.ts";
import { createFiles } from "../kv/files.ts";
import type { PackageKey } from "../kv/packages.ts";
import { PurgeBrokenError, purgeCache } from "./purge.ts";
import { listReferences } from "./references.ts";

const NAMES = ["a", "b", "c"];

function keyOf(name: string): PackageKey {
  return { ecosystem: "npm", upstreamId: "npm", scope: "public", subject: "package", name };
}

async function createWorld() {
  const kv = await Deno.openKv(":memory:");
  const store = createMemoryStore({ maxBytes: 100_000 });
  for (const name of NAMES) {
    const { key, sizeBytes } = await store.put(new TextEncoder().encode(name.repeat(100)), { maxBytes: 100 });
    await createFiles(kv).put(keyOf(name), `${name}.tgz`, {
      v: 1,
      blob: key,
      sizeBytes,
      contentType: "application/octet-stream",
      verified: [],
      filledAt: 0 as EpochMs,
    });
  }
  return { kv, store, [Symbol.dispose]: () => kv.close() };
}

const ALL = { matches: () => true, unreferenced: false, dryRun: false };

async function left({ kv, store }: { readonly kv: Deno.Kv; readonly store: ArtifactStore }) {
  return [(await Array.fromAsync(listReferences(kv))).length, (await Array.fromAsync(store.list())).length];
}

Deno.test("purgeCache: broken off, it says what is done, leaves no record without bytes, and can be repeated", async () => {
  using world = await createWorld();
  let deletions = 0;
  const store: ArtifactStore = {
    ...world.store,
    delete(key) {
      if (++deletions === 2) throw new StorageError("Cannot delete: the bucket is away");
      return world.store.delete(key);
    },
  };
  await assert.rejects(purgeCache({ kv: world.kv, store, ...ALL }), (error) => {
    assert.ok(error instanceof PurgeBrokenError);
    assert.match(error.message, /the bucket is away: the purge broke off$/);
    assert.deepEqual(error.done, { packages: 3, documents: 0, files: 3, blobs: 1, bytes: 100 });
    return true;
  });
  assert.deepEqual(await left(world), [0, 2]);
  const rest = await purgeCache({ kv: world.kv, store, ...ALL, unreferenced: true });
  assert.deepEqual(rest, { packages: 0, documents: 0, files: 0, blobs: 2, bytes: 200 });
  assert.deepEqual(await left(world), [0, 0]);
});

Deno.test("purgeCache where the database's disk is full: bytes make room, then the records go, each counted once", async () => {
  using world = await createWorld();
  const { kv, store } = world;
  /** As SQLite says it, until something is deleted. */
  const full = new Proxy(kv, {
    get(target, name) {
      if (name !== "atomic") return Reflect.get(target, name).bind(target);
      return () => {
        const atomic = target.atomic();
        const commit = atomic.commit.bind(atomic);
        atomic.commit = async () => {
          const blobs = await Array.fromAsync(store.list());
          if (blobs.length === NAMES.length) throw new TypeError("database or disk is full");
          return await commit();
        };
        return atomic;
      };
    },
  });
  assert.deepEqual(await purgeCache({ kv: full, store, ...ALL }), {
    packages: 3,
    documents: 0,
    files: 3,
    blobs: 3,
    bytes: 300,
  });
  assert.deepEqual(await left(world), [0, 0]);
});
