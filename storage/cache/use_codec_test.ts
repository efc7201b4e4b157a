import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { blobKey } from "../artifacts/key.ts";
import { decodeUses, encodeUses, MAX_SHARD_ENTRIES, shardOf, useId } from "./use_codec.ts";

const KEYS = Array.from(
  { length: 500 },
  (_, i) => blobKey(createHash("sha256").update(`${i}`).digest("hex")),
);

Deno.test("encodeUses: every blob's minute comes back, and no two blobs are mistaken for each other", () => {
  const uses = new Map(KEYS.map((key, index) => [useId(key), 29_000_000 + index]));
  assert.equal(uses.size, KEYS.length);
  const bytes = encodeUses(uses);
  assert.equal(bytes.byteLength, KEYS.length * 10);
  assert.deepEqual(
    [...decodeUses(bytes)].sort(([a], [b]) => a - b),
    [...uses].sort(([a], [b]) => a - b),
  );
  assert.equal(shardOf(KEYS[0]!), KEYS[0]!.slice(7, 9));
});

Deno.test("encodeUses: what is too much for one value of KV leaves out those unused for longest", () => {
  const uses = new Map(Array.from({ length: MAX_SHARD_ENTRIES + 2 }, (_, i) => [2 ** 47 + i, 1_000 + i]));
  const bytes = encodeUses(uses);
  assert.ok(bytes.byteLength <= 65_536);
  const back = decodeUses(bytes);
  assert.equal(back.size, MAX_SHARD_ENTRIES);
  assert.deepEqual([back.has(2 ** 47), back.has(2 ** 47 + 1), back.has(2 ** 47 + 2)], [false, false, true]);
  // Somebody else's value, cut off amid an entry.
  assert.equal(decodeUses(bytes.subarray(0, 25)).size, 2);
});
