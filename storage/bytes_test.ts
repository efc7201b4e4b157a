import assert from "node:assert/strict";
import { joinBytes } from "./bytes.ts";

Deno.test("joinBytes: the parts in their order, in a buffer of its own; what is longer than it was said throws", () => {
  const parts = [Uint8Array.of(1, 2), new Uint8Array(), Uint8Array.of(9, 3, 9).subarray(1, 2)];
  const whole = joinBytes(parts, 3);
  assert.deepEqual(whole, Uint8Array.of(1, 2, 3));
  assert.equal(whole.buffer.byteLength, 3);
  assert.deepEqual(joinBytes([], 0), new Uint8Array());
  assert.throws(() => joinBytes(parts, 2), RangeError);
});
