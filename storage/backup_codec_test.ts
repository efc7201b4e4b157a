import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeKey, decodeValue, encodeKey, encodeValue } from "./backup_codec.ts";

function throughJson(value: unknown): unknown {
  return decodeValue(JSON.parse(JSON.stringify(encodeValue(value))));
}

Deno.test("decodeValue after encodeValue is the identity for whatever KV may hold", () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: false,
    key: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("$", "__proto__", "v")),
    values: [
      fc.string({ unit: "binary" }),
      fc.double(),
      fc.constantFrom(undefined, null, -0, NaN, Infinity, "\ud800", true),
      fc.uint8Array(),
      fc.bigInt(),
    ],
  });
  fc.assert(fc.property(value, (given) => assert.deepEqual(throughJson(given), given)), { numRuns: 300 });
});

Deno.test("encodeValue keeps Deno.KvU64, and a view's own bytes alone", () => {
  const u64 = throughJson(new Deno.KvU64(2n ** 64n - 1n));
  assert.ok(u64 instanceof Deno.KvU64);
  assert.equal(u64.value, 2n ** 64n - 1n);
  assert.deepEqual(throughJson(new Uint8Array([1, 2, 3, 4]).subarray(1, 3)), new Uint8Array([2, 3]));
});

Deno.test("encodeValue refuses what it has no form for, and a cycle", () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  for (
    const value of [
      cycle,
      /x/,
      new Error("x"),
      new Uint16Array(2),
      () => 1,
      Symbol("x"),
      new URL("x:y"),
    ]
  ) {
    assert.throws(() => encodeValue(value), TypeError);
  }
});

Deno.test("decodeValue refuses kinds that it never wrote", () => {
  for (
    const json of [{ $: "new" }, { $: 1 }, { $: "bytes", v: 1 }, { $: "map", v: 1 }, {
      $: "object",
      v: [[1, 2]],
    }]
  ) {
    assert.throws(() => decodeValue(json), SyntaxError, JSON.stringify(json));
  }
});

Deno.test("decodeKey after encodeKey is the identity, and refuses what is no key", () => {
  const key = ["a", "", 1, -0.5, 7n, true, new Uint8Array([0, 255])];
  assert.deepEqual(decodeKey(JSON.parse(JSON.stringify(encodeKey(key)))), key);
  for (const json of [[], {}, "a", [null], [["a"]], [{ $: "undefined", v: null }]]) {
    assert.throws(() => decodeKey(json), SyntaxError);
  }
});
