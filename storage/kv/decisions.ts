/** The record of a decision, by its id, readable by its organisation only; kept for a time (30 days). */
import type { Decision, EpochMs, Examined } from "../../policy/types.ts";

export { createDecisionRecords, DECISIONS_KEPT_DAYS } from "./decision_store.ts";

export interface DecisionRecord {
  readonly v: 1;
  readonly id: string;
  readonly organisation: string;
  readonly ecosystem: string;
  readonly name: string;
  /** What the decision was on: one version's (or file's), or an index with what it withheld (at most 50 named). */
  readonly version: string | null;
  readonly filename: string | null;
  readonly decision: Decision | null;
  readonly withheld: readonly { readonly version: string; readonly decision: Decision }[];
  readonly withheldCount: number;
  readonly policyRevision: number;
  /** Changes with policy, floor, waivers and freezes; absent from older records. */
  readonly stamp?: string;
  readonly factsDigest: string;
  /** What the rules looked at, of one version or file; absent from older records. */
  readonly examined?: readonly Examined[];
  /** The first time: whatever is decided alike has the same id, and is not written again. */
  readonly decidedAt: EpochMs;
}

export interface DecisionRecords {
  /** Written once: a record that is there stays as it is. Bounded per organisation and hour. */
  put(record: DecisionRecord): Promise<void>;
  get(organisation: string, id: string): Promise<DecisionRecord | null>;
}
