/** What `/-/why/…` answers: types only, between the pipeline's `explain` and routes/why.ts. */
import type { EpochMs, Reason, Verdict } from "../policy/types.ts";
import type { DecisionRecord } from "../storage/kv/decisions.ts";
import type { OrganisationView } from "../storage/organisations.ts";
import type { Ecosystem } from "./ecosystem.ts";
import type { AsOf } from "./outcome.ts";

/** What is asked about: one version, a whole package (`version` null), or the record of one decision. */
export interface WhyQuery {
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  /** As the purl in the address had it: decoded once, namespace and name joined by `/`; at most 512 characters. */
  readonly name: string;
  readonly version: string | null;
  readonly decisionId: string | null;
  /** Absent: as of now. */
  readonly at?: AsOf;
  /** What precedes `/-/why/…`, no trailing slash. */
  readonly site: string;
}

/** A release that the policy does not let through now. */
export interface WhyWithheld {
  readonly version: string;
  readonly verdict: Verdict;
  /** The reason that counts most. */
  readonly reason: Reason;
  /** When time alone may lift it; null: never. */
  readonly until: EpochMs | null;
}

/** From cached facts only: asking never touches upstream. */
export interface WhyAnswer {
  readonly purl: string;
  readonly name: string;
  readonly version: string | null;
  /** Of the version asked for, as of now; null for a whole package. */
  readonly verdict: Verdict | null;
  /** One sentence that can be read alone. ASCII. */
  readonly sentence: string;
  /** Each rule's finding on the version asked for, most severe first. */
  readonly reasons: readonly Reason[];
  readonly publishedAt: EpochMs | null;
  readonly firstSeenAt: EpochMs | null;
  /** When time alone may change the verdict; null: never. */
  readonly until: EpochMs | null;
  readonly newestAllowed: string | null;
  /** For a whole package: what is withheld now, newest first, at most 200. */
  readonly withheld: readonly WhyWithheld[];
  readonly policyRevision: number;
  /** The past instant that was asked about; null: now. */
  readonly asOf: EpochMs | null;
  readonly decidedAt: EpochMs;
  /** The record that the decision id leads to, if it is this organisation's and is about this package. */
  readonly record: DecisionRecord | null;
}
