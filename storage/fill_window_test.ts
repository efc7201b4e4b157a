import assert from "node:assert/strict";
import fc from "fast-check";
import type { EpochMs } from "../policy/types.ts";
import type { BlobStat } from "./artifacts/store.ts";
import { createLinger } from "./fill_linger.ts";
import type { Fill } from "./fill_run.ts";
import { createFillWindow, piecesOf } from "./fill_window.ts";

Deno.test("createFillWindow: what may be read is what came, in its place; memory stays within the bound", () => {
  const chunkSizes = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 300_000 })),
    {
      maxLength: 40,
    },
  );
  fc.assert(
    fc.property(chunkSizes, fc.integer({ min: 1, max: 400_000 }), (sizes, maxBytes) => {
      const window = createFillWindow(maxBytes);
      const all: number[] = [];
      const valueAt = (offset: number) => (offset * 31 + (offset >> 8)) & 0xff;
      let lastPiece = 0;
      for (const size of sizes) {
        const chunk = Uint8Array.from({ length: size }, (_, index) => valueAt(all.length + index));
        for (const piece of piecesOf(chunk)) {
          const expectedStart = window.startAfter(piece.length);
          lastPiece = window.end;
          window.push(piece);
          assert.equal(window.start, expectedStart, "startAfter foretells start");
          assert.ok(window.heldBytes <= Math.max(maxBytes, 2 * (65_536 + 128)));
          assert.equal(window.limit, lastPiece, "the last piece is held back");
        }
        for (let index = 0; index < size; index++) all.push(chunk[index]!);
      }
      assert.equal(window.end, all.length);
      for (let offset = window.start; offset < window.limit;) {
        const bytes = window.at(offset)!;
        assert.equal(bytes[0], valueAt(offset));
        assert.equal(bytes.at(-1), valueAt(offset + bytes.length - 1));
        offset += bytes.length;
        assert.ok(offset <= window.limit);
      }
      assert.equal(window.at(window.limit), null);
      if (window.start > 0) assert.equal(window.at(window.start - 1), null);
      window.release();
      assert.equal(window.limit, all.length);
      window.clear();
      assert.equal(window.at(0), null);
      assert.equal(window.heldBytes, 0);
      assert.equal(window.end, all.length);
    }),
    { numRuns: 30 },
  );
});

Deno.test("createFillWindow: an upstream that sends single bytes stays within the bound as well", () => {
  const window = createFillWindow(10_000);
  for (let count = 0; count < 50_000; count++) window.push(new Uint8Array(1));
  assert.ok(window.heldBytes <= 10_000);
  assert.ok(window.end - window.start < 100);
});

Deno.test("createLinger: the memory of fills that have ended is bounded together, and given back when they are left", () => {
  let now = 0;
  const expired: string[] = [];
  const linger = createLinger({
    clock: () => now as EpochMs,
    maxBytes: 1000,
    onExpired: (identity) => expired.push(identity),
  });
  const released: string[] = [];
  function fill(name: string, heldBytes: number, followers: number): Fill & { followers: number } {
    return { heldBytes, followers, joinable: true, release: () => released.push(name) } as unknown as
      & Fill
      & { followers: number };
  }
  const stat = {} as BlobStat;
  const [first, second, third] = [fill("first", 400, 1), fill("second", 400, 1), fill("third", 400, 1)];
  linger.add(first, "first", stat);
  linger.add(second, "second", stat);
  assert.deepEqual(released, []);
  linger.add(third, "third", stat);
  assert.deepEqual(released, ["first"], "the oldest gives way");
  third.followers = 0;
  linger.left(third);
  linger.left(third);
  assert.deepEqual(released, ["first", "third"]);
  linger.add(fill("alone", 400, 0), "alone", stat);
  assert.deepEqual(released, ["first", "third", "alone"], "nobody reads it any more");
  linger.add(fill("fifth", 600, 1), "fifth", stat);
  assert.equal(released.length, 3, "second and fifth fit");
  assert.equal(linger.keptBy(second), stat);
  now = 2001;
  linger.expire();
  assert.deepEqual(expired, ["first", "second", "third", "alone", "fifth"]);
  assert.equal(linger.keptBy(second), null);
});
