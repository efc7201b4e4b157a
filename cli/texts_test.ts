import assert from "node:assert/strict";
import { minuteText, minuteUpText } from "./texts.ts";

Deno.test("minuteText: cut off; minuteUpText: rounded up, as the sentence of a refusal has it", () => {
  assert.equal(minuteText("2026-11-28T18:04:37.278Z"), "2026-11-28 18:04Z");
  assert.equal(minuteUpText("2026-11-28T18:04:37.278Z"), "2026-11-28 18:05Z");
  assert.equal(minuteUpText("2026-11-28T23:59:00.001Z"), "2026-11-29 00:00Z");
  assert.equal(minuteUpText("2026-11-28T18:05:00.000Z"), "2026-11-28 18:05Z");
});
