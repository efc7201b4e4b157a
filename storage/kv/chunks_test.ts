import assert from "node:assert/strict";
import { StorageError } from "../errors.ts";
import { CHUNK_BYTES, decodeChunks, deleteParts, encodeChunks, readParts, writeParts } from "./chunks.ts";
import { getAll } from "./call.ts";
import { noise, withMemoryKv } from "./test_support.ts";

const owner = ["owner", "a"];

async function count(kv: Deno.Kv): Promise<number> {
  return (await Array.fromAsync(kv.list({ prefix: ["parts"] }))).length;
}

for (const size of [0, 1, 65_535, 65_536, 65_537, CHUNK_BYTES - 18, 10 * CHUNK_BYTES, 25 * CHUNK_BYTES + 1]) {
  Deno.test(`writeParts and readParts keep ${size} bytes that do not compress`, () =>
    withMemoryKv(async (kv) => {
      const value = noise(size);
      const encoded = await encodeChunks([value]);
      const atomic = kv.atomic();
      await writeParts(kv, atomic, [{ owner, value: encoded }]);
      assert.ok((await atomic.set(owner, { parts: { it: encoded.parts } }).commit()).ok);
      assert.deepEqual(await readParts(kv, owner, encoded.parts), value);
      assert.equal(await count(kv), encoded.parts.chunks);
      await deleteParts(kv, owner, encoded.parts);
      assert.equal(await count(kv), 0);
    }));
}

Deno.test("encodeChunks cuts at the bound exactly", async () => {
  for (const chunk of (await encodeChunks([noise(200_000)])).chunks.slice(0, -1)) {
    assert.equal(chunk.byteLength, CHUNK_BYTES);
    assert.equal(chunk.buffer.byteLength, CHUNK_BYTES);
  }
});

Deno.test("writeParts adds what fits to the commit, and writes what does not ahead of it", () =>
  withMemoryKv(async (kv) => {
    const small = await encodeChunks([noise(9 * CHUNK_BYTES)]);
    await writeParts(kv, kv.atomic(), [{ owner, value: small }]);
    assert.equal(await count(kv), 0);
    const large = await encodeChunks([noise(12 * CHUNK_BYTES)]);
    await writeParts(kv, kv.atomic(), [{ owner, value: large }]);
    assert.equal(await count(kv), large.parts.chunks);
  }));

Deno.test("readParts answers null where a chunk is missing", () =>
  withMemoryKv(async (kv) => {
    const encoded = await encodeChunks([noise(3 * CHUNK_BYTES)]);
    const atomic = kv.atomic();
    await writeParts(kv, atomic, [{ owner, value: encoded }]);
    await atomic.commit();
    await kv.delete(["parts", ...owner, encoded.parts.id, 1]);
    assert.equal(await readParts(kv, owner, encoded.parts), null);
  }));

Deno.test("equal values of two writers have different names", async () => {
  const [a, b] = [await encodeChunks([noise(10)]), await encodeChunks([noise(10)])];
  assert.notEqual(a.parts.id, b.parts.id);
  assert.equal(a.parts.digest, b.parts.digest);
});

Deno.test("decodeChunks refuses what was changed, cut or swapped", async () => {
  const { parts, chunks } = await encodeChunks([noise(2 * CHUNK_BYTES)]);
  const changed = chunks.map((chunk) => chunk.slice());
  changed[1]![100]! ^= 1;
  await assert.rejects(decodeChunks(parts, changed), StorageError);
  await assert.rejects(decodeChunks(parts, chunks.slice(0, -1)), StorageError);
  await assert.rejects(decodeChunks(parts, chunks.toReversed()), StorageError);
  const other = await encodeChunks([noise(2 * CHUNK_BYTES, 2)]);
  await assert.rejects(decodeChunks(parts, other.chunks), /digest/);
});

Deno.test("getAll asks for more than ten keys in order", () =>
  withMemoryKv(async (kv) => {
    for (let i = 0; i < 23; i++) await kv.set(["n", i], i);
    const found = await getAll<number>(kv, Array.from({ length: 23 }, (_, i) => ["n", i]));
    assert.deepEqual(found.map(({ value }) => value), Array.from({ length: 23 }, (_, i) => i));
  }));
