/** What a rule is: a pure function from one file and what is known around it to a finding. */
import type { RuleId, RuleSettings } from "../documents.ts";
import type { Artifact, EpochMs, Finding, FirstSeen, Release } from "../types.ts";
import type { Predecessors } from "./predecessors.ts";

export interface Rule {
  readonly id: RuleId;
  /** null: nothing to say. Same arguments, same answer. */
  evaluate(artifact: Artifact, context: RuleContext): RuleFinding | null;
}

export interface RuleFinding extends Finding {
  /** From then on the facts read differently, and this or another rule may find something else, milder or worse. */
  readonly turnsAt?: EpochMs | null;
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
