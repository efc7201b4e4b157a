/** Points in time as documents write them (RFC 3339), read strictly. */
import type { EpochMs } from "./types.ts";

/** What an instant must look like, for messages. */
export const INSTANT_FORM =
  'a date ("2027-03-31", its first instant, UTC) or an RFC 3339 time with its offset ' +
  '("2027-03-31T18:00:00Z")';

const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const TIME =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?([Zz]|[+-][0-9]{2}:[0-9]{2})$/;
/** The last instant a Date can hold. */
const LAST = 8_640_000_000_000_000;

/** Brands a number of milliseconds since 1970; throws RangeError for one that no date has. */
export function epochMs(milliseconds: number): EpochMs {
  if (!Number.isSafeInteger(milliseconds) || Math.abs(milliseconds) > LAST) {
    throw new RangeError(`Cannot use ${milliseconds} as an instant: expected whole milliseconds since 1970`);
  }
  return milliseconds as EpochMs;
}

/**
 * Reads a date (its first instant in UTC) or an RFC 3339 time, seconds optional; null for all else: no offset,
 * a 30th of February, a leap second.
 */
export function parseInstant(text: string): EpochMs | null {
  const midnight = readDate(text);
  if (midnight !== null) return midnight;
  const match = TIME.exec(text);
  if (match === null) return null;
  const [, date = "", hours = "", minutes = "", seconds = "0", fraction = "0", zone = ""] = match;
  const day = readDate(date);
  const offset = readOffset(zone);
  if (day === null || offset === null) return null;
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const within = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  return epochMs(day + within + Math.trunc(Number(`0.${fraction}`) * 1_000) - offset);
}

function readDate(text: string): EpochMs | null {
  const match = DATE.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for the twentieth century.
  date.setUTCFullYear(year, month - 1, day);
  const exists = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day;
  return exists ? epochMs(date.getTime()) : null;
}

function readOffset(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** `2026-12-01T09:00Z`: to the minute, cut off. */
export function formatInstant(instant: EpochMs): string {
  return `${new Date(instant).toISOString().slice(0, -8)}Z`;
}

/** `2026-12-01T09:01Z`: to the minute, rounded up, so that nobody is sent back too early. */
export function formatInstantUp(instant: EpochMs): string {
  return formatInstant(epochMs(Math.min(Math.ceil(instant / 60_000) * 60_000, LAST)));
}

/** `2026-12-01`, of the instant rounded up to the minute. */
export function formatDate(instant: EpochMs): string {
  return formatInstantUp(instant).slice(0, -7);
}
