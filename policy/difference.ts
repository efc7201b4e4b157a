/** What tells two policies apart, before any facts are looked at: which packages a change can concern at all. */
import type { Override, PolicyDocument } from "./documents.ts";
import { compileOverrides, type PolicyEcosystem } from "./overrides.ts";
import { overridesFor, settingsFor } from "./resolve.ts";

/** For one ecosystem. */
export interface PolicyDifference {
  /** false: every release of this package is decided alike by both. */
  concerns(name: string): boolean;
}

/** Throws SyntaxError for a range that the ecosystem's versions cannot read. */
export function differenceOf(
  before: PolicyDocument,
  after: PolicyDocument,
  ecosystem: PolicyEcosystem,
): PolicyDifference {
  const settings = [before, after].map((document) => JSON.stringify(settingsFor(document, ecosystem)));
  if (settings[0] !== settings[1]) return { concerns: () => true };
  const changed = compileOverrides(
    differing(overridesFor(before, ecosystem), overridesFor(after, ecosystem)),
    ecosystem,
  );
  return { concerns: (name) => !changed.of(name).isEmpty };
}

/** Those that only one of the two has. */
function differing(before: readonly Override[], after: readonly Override[]): readonly Override[] {
  const texts = (overrides: readonly Override[]) => new Set(overrides.map((each) => JSON.stringify(each)));
  const [left, right] = [texts(before), texts(after)];
  return [
    ...before.filter((each) => !right.has(JSON.stringify(each))),
    ...after.filter((each) => !left.has(JSON.stringify(each))),
  ];
}

/**
 * One sentence for what a change of these settings does beyond the decisions on releases. `nameless`: installs of the
 * last 30 days by callers without a name.
 */
export function consequencesOf(
  before: PolicyDocument,
  after: PolicyDocument,
  nameless: number,
): readonly string[] {
  const sentences: string[] = [];
  if (after.closed && !before.closed) sentences.push("Nobody will be answered any more: closed is true.");
  if (!after.closed && before.closed) sentences.push("The organisation opens: closed is false.");
  if (after.callers !== before.callers) sentences.push(callersIn(after, nameless));
  if (after.retention < before.retention) {
    sentences.push("Records of the install log that are older than the new retention will be deleted.");
  }
  return sentences;
}

function callersIn({ callers }: PolicyDocument, nameless: number): string {
  const theirs = `${nameless} ${nameless === 1 ? "install" : "installs"} of the last 30 days`;
  switch (callers) {
    case "anyone":
      return "Everybody will be answered, without a name too.";
    case "named":
      return `Callers without a name will be told 401: ${theirs} had none.`;
    case "token":
      return `Callers without a token will be told 401: ${theirs} had not even a name, and of the others the log ` +
        "cannot tell.";
  }
}
