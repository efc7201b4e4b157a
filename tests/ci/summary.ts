/**
 * Adds up what `.ci/run`'s steps said: reads their logs, ends with `N passed, N failed, N skipped`. The tests that
 * failed in `60-e2e` and passed in `60-e2e-again` have passed, and are named as flaky.
 */

/** One step of a run; `text` is what it printed. */
export interface Step {
  readonly name: string;
  readonly text: string;
  readonly exitCode: number;
}

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

// `ok | 15 passed (3 steps) | 0 failed | 2 ignored (1s)`, `FAILED | …`
const SUMMARY =
  /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(?: \([^)]*\))?(?: \| (\d+) ignored)?/gm;

export function withoutColours(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

/** A step without `deno test`'s own summary counts as one; one that failed in silence has failed once. */
export function countStep(step: Step): Counts {
  const plain = withoutColours(step.text);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const summaries = [...plain.matchAll(SUMMARY)];
  for (const [, passed, failed, skipped] of summaries) {
    counts.passed += Number(passed);
    counts.failed += Number(failed);
    counts.skipped += Number(skipped ?? 0);
  }
  if (step.exitCode !== 0) counts.failed = Math.max(counts.failed, 1);
  else if (summaries.length === 0) counts.passed = 1;
  return counts;
}

const AGAIN = "-again";

/** Every step once: one that was run again counts as it went then. `flaky`: what failed at first and passed then. */
export function settle(steps: readonly Step[]): readonly { name: string; counts: Counts; flaky: number }[] {
  return steps.filter(({ name }) => !name.endsWith(AGAIN)).map((step) => {
    const counts = countStep(step);
    const again = steps.find(({ name }) => name === `${step.name}${AGAIN}`);
    if (again === undefined || countStep(again).failed > 0) return { name: step.name, counts, flaky: 0 };
    const { passed, failed, skipped } = counts;
    return { name: step.name, counts: { passed: passed + failed, failed: 0, skipped }, flaky: failed };
  });
}

/** The sum over all steps, which is what the last line says. */
export function total(steps: readonly Step[]): Counts {
  return settle(steps).map(({ counts }) => counts).reduce((sum, counts) => ({
    passed: sum.passed + counts.passed,
    failed: sum.failed + counts.failed,
    skipped: sum.skipped + counts.skipped,
  }), { passed: 0, failed: 0, skipped: 0 });
}

/** `12 passed, 0 failed`, and how many were skipped if any were. */
export function lastLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Reads `{step}.log` and `{step}.exit` from a folder, in the order of their names. */
function readSteps(folder: string): readonly Step[] {
  const logs = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.endsWith(".log"));
  return logs.toSorted().map((log) => {
    const name = log.slice(0, -".log".length);
    const exit = Deno.readTextFileSync(`${folder}/${name}.exit`).trim();
    return {
      name,
      text: Deno.readTextFileSync(`${folder}/${log}`),
      exitCode: /^\d+$/.test(exit) ? Number(exit) : 1,
    };
  });
}

if (import.meta.main) {
  const steps = readSteps(Deno.args[0] ?? ".cache/ci");
  console.log("");
  for (const { name, counts, flaky } of settle(steps)) {
    const told = flaky > 0 ? `   FLAKY: ${flaky} failed at first, and passed when run again alone` : "";
    console.log(`${name.replace(/^\d+-/, "").padEnd(12)} ${lastLine(counts)}${told}`);
  }
  const counts = total(steps);
  console.log(lastLine(counts));
  Deno.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}
