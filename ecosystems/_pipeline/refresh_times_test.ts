import assert from "node:assert/strict";
import fc from "fast-check";
import type { DurationMs, EpochMs } from "../../policy/types.ts";
import type { Lifetimes } from "../../storage/lifetimes.ts";
import { nextRefresh, refreshBackOffMs, useCountsFor, writtenOnceIn } from "./refresh_times.ts";

const MINUTE = 60_000;

function lifetimes(metadataTtl: number, refreshUsedWithin = 7 * 24 * 60 * MINUTE): Lifetimes {
  return { metadataTtl, refreshUsedWithin } as unknown as Lifetimes & { readonly metadataTtl: DurationMs };
}

Deno.test("nextRefresh: before the end by two minutes at least, where there is so much time, and never before half of it", () => {
  fc.assert(fc.property(
    fc.integer({ min: MINUTE, max: 1e10 }),
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    (ttl, spread) => {
      const due = nextRefresh(lifetimes(ttl), 0 as EpochMs, spread);
      assert.ok(due >= Math.floor(ttl / 2) && due < ttl, `${due} of ${ttl}`);
      if (ttl >= 4 * MINUTE) assert.ok(ttl - due >= 2 * MINUTE - 1, `${due} of ${ttl}`);
    },
  ));
  const hour = [0, 0.5, 0.99].map((spread) =>
    nextRefresh(lifetimes(60 * MINUTE), 0 as EpochMs, spread) / MINUTE
  );
  assert.deepEqual(hour.map(Math.round), [45, 50, 54]);
});

Deno.test("refreshBackOffMs: twice as long each time, and never above six hours or a lifetime", () => {
  const of = (failures: number) => refreshBackOffMs(lifetimes(60 * MINUTE), failures, 0.5) / MINUTE;
  assert.deepEqual([0, 1, 2, 3].map(of), [2, 4, 8, 16]);
  assert.equal(of(40), 360);
});

Deno.test("useCountsFor: nothing of what is fresh for less than a minute is refreshed by schedule", () => {
  assert.equal(useCountsFor(lifetimes(MINUTE - 1)), 0);
  assert.equal(useCountsFor(lifetimes(MINUTE, 0)), 0);
  assert.equal(useCountsFor(lifetimes(MINUTE)), 7 * 24 * 60 * MINUTE);
  assert.equal(writtenOnceIn(lifetimes(MINUTE)), 12 * 60 * MINUTE);
  assert.equal(writtenOnceIn(lifetimes(MINUTE, 8 * MINUTE)), MINUTE);
});
