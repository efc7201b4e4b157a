/** One file against one policy: the floor, the overrides, the freezes, the rules, and who lifts what. */
import { type Draft, lastEnd, type Lifter } from "./decision.ts";
import type { Override, RuleSettings } from "./documents.ts";
import { formatInstant } from "./instant.ts";
import { findLifter, type Lifters, mostSpecific, standing } from "./lift.ts";
import type { Match, PackageOverrides } from "./overrides.ts";
import { appearedAt } from "./rules/age.ts";
import type { Rule, RuleContext, RuleFinding } from "./rules/rule.ts";
import { asOfDraft, notYetThere } from "./as_of.ts";
import type { Artifact, EpochMs, Finding, Freeze, Reason } from "./types.ts";
import { type CompiledWaiver, standingWaivers } from "./waivers.ts";

/** What of a policy concerns one package. */
export interface PackageCase {
  readonly settings: RuleSettings;
  readonly floor: PackageOverrides;
  readonly overrides: PackageOverrides;
  readonly waivers: readonly CompiledWaiver[];
  readonly freezes: readonly Freeze[];
  readonly rules: readonly Rule[];
  /** Versions that this caller may have although younger than the minimum age. */
  readonly grants: ReadonlySet<string>;
  /** The past instant at which files must have been there, and old enough; null: now. */
  readonly asOf: EpochMs | null;
}

/** Names an audit fix in `liftedBy`. */
export const AUDIT_FIX = "auditFixes";

/** Everything that speaks for or against a file. */
export function judge(artifact: Artifact, context: RuleContext, about: PackageCase): readonly Draft[] {
  const { now, release } = context;
  if (hasNoExceptions(about)) return ruled(artifact, context, { about, ...NO_LIFTERS });
  const matches = about.overrides.matching(release.version);
  const allows = standing(matches, "allow", now);
  const waivers = standingWaivers(about.waivers, release.version, now);
  return [
    ...standing(about.floor.matching(release.version), "deny", now).map(floorDraft),
    ...standing(matches, "deny", now).map((match) => denialDraft(match, { allows, waivers })),
    ...about.freezes.flatMap((freeze) => freezeDraft({ freeze, artifact, context, allows, waivers })),
    ...ruled(artifact, context, { about, allows, waivers }),
    ...allowDrafts(allows),
  ];
}

const NO_LIFTERS: Lifters = Object.freeze({ allows: [], waivers: [] });

/** As for nearly every package: the rules alone speak, and nobody lifts what they say. */
function hasNoExceptions({ floor, overrides, waivers, freezes }: PackageCase): boolean {
  return floor.isEmpty && overrides.isEmpty && waivers.length === 0 && freezes.length === 0;
}

/** What the rules say, and that it was not there yet. */
function ruled(
  artifact: Artifact,
  context: RuleContext,
  by: { readonly about: PackageCase } & Lifters,
): readonly Draft[] {
  const drafts: Draft[] = [];
  const { about, allows, waivers } = by;
  for (const rule of about.rules) {
    // Nearly always it has nothing to say: then nothing is made for it.
    if (about.asOf === null && evaluate(rule, artifact, context) === SILENT) continue;
    const found = ruleDrafts({ rule, artifact, context, about, allows, waivers });
    if (found.length > 0) drafts.push(...found);
  }
  const early = notYetThere(artifact, context, about.asOf);
  return early.length > 0 ? [...drafts, ...early] : drafts;
}

function floorDraft({ override }: Match): Draft {
  return {
    reason: toReason("floor", denial(override, "on this instance"), override.owner),
    source: "floor",
    lifter: null,
    turnsAt: null,
  };
}

function denialDraft({ override, specificity }: Match, by: Lifters): Draft {
  const reason = toReason("override", denial(override, "by the organisation"), override.owner);
  return {
    reason,
    source: "override",
    lifter: findLifter({ kind: "override", specificity }, by),
    turnsAt: null,
  };
}

function denial(override: Override, where: string): Finding {
  const why = override.reason === null ? "" : `: ${override.reason}`;
  return { verdict: "deny", message: `blocked ${where} (${override.id})${why}`, horizon: override.until };
}

/** The allows that speak. Once the last of them ends a broader one may speak, which may say something else. */
function allowDrafts(allows: readonly Match[]): readonly Draft[] {
  const speaking = mostSpecific(allows);
  const hidesOthers = speaking.length < allows.length;
  const turnsAt = hidesOthers ? lastEnd(speaking.map(({ override }) => override.until)) : null;
  return speaking.map(({ override }) => {
    const why = override.reason === null ? "" : `: ${override.reason}`;
    const message = `allowed by the organisation (${override.id})${why}`;
    const reason = toReason("override", { verdict: "allow", message, horizon: null }, override.owner);
    return { reason, source: "override", lifter: null, turnsAt };
  });
}

function freezeDraft(
  options: {
    readonly freeze: Freeze;
    readonly artifact: Artifact;
    readonly context: RuleContext;
  } & Lifters,
): readonly Draft[] {
  const { freeze, artifact, context } = options;
  if (freeze.until !== null && context.now >= freeze.until) return [];
  if (appearedAt(artifact, context) <= freeze.at) return [];
  const why = freeze.reason === null ? "" : `: ${freeze.reason}`;
  const message = `newer than the freeze at ${formatInstant(freeze.at)}${why}`;
  const reason = toReason("freeze", { verdict: "deny", message, horizon: freeze.until }, freeze.owner);
  return [{
    reason,
    source: "freeze",
    lifter: findLifter({ kind: "freeze" }, options),
    turnsAt: null,
  }];
}

interface Ruling extends Lifters {
  readonly rule: Rule;
  readonly artifact: Artifact;
  readonly context: RuleContext;
  readonly about: PackageCase;
}

/** As of an instant what a rule finds now counts, and what it finds with the clock there: the stricter of both. */
function ruleDrafts(ruling: Ruling): readonly Draft[] {
  const { about: { asOf }, artifact, context } = ruling;
  const now = ruleDraft(ruling);
  if (asOf === null || appearedAt(artifact, context) > asOf) return now;
  const then = ruleDraft({ ...ruling, context: { ...context, now: asOf } });
  const isCovered = ({ reason, lifter }: Draft) =>
    then.some((draft) =>
      draft.reason.verdict === reason.verdict && (draft.lifter === null) === (lifter === null)
    );
  return [...now.filter((draft) => !isCovered(draft)), ...then.map(asOfDraft)];
}

const NOTHING: readonly Draft[] = Object.freeze([]);

function ruleDraft(ruling: Ruling): readonly Draft[] {
  const { rule, artifact, context, about, allows, waivers } = ruling;
  const { finding, failed } = evaluate(rule, artifact, context);
  if (finding === null) return NOTHING;
  const observed = about.settings.observe.includes(rule.id);
  const drafted = ({ turnsAt = null, ...found }: RuleFinding, lifter: Lifter | null): readonly Draft[] => {
    const reason = { ...toReason(rule.id, found), ...(observed ? { observed } : {}) };
    return [{ reason, source: "rule", lifter, turnsAt }];
  };
  const lifter = findLifter({ kind: "rule", reason: toReason(rule.id, finding), failed }, {
    allows,
    waivers,
  });
  if (lifter !== null || finding.verdict !== "hold" || !isGranted(context, about)) {
    return drafted(finding, lifter);
  }
  // An audit fix is a shorter minimum age for this caller: it still has to be reached.
  const sooner = evaluate(rule, artifact, { ...context, settings: withFixAge(about.settings) }).finding;
  return sooner?.verdict === "hold"
    ? drafted(sooner, null)
    : drafted(finding, { id: AUDIT_FIX, until: null });
}

/** Every hold is one of age: minimumAge's, or unknownAge's that is reckoned from first sight. */
function isGranted(context: RuleContext, about: PackageCase): boolean {
  return about.settings.auditFixes.enabled && about.grants.has(context.release.version);
}

function withFixAge(settings: RuleSettings): RuleSettings {
  const shorter = settings.auditFixes.minimumAge < settings.minimumAge;
  return shorter ? { ...settings, minimumAge: settings.auditFixes.minimumAge } : settings;
}

const SILENT = Object.freeze({ finding: null, failed: false });

/** WARNING: a rule that throws denies; it is never skipped. */
export function evaluate(
  rule: Rule,
  artifact: Artifact,
  context: RuleContext,
): { readonly finding: RuleFinding | null; readonly failed: boolean } {
  try {
    const finding = rule.evaluate(artifact, context);
    return finding === null ? SILENT : { finding, failed: false };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the rule ${rule.id} failed, and what cannot be judged is denied: ${why}`;
    return { finding: { verdict: "deny", message, horizon: null }, failed: true };
  }
}

function toReason(rule: string, finding: Finding, owner: string | null = null): Reason {
  return { ...finding, rule, ...(owner === null ? {} : { owner }) };
}
