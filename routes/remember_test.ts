import assert from "node:assert/strict";
import { remember } from "./remember.ts";

Deno.test("remember: asks once for each text, again for long ones and once a thousand others have come", () => {
  const asked: string[] = [];
  const upper = remember((text) => {
    asked.push(text);
    return text === "none" ? null : text.toUpperCase();
  });
  for (let i = 0; i < 3; i++) {
    assert.equal(upper("a"), "A");
    assert.equal(upper("none"), null);
  }
  assert.deepEqual(asked, ["a", "none"]);
  const long = "x".repeat(513);
  assert.equal(upper(long), upper(long));
  assert.equal(asked.length, 4);
  for (let i = 0; i < 1_000; i++) upper(`other ${i}`);
  upper("a");
  assert.equal(asked.filter((text) => text === "a").length, 2);
});
