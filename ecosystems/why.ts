/** What `/-/why/…` answers: types only, between the pipeline's `explain` and routes/why.ts. */
import type { Liftable } from "../policy/documents.ts";
import type { EpochMs, Examined, Reason, Verdict, Waiver } from "../policy/types.ts";
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

/** What one rule looked at, and what it found: nothing, or what is said. */
export interface WhyRule extends Examined {
  readonly found: readonly Reason[];
}

/** What one rule said at a decision, and what it says now; null: it was not asked then, or is not now. */
export interface RuleChange {
  readonly rule: string;
  readonly before: Omit<WhyRule, "rule"> | null;
  readonly now: Omit<WhyRule, "rule"> | null;
}

/** A decision held against what would be decided now, on the same file, version or index. */
export interface WhyChanges {
  /** null: it is not listed any more. Of an index: as bad as the worst that it withholds. */
  readonly verdict: Verdict | null;
  readonly policyRevision: number;
  /** Policy, floor, waivers or freezes are others than then. */
  readonly isPolicyChanged: boolean;
  readonly isFactsChanged: boolean;
  /** Those that say something else than then. */
  readonly rules: readonly RuleChange[];
  /** Of an index: what it withheld of which there is something else to say now. */
  readonly versions: readonly {
    readonly version: string;
    readonly before: Verdict;
    readonly now: Verdict | null;
  }[];
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
  /** What became of that decision; null: there is no record. */
  readonly changes: WhyChanges | null;
  /** Of the version asked for: every rule, in the order in which they are shown. */
  readonly rules: readonly WhyRule[];
  /** The file that speaks for the release, and how many it has. */
  readonly file: { readonly filename: string; readonly of: number } | null;
  /** Waivers in force that are about this package, at most 50. */
  readonly waivers: readonly Waiver[];
}

/** Which releases an exception is about: exactly one of `version` and `range` is there. */
export interface OutlookQuery {
  readonly organisation: OrganisationView;
  readonly ecosystem: Ecosystem;
  /** Registry-exact. */
  readonly name: string;
  readonly version: string | null;
  readonly range: string | null;
}

/** What an approver needs to know of the releases that an exception is about. */
export interface WaiverOutlook {
  /** Releases that there are of it now. */
  readonly covered: number;
  /** Of these, those of which something is refused. */
  readonly refused: number;
  /** The newest of these, at most 20. */
  readonly named: readonly {
    readonly version: string;
    readonly verdict: Verdict;
    readonly sentence: string;
    readonly until: EpochMs | null;
  }[];
  /** When the last of what is held matures by itself; null: nothing of it does. */
  readonly maturesAt: EpochMs | null;
  /** What a waiver must name to lift all of it; null: it need not. */
  readonly lifts: readonly Liftable[] | null;
  /** False: against each of them stands something that no waiver lifts. */
  readonly isLiftable: boolean;
}
