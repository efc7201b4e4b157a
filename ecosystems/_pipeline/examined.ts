/** The facts behind a decision, in words: for the page that explains it and for its record. */
import type { EpochMs, Examined } from "../../policy/types.ts";
import { joinedTo, NO_GRANTS, type Verdicts } from "./verdicts.ts";

/** The file by which a release is decided: the one that is let through first; null: it has none. */
export function speakingFile({ known, decisions }: Verdicts, version: string): string | null {
  const release = known.facts.releases.find((each) => each.version === version);
  const decision = decisions.release(version);
  const file = release?.artifacts.find(({ filename }) => decisions.artifact(filename) === decision);
  return (file ?? release?.artifacts[0])?.filename ?? null;
}

/** Empty where there is no such file. */
export function examinedOf(
  verdicts: Verdicts,
  now: EpochMs,
  { version, filename }: { readonly version: string; readonly filename: string | null },
): readonly Examined[] {
  const { known, policy } = verdicts;
  const file = filename ?? speakingFile(verdicts, version);
  return file === null ? [] : policy.examine(known.facts, joinedTo(known, NO_GRANTS), now, file) ?? [];
}
