/** What a rule is: a pure function from one file and what is known around it to a finding. */
import type { RuleId, RuleSettings } from "../documents.ts";
import type { Artifact, EpochMs, Finding, FirstSeen, Release } from "../types.ts";
import type { Predecessors } from "./predecessors.ts";

export interface Rule {
  readonly id: RuleId;
  /** null: nothing to say. Same arguments, same answer. */
  evaluate(artifact: Artifact, context: RuleContext): Finding | null;
}

export interface RuleContext {
  readonly release: Release;
  readonly settings: RuleSettings;
  readonly now: EpochMs;
  /** null: it was never seen before, so it counts as seen now. */
  firstSeen(filename: string): FirstSeen | null;
  /** Built when first asked for. */
  predecessors(): Predecessors;
}
