import assert from "node:assert/strict";
import { gunzipSync, gzipSync } from "node:zlib";
import { gunzipInSlices, gzipInSlices } from "./gzip.ts";
import { realTimers } from "./timers.ts";

const timers = realTimers;
const LARGE = new TextEncoder().encode(
  JSON.stringify(Array.from({ length: 300_000 }, (_, i) => i * 7919 % 977)),
);

function gunzip(packed: Uint8Array, maxBytes = 2 ** 26): Promise<Uint8Array> {
  return gunzipInSlices(packed, { timers, maxBytes, admit: () => {} });
}

Deno.test("gzipInSlices: one member that others read, whatever the pieces, and none at all", async () => {
  for (const pieces of [[], [new Uint8Array()], [LARGE], [LARGE.subarray(0, 10), LARGE.subarray(10)]]) {
    const packed = await gzipInSlices(pieces, { level: 4, timers });
    const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    assert.deepEqual(new Uint8Array(gunzipSync(packed)), LARGE.slice(0, length));
    assert.deepEqual(await gunzip(packed), LARGE.slice(0, length));
  }
});

Deno.test("gunzipInSlices: the length that gzip states is a hint only", async () => {
  const packed = new Uint8Array(gzipSync(LARGE));
  const both = new Uint8Array([...packed, ...gzipSync(LARGE)]);
  assert.equal((await gunzip(both)).byteLength, 2 * LARGE.byteLength, "two members: the hint is of the last");
  assert.equal((await gunzip(packed, 10)).byteLength, LARGE.byteLength, "bounded by the caller's own bound");
});

Deno.test("gunzipInSlices: admit is told before more is kept, and what it throws ends it", async () => {
  const sizes: number[] = [];
  const reading = gunzipInSlices(new Uint8Array(gzipSync(LARGE)), {
    timers,
    maxBytes: LARGE.byteLength,
    admit: (size) => {
      sizes.push(size);
      if (size > 500_000) throw new RangeError("enough");
    },
  });
  await assert.rejects(reading, RangeError);
  assert.ok(sizes.length > 5 && sizes.at(-1)! < 600_000, String(sizes));
});

Deno.test("gunzipInSlices: what is cut, damaged or no gzip throws", async () => {
  const packed = new Uint8Array(gzipSync(LARGE));
  const damaged = packed.slice();
  damaged[1_000]! ^= 1;
  for (const bytes of [new Uint8Array(), packed.subarray(0, -9), damaged, LARGE]) {
    await assert.rejects(gunzip(bytes), { code: /^Z_/ });
  }
});
