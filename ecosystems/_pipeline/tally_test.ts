import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createTally } from "./tally.ts";

Deno.test("createTally: counts to its limit within a window, and starts anew after it", () => {
  let now = 1_000;
  const tally = createTally({ clock: () => now as EpochMs, windowMs: 100, limit: 2, maxKeys: 10 });
  assert.deepEqual([tally.count("a"), tally.count("a"), tally.count("a")], [true, true, false]);
  assert.equal(tally.allows("a"), false);
  assert.equal(tally.allows("b"), true);
  now += 100;
  assert.equal(tally.allows("a"), true);
  assert.equal(tally.count("a"), true);
});

Deno.test("createTally: keys are bounded, so that strangers cannot make it grow", () => {
  const tally = createTally({ clock: () => 0 as EpochMs, windowMs: 100, limit: 1, maxKeys: 2 });
  for (const key of ["a", "b", "c"]) tally.count(key);
  assert.equal(tally.allows("a"), true, "the least used was forgotten");
  assert.equal(tally.allows("c"), false);
});
