import assert from "node:assert/strict";
import { relative } from "./relative.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

Deno.test("relative: a length of time with its number, in the unit that tells it from its neighbours", () => {
  const said: readonly (readonly [number, string])[] = [
    [0, "just now"],
    [-59_999, "just now"],
    // Made while the page was.
    [5, "just now"],
    [59_999, "in less than a minute"],
    [-MINUTE, "1 minute ago"],
    [59.6 * MINUTE, "in 1 hour"],
    [-35 * HOUR, "35 hours ago"],
    [47.4 * HOUR, "in 47 hours"],
    [47.6 * HOUR, "in 2 days"],
    [9 * DAY, "in 9 days"],
    [11 * DAY, "in 11 days"],
    [-60 * DAY, "60 days ago"],
    [-61 * DAY, "2 months ago"],
    [-300 * DAY, "10 months ago"],
    [-400 * DAY, "13 months ago"],
    [730 * DAY, "in 2 years"],
    [-9 * 365.25 * DAY, "9 years ago"],
  ];
  assert.deepEqual(said.map(([ms]) => [ms, relative(ms)]), said);
});
