/** An organisation's policy compiled once for one ecosystem; deciding with it is pure. */
import { decide, examineIn } from "./decide.ts";
import type {
  EcosystemSettings,
  FloorDocument,
  Override,
  PolicyDocument,
  RuleSettings,
} from "./documents.ts";
import { compileOverrides, type OverrideIndex, type PolicyEcosystem } from "./overrides.ts";
import { RULES } from "./rules/mod.ts";
import type { Rule } from "./rules/rule.ts";
import { changesOf, frozenAt } from "./timeline.ts";
import type { Freeze, ResolvedPolicy, VersionScheme, Waiver } from "./types.ts";
import { type CompiledWaiver, compileWaivers } from "./waivers.ts";

export interface ResolveOptions {
  readonly document: PolicyDocument;
  readonly floor: FloorDocument;
  readonly waivers: readonly Waiver[];
  readonly freezes?: readonly Freeze[];
  readonly ecosystem: PolicyEcosystem;
  /** Default: all of ours, in the order in which equally severe reasons are shown. */
  readonly rules?: readonly Rule[];
}

/** What decide() works with. */
export interface CompiledPolicy {
  readonly settings: RuleSettings;
  readonly floor: OverrideIndex;
  readonly overrides: OverrideIndex;
  /** By registry-exact name. */
  readonly waivers: ReadonlyMap<string, readonly CompiledWaiver[]>;
  readonly freezes: ReadonlyMap<string, readonly Freeze[]>;
  readonly versions: VersionScheme;
  readonly rules: readonly Rule[];
}

/**
 * Compiles a policy. Throws SyntaxError where a range of the organisation or the floor cannot be read in this
 * ecosystem's versions: the caller must deny everything then.
 */
export function resolvePolicy(options: ResolveOptions): ResolvedPolicy {
  const { document, floor, waivers, freezes = [], ecosystem } = options;
  const settings = settingsFor(document, ecosystem);
  const compiled: CompiledPolicy = {
    settings,
    floor: compileOverrides(floor.deny, ecosystem),
    overrides: compileOverrides(overridesFor(document, ecosystem), ecosystem),
    waivers: compileWaivers(waivers, ecosystem),
    freezes: byName(freezes, ecosystem.id),
    versions: ecosystem.versions,
    rules: options.rules ?? RULES,
  };
  return Object.freeze(
    {
      enforcement: settings.enforcement,
      artifacts: settings.artifacts,
      auditFixes: settings.auditFixes.enabled ? { minimumAge: settings.auditFixes.minimumAge } : null,
      decide: (facts, joined, now, asOf) =>
        decide({ policy: compiled, facts, joined, now, ...(asOf === undefined ? {} : { asOf }) }),
      changes: (facts, joined, now) => changesOf({ policy: compiled, facts, joined, now }),
      examine: (facts, joined, now, filename) =>
        examineIn({ policy: compiled, facts, joined, now, filename }),
      frozenAt: (name, now) => frozenAt(compiled.freezes.get(name) ?? [], now),
    } satisfies ResolvedPolicy,
  );
}

/** What holds for one ecosystem: the organisation's settings, and in their place those of its own. */
export function settingsFor(document: PolicyDocument, ecosystem: PolicyEcosystem): RuleSettings {
  return mergeSettings(document, ownSettings(document, ecosystem));
}

/** The organisation's, and those among the ecosystem's own settings; some may be of other ecosystems. */
export function overridesFor(document: PolicyDocument, ecosystem: PolicyEcosystem): readonly Override[] {
  return [
    ...document.overrides,
    ...ownSettings(document, ecosystem).flatMap(({ overrides }) => overrides),
  ];
}

/** What is set under the purl type, and then, which wins, under the ecosystem's own name. */
function ownSettings(document: PolicyDocument, ecosystem: PolicyEcosystem): readonly EcosystemSettings[] {
  return [...new Set([ecosystem.purlType, ecosystem.id])].flatMap((name) => {
    const own = Object.hasOwn(document.ecosystems, name) ? document.ecosystems[name] : undefined;
    return own === undefined ? [] : [own];
  });
}

function mergeSettings(document: PolicyDocument, own: readonly EcosystemSettings[]): RuleSettings {
  const { overrides: _, ecosystems: _e, callers: _c, closed: _d, webhooks: _w, retention: _r, ...base } =
    document;
  return own.reduce<RuleSettings>((settings, { publisherDowngrade, auditFixes, overrides: _, ...rest }) => ({
    ...settings,
    ...rest,
    publisherDowngrade: { ...settings.publisherDowngrade, ...publisherDowngrade },
    auditFixes: { ...settings.auditFixes, ...auditFixes },
  }), base);
}

function byName<T extends { readonly ecosystem: string; readonly name: string }>(
  entries: readonly T[],
  ecosystem: string,
): ReadonlyMap<string, readonly T[]> {
  return Map.groupBy(entries.filter((entry) => entry.ecosystem === ecosystem), (entry) => entry.name);
}
