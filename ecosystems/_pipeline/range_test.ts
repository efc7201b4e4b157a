import assert from "node:assert/strict";
import type { RangeSpec } from "../outcome.ts";
import { rangeWithin } from "./range.ts";

const inside: readonly (readonly [RangeSpec, number, number])[] = [
  [{ first: 0, last: 0 }, 0, 0],
  [{ first: 0, last: null }, 0, 9],
  [{ first: 9, last: 9 }, 9, 9],
  [{ first: 3, last: 99 }, 3, 9],
  [{ suffix: 1 }, 9, 9],
  [{ suffix: 99 }, 0, 9],
];

for (const [range, first, last] of inside) {
  Deno.test(`rangeWithin: ${JSON.stringify(range)} of ten bytes`, () => {
    assert.deepEqual(rangeWithin(range, 10), { first, last });
  });
}

for (
  const [range, size] of [[{ first: 10, last: null }, 10], [{ suffix: 0 }, 10], [{ suffix: 1 }, 0], [{
    first: 5,
    last: 4,
  }, 10]] as const
) {
  Deno.test(`rangeWithin: ${JSON.stringify(range)} of ${size} bytes throws`, () => {
    assert.throws(() => rangeWithin(range, size), RangeError);
  });
}
