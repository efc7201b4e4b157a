import assert from "node:assert/strict";
import { countStep, lastLine, total } from "./summary.ts";

function step(text: string, exitCode = 0) {
  return { name: "x", text, exitCode };
}

Deno.test("countStep: reads deno test's summary in all its forms", () => {
  const table: [string, number, [number, number, number]][] = [
    ["ok | 15 passed | 0 failed (329ms)\n", 0, [15, 0, 0]],
    ["ok | 3 passed (7 steps) | 0 failed | 2 ignored (1s)\n", 0, [3, 0, 2]],
    ["FAILED | 4 passed | 1 failed (3 steps) | 5 ignored (1 step) (2s)\n", 1, [4, 1, 5]],
    ["\x1b[0m\x1b[32mok\x1b[0m | 9 passed | 0 failed (1ms)\n", 0, [9, 0, 0]],
    ["ok | 1 passed | 0 failed (1s)\n\nok | 2 passed | 0 failed (1s)\n", 0, [3, 0, 0]],
    ["Checked 10 files\n", 0, [1, 0, 0]],
    ["error: Type checking failed.\n", 1, [0, 1, 0]],
    ["ok | 15 passed | 0 failed (329ms)\nerror: leaked\n", 1, [15, 1, 0]],
  ];
  for (const [text, exit, [passed, failed, skipped]] of table) {
    assert.deepEqual(countStep(step(text, exit)), { passed, failed, skipped }, text);
  }
});

Deno.test("lastLine: sums up, and names skips only where there are some", () => {
  const steps = [step("ok | 2 passed | 0 failed | 1 ignored (1s)"), step("Checked 1 file")];
  assert.equal(lastLine(total(steps)), "3 passed, 0 failed, 1 skipped");
  assert.equal(lastLine(total([step("", 2)])), "0 passed, 1 failed");
});
