/** What a measurement that is no race found, beside the goal's bound. */

export interface Finding {
  readonly what: string;
  readonly found: number;
  /** The goal: at most. null: none, told for what it is. */
  readonly bound: number | null;
  /** What was attained, where that is more: README.md says why. A short run fails above twice of it. */
  readonly attained?: number;
  readonly unit: "ms" | "MB" | "×";
}

/**
 * Whether a short run fails on it: noise does not double a ratio or a size, a real loss does. Times are told and never
 * failed on: they are the machine's as much as ours.
 */
export function isFar({ found, bound, unit, attained = 0 }: Finding): boolean {
  return unit !== "ms" && bound !== null && found > 2 * Math.max(bound, attained);
}

/** A line each: what was found, the bound, and whether it holds. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings.map(({ what, found, bound, unit }) => {
    const figure = `${found.toFixed(digitsOf(found, unit))} ${unit}`.padStart(10);
    const goal = bound === null ? "" : `  goal ≤ ${bound} ${unit}  ${found <= bound ? "met" : "MISSED"}`;
    return `${what.padEnd(width)}  ${figure}${goal}`;
  }).join("\n");
}

function digitsOf(found: number, unit: Finding["unit"]): number {
  if (unit === "×") return 2;
  if (Math.abs(found) < 1) return 3;
  return found < 100 ? 1 : 0;
}
