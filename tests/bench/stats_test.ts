import assert from "node:assert/strict";
import { createFile, createPackument } from "./fixtures.ts";
import { median, percentile, spread } from "./stats.ts";

Deno.test("median, spread, percentile: of odd and even counts, in any order", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(spread([90, 100, 120]), 0.15);
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(percentile(hundred, 0.5), 50);
  assert.equal(percentile(hundred, 0.99), 99);
  assert.equal(percentile(hundred, 1), 100);
});

Deno.test("createPackument, createFile: of the size asked for, and the same bytes for the same seed", () => {
  const packument = createPackument("large", 125_000, 1);
  assert.ok(Math.abs(packument.packument.length - 125_000) < 5_000, String(packument.packument.length));
  assert.deepEqual(createPackument("large", 125_000, 1), packument);
  assert.notDeepEqual(createPackument("large", 125_000, 2).packument, packument.packument);
  assert.equal(createFile("file", 3_000, 1).tarballs.get("file-1.0.0.tgz")!.length, 3_000);
});
