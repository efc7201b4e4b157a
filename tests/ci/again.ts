/**
 * Which files of a step run a second time, alone: those of one or two tests that failed beside others, which tells
 * a test that lost a race on a busy machine from one that fails. `again.ts LOG` prints them, a line each.
 */
import { countStep, withoutColours } from "./summary.ts";

/** More than so many are no accident. */
const MOST = 2;

// `restore, two servers => ./tests/e2e/restore_test.ts:146:6`
const FAILURE = /^(?!\s).+ => \.\/(\S+?_test\.tsx?):\d+:\d+$/gm;

/** Paths from the repository's root; none where too many failed, or none can be told. */
export function filesToRunAgain(log: string): readonly string[] {
  const text = withoutColours(log);
  if (countStep({ name: "", text, exitCode: 0 }).failed > MOST) return [];
  const told = text.slice(Math.max(0, text.lastIndexOf("\n FAILURES ")));
  return [...new Set([...told.matchAll(FAILURE)].map(([, file]) => file!))];
}

if (import.meta.main) {
  for (const file of filesToRunAgain(Deno.readTextFileSync(Deno.args[0]!))) console.log(file);
}
