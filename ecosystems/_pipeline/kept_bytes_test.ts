import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createMemoryStore } from "../../storage/artifacts/memory.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import { createByteCache } from "../../storage/memory.ts";
import { createCoalescer } from "../../storage/upstream/coalesce.ts";
import { hotBytes, type HotServices } from "./kept_bytes.ts";
import { createTally } from "./tally.ts";

const LARGE = 2 * 2 ** 20;
const MINUTE_MS = 60_000;

/** A store that counts what is read of it, and what is kept in memory before it. */
async function createWorld(sizeBytes: number, artifactBytes = 48 * 2 ** 20) {
  const store = createMemoryStore({ maxBytes: 64 * 2 ** 20 });
  const { key } = await store.put(new Uint8Array(sizeBytes).fill(7), { maxBytes: sizeBytes });
  const file = { blob: key, sizeBytes } as FileRecord;
  const world = { reads: 0, now: 0, isDamaged: false };
  const services: HotServices = {
    memory: { artifactBytes, memoBytes: 0, factsBytes: 0, workBytes: 0, documentBytes: 0 },
    artifacts: {
      ...store,
      async read(blob, maxBytes) {
        world.reads++;
        const bytes = await store.read(blob, maxBytes);
        return world.isDamaged ? new Uint8Array(sizeBytes) : bytes;
      },
    },
    hot: createByteCache<Uint8Array>({ maxBytes: artifactBytes, sizeOf: (bytes) => bytes.byteLength }),
    hotReads: createCoalescer<Uint8Array | "damaged" | null>(),
    hotAsks: createTally({
      clock: () => world.now as EpochMs,
      windowMs: 10 * MINUTE_MS,
      limit: 1,
      maxKeys: 10,
    }),
  };
  return { world, ask: (isWhole = true) => hotBytes(services, file, isWhole) };
}

function sizeOf(bytes: Uint8Array | "damaged" | null): number | string | null {
  return bytes instanceof Uint8Array ? bytes.byteLength : bytes;
}

Deno.test("hotBytes keeps a small file from the first time on, and reads it once for all who ask", async () => {
  const { world, ask } = await createWorld(3_000);
  assert.deepEqual((await Promise.all([ask(), ask(), ask(false)])).map(sizeOf), [3_000, 3_000, 3_000]);
  assert.equal(sizeOf(await ask()), 3_000);
  assert.equal(world.reads, 1);
});

Deno.test("hotBytes keeps a larger file from the second time on within ten minutes", async () => {
  const { world, ask } = await createWorld(LARGE);
  assert.equal(await ask(), null);
  world.now += 11 * MINUTE_MS;
  assert.equal(await ask(), null);
  assert.equal(world.reads, 0);
  assert.deepEqual((await Promise.all([ask(), ask()])).map(sizeOf), [LARGE, LARGE]);
  world.now += 60 * MINUTE_MS;
  assert.equal(sizeOf(await ask()), LARGE);
  assert.equal(world.reads, 1);
});

Deno.test("hotBytes: ranges of a larger file are taken from memory, and bring nothing there", async () => {
  const { world, ask } = await createWorld(LARGE);
  assert.deepEqual([await ask(false), await ask(false), await ask(false)], [null, null, null]);
  assert.equal(world.reads, 0);
  await ask();
  await ask();
  assert.equal(sizeOf(await ask(false)), LARGE);
});

Deno.test("hotBytes reads nothing that memory would not keep", async () => {
  for (const { world, ask } of [await createWorld(LARGE, LARGE), await createWorld(9 * 2 ** 20)]) {
    assert.deepEqual([await ask(), await ask(), await ask()], [null, null, null]);
    assert.equal(world.reads, 0);
  }
});

Deno.test("hotBytes: what is not what it was is damaged, and not kept", async () => {
  for (const sizeBytes of [3_000, LARGE]) {
    const { world, ask } = await createWorld(sizeBytes);
    world.isDamaged = true;
    await ask();
    assert.deepEqual([await ask(), await ask()], ["damaged", "damaged"]);
    world.isDamaged = false;
    assert.equal(sizeOf(await ask()), sizeBytes);
  }
});
