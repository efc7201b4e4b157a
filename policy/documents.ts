/** What a policy is once read: every setting there, every duration in milliseconds, every short form unfolded. */
import type { DurationMs, EpochMs } from "./types.ts";

/** A rule's name, as `observe` and `lifts` write it. */
export type RuleId = (typeof RULE_IDS)[number];
export const RULE_IDS = ["minimumAge", "unknownAge", "yanked", "deprecated", "publisherDowngrade"] as const;

/** What `lifts` may name: a rule, a broader denial among the overrides, a freeze, an advisory of kind malware. */
export type Liftable = (typeof LIFTABLE)[number];
export const LIFTABLE = [...RULE_IDS, "override", "freeze", "malware"] as const;

/** Strictest last: `allow`, `first-seen`, `strict`, `deny`. */
export type UnknownAge = "allow" | "first-seen" | "strict" | "deny";
/** What a rule makes of a release that it finds. */
export type Severity = "allow" | "warn" | "deny";

export interface PublisherDowngrade {
  readonly verdict: Severity;
  /** How long before a release others count as its predecessors. */
  readonly window: DurationMs;
}

export interface AuditFixes {
  readonly enabled: boolean;
  readonly minimumAge: DurationMs;
}

/** What can be set for the organisation and again for one ecosystem. */
export interface RuleSettings {
  readonly enforcement: "enforce" | "observe";
  /** Rules that only observe. */
  readonly observe: readonly RuleId[];
  readonly minimumAge: DurationMs;
  readonly unknownAge: UnknownAge;
  readonly yanked: Severity;
  readonly deprecated: Severity;
  readonly publisherDowngrade: PublisherDowngrade;
  readonly auditFixes: AuditFixes;
  readonly artifacts: "proxy" | "upstream";
}

/** An allow or a denial that somebody wrote down. */
export interface Override {
  /** As given, else what it says in short (`deny npm/axios==0.30.4`); `liftedBy` names it. */
  readonly id: string;
  readonly effect: "allow" | "deny";
  /** The purl type; overrides of another ecosystem's do not count. */
  readonly type: string;
  /** Namespace and name joined by `/`, as written; may be a glob. */
  readonly name: string;
  /** Exact or a glob; null: every version, or those in `range`. */
  readonly version: string | null;
  /** A VERS range. */
  readonly range: string | null;
  /** null: what an allow lifts by itself. A denial lifts nothing. */
  readonly lifts: readonly Liftable[] | null;
  readonly reason: string | null;
  readonly owner: string | null;
  /** From then on it does not count. */
  readonly until: EpochMs | null;
}

export interface Webhook {
  /** As given, else `webhook-1` and so on by its place. */
  readonly id: string;
  /** WARNING: a secret; only redactPolicy's result may be shown. */
  readonly url: string;
  readonly format: "json" | "slack";
  readonly events: readonly WebhookEvent[];
}
/**
 * `refused`: a file was refused; `observed`: it would have been; `alert`: something is wrong, or no longer is; `waiver`:
 * an exception was asked for, granted or declined.
 */
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];
export const WEBHOOK_EVENTS = ["refused", "observed", "alert", "waiver"] as const;

/** What one ecosystem sets otherwise; its overrides are added to the organisation's. */
export interface EcosystemSettings extends Partial<Omit<RuleSettings, "publisherDowngrade" | "auditFixes">> {
  readonly publisherDowngrade?: Partial<PublisherDowngrade>;
  readonly auditFixes?: Partial<AuditFixes>;
  readonly overrides: readonly Override[];
}

/** An organisation's policy. Plain JSON, but not what was written: keep `source` and parse it again. */
export interface PolicyDocument extends RuleSettings {
  /** `overrides`, `block` and `allow`, in this order. */
  readonly overrides: readonly Override[];
  /** By ecosystem (or purl type), as written. */
  readonly ecosystems: Readonly<Record<string, EcosystemSettings>>;
  readonly callers: "anyone" | "named" | "token";
  /** Nobody gets in: for a default organisation that no caller shall fall back on. */
  readonly closed: boolean;
  readonly webhooks: readonly Webhook[];
  /** How long the install log is kept. */
  readonly retention: DurationMs;
}

/** The instance's floor: denials that hold for every organisation. */
export interface FloorDocument {
  readonly deny: readonly Override[];
}
