/** How the `org` commands tell things. */
import { formatPolicyError, type PolicyError } from "../policy/config.ts";
import type { EpochMs } from "../policy/types.ts";

/** Every mistake on a line of its own. */
export function mistakeList(mistakes: readonly PolicyError[]): string {
  return mistakes.map((mistake) => `  ${clean(formatPolicyError(mistake))}\n`).join("");
}

/** Rows under a heading, in aligned columns. */
export function columns(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows.map((row) => row.map(clean))];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd() + "\n")
    .join("");
}

/** `2026-12-01 09:00:00Z` */
export function instant(at: EpochMs): string {
  return at === 0 ? "" : new Date(at).toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}

/** What somebody else wrote, without what would steer a terminal. */
export function clean(text: string): string {
  return text.toWellFormed().replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
}
