/** Lengths of time as people write them: a number and a unit. */
import type { DurationMs } from "./types.ts";

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** A hundred years: beyond it a duration is a mistake, and sums with it would leave the calendar. */
const LONGEST = 36_525 * 86_400_000;

/** What a duration must look like, for messages. */
export const DURATION_FORM = 'a duration with its unit, such as "10d", "36h", "90m" or "2w", or "0"';

/** The regular expression behind parseDuration, for JSON Schema. */
export const DURATION_PATTERN = "^(0|[0-9]{1,9}(s|m|h|d|w))$";

/** Brands a number of milliseconds; throws RangeError unless it is a whole number of at least zero. */
export function durationMs(milliseconds: number): DurationMs {
  if (!Number.isSafeInteger(milliseconds) || milliseconds < 0) {
    throw new RangeError(`Cannot use ${milliseconds} as a duration: expected whole milliseconds, 0 or more`);
  }
  return milliseconds as DurationMs;
}

/**
 * Reads `90s`, `90m`, `36h`, `10d`, `2w` or `0`; null for all else, a bare number above all: `"2"` was once
 * taken for minutes where days were meant.
 */
export function parseDuration(text: string): DurationMs | null {
  if (text === "0") return durationMs(0);
  const match = /^([0-9]{1,9})([smhdw])$/.exec(text);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * (UNITS[match[2] ?? ""] ?? Number.NaN);
  return milliseconds <= LONGEST ? durationMs(milliseconds) : null;
}

/** A duration in the largest unit that divides it, as parseDuration reads it (below a second: rounded up). */
export function formatDuration(duration: DurationMs): string {
  if (duration === 0) return "0";
  const fits = (["w", "d", "h", "m", "s"] as const).find((unit) => duration % (UNITS[unit] ?? 1) === 0);
  // 7d reads better than 1w, and 14d than 2w: only what was written in weeks of four and more is.
  const unit = fits === "w" && duration < 4 * (UNITS.w ?? 1) ? "d" : fits ?? "s";
  return `${Math.ceil(duration / (UNITS[unit] ?? 1))}${unit}`;
}

/** A duration in words for a sentence: `10 days`, `1 hour`. */
export function durationInWords(duration: DurationMs): string {
  const text = formatDuration(duration);
  if (text === "0") return "0 seconds";
  const words: Readonly<Record<string, string>> = {
    w: "week",
    d: "day",
    h: "hour",
    m: "minute",
    s: "second",
  };
  const count = Number(text.slice(0, -1));
  return `${count} ${words[text.slice(-1)]}${count === 1 ? "" : "s"}`;
}
