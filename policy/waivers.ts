/** Waivers compiled for one ecosystem: which versions each covers. */
import type { PolicyEcosystem } from "./overrides.ts";
import { compileRange } from "./range.ts";
import { LIFTABLE, type Liftable } from "./documents.ts";
import { compareVerdicts } from "./decision.ts";
import type { EpochMs, Reason, Waiver } from "./types.ts";

/** A waiver that can be asked which versions it covers. */
export interface CompiledWaiver {
  readonly waiver: Waiver;
  covers(version: string): boolean;
}

/** By registry-exact name; those of other ecosystems are left out. */
export function compileWaivers(
  waivers: readonly Waiver[],
  ecosystem: PolicyEcosystem,
): ReadonlyMap<string, readonly CompiledWaiver[]> {
  const ours = waivers.filter((waiver) => waiver.ecosystem === ecosystem.id);
  const compiled = ours.map((waiver): CompiledWaiver => ({ waiver, covers: coverage(waiver, ecosystem) }));
  return Map.groupBy(compiled, ({ waiver }) => waiver.name);
}

/** Those that cover a version and have not ended. */
export function standingWaivers(
  waivers: readonly CompiledWaiver[],
  version: string,
  now: EpochMs,
): readonly Waiver[] {
  if (waivers.length === 0) return waivers as readonly never[];
  return waivers.filter(({ waiver, covers }) => now < waiver.until && covers(version)).map(({ waiver }) =>
    waiver
  );
}

/** Which versions a waiver covers; a range that cannot be read here covers none, and holds up nothing else. */
export function coverage(
  { version, range = null }: Pick<Waiver, "version" | "range">,
  ecosystem: PolicyEcosystem,
): (version: string) => boolean {
  if (version !== null) return (candidate) => candidate === version;
  const { versions } = ecosystem;
  const compiled = range === null || waiverRangeProblem(range, ecosystem) !== null
    ? null
    : compileRange(range, versions);
  return (candidate) => compiled !== null && versions.isValid(candidate) && compiled.contains(candidate);
}

/** What is wrong with a range for a waiver, as a sentence; null: nothing. */
export function waiverRangeProblem(range: string, { purlType, versions }: PolicyEcosystem): string | null {
  if (!range.startsWith(`vers:${purlType}/`)) {
    return `Cannot read range "${range}": expected one of this package's ecosystem, "vers:${purlType}/…"`;
  }
  try {
    compileRange(range, versions);
    return null;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** What a waiver must name so that nothing of this stands any more; null: it need not name anything. */
export function liftsFor(reasons: readonly Reason[]): readonly Liftable[] | null {
  const blocking = reasons.filter(isBlocking);
  if (blocking.every(({ verdict }) => verdict === "hold")) return null;
  return LIFTABLE.filter((name) => blocking.some(({ rule }) => rule === name));
}

/** False where something stands that no waiver lifts. */
export function isLiftable(reasons: readonly Reason[]): boolean {
  return reasons.filter(isBlocking).every(({ rule }) => LIFTABLE.some((name) => name === rule));
}

function isBlocking({ verdict, liftedBy, observed }: Reason): boolean {
  return compareVerdicts(verdict, "warn") > 0 && liftedBy === undefined && observed !== true;
}
