/** Lengths of time in words, always with their number: "next week" may be nine days or three. */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Each up to (not including) so many of its own; the last holds for all that is longer. */
const UNITS = [
  { unit: "minute", ms: MINUTE_MS, below: 60 },
  { unit: "hour", ms: HOUR_MS, below: 48 },
  { unit: "day", ms: DAY_MS, below: 61 },
  { unit: "month", ms: 30.4375 * DAY_MS, below: 24 },
  { unit: "year", ms: 365.25 * DAY_MS, below: Infinity },
] as const;

/** What is made while a page is, bears a time after the page's own. */
const SKEW_MS = 10_000;

/** Of milliseconds from now: `35 hours ago`, `in 9 days`, `just now`. */
export function relative(ms: number): string {
  if (Math.abs(ms) < MINUTE_MS) return ms < SKEW_MS ? "just now" : "in less than a minute";
  const words = new Intl.RelativeTimeFormat("en-GB", { numeric: "always" });
  for (const { unit, ms: length, below } of UNITS) {
    const many = Math.round(ms / length);
    if (Math.abs(many) < below) return words.format(many, unit);
  }
  throw new RangeError(`Cannot say ${ms} ms in words: it is no number`);
}
