import assert from "node:assert/strict";
import { filesToRunAgain } from "./again.ts";
import { countStep, lastLine, settle, total } from "./summary.ts";

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

const FAILED = `
 ERRORS

restore, two servers => ./tests/e2e/restore_test.ts:146:6
error: AssertionError

\x1b[0m FAILURES

restore, two servers => ./tests/e2e/restore_test.ts:146:6
npm: a row ... of many => ./tests/e2e/npm_install_test.ts:20:3

FAILED | 202 passed (221 steps) | 2 failed (6m49s)
`;

Deno.test("filesToRunAgain: the files of one or two tests that failed, none of more", () => {
  assert.deepEqual(filesToRunAgain(FAILED), ["tests/e2e/restore_test.ts", "tests/e2e/npm_install_test.ts"]);
  assert.deepEqual(filesToRunAgain(FAILED.replace("2 failed", "3 failed")), []);
  assert.deepEqual(filesToRunAgain("ok | 3 passed | 0 failed (1s)"), []);
  assert.deepEqual(filesToRunAgain("error: Module not found"), []);
});

Deno.test("settle: what passed when it was run again has passed, and is called flaky", () => {
  const first = { name: "60-e2e", text: FAILED, exitCode: 1 };
  const again = (text: string, exitCode: number) => ({ name: "60-e2e-again", text, exitCode });
  const passed = [first, again("ok | 9 passed | 0 failed (1s)", 0)];
  assert.deepEqual(settle(passed), [
    { name: "60-e2e", counts: { passed: 204, failed: 0, skipped: 0 }, flaky: 2 },
  ]);
  assert.equal(lastLine(total(passed)), "204 passed, 0 failed");
  for (const text of ["FAILED | 8 passed | 1 failed (1s)", "error: killed"]) {
    assert.equal(lastLine(total([first, again(text, 1)])), "202 passed, 2 failed");
  }
});
