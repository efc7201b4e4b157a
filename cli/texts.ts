/** What people write on a command line, and how instants are shown to them. */
import { formatInstantUp } from "../policy/instant.ts";
import type { EpochMs } from "../policy/types.ts";
import type { Io } from "./io.ts";
import { parseSettingDuration } from "./units.ts";

/** `90d` from now, or an instant, which the API reads. */
export function endOf(text: string, io: Pick<Io, "clock">): string {
  const length = parseSettingDuration(text);
  return length === null ? text : new Date(io.clock() + length).toISOString();
}

/** `npm/left-pad` is `pkg:npm/left-pad`; a purl stays what it is, and so does what is neither, for the API to refuse. */
export function purlOf(text: string): string {
  return /^[a-z][a-z0-9.+-]*\/./.test(text) ? `pkg:${text}` : text;
}

/** `2026-11-21 09:30Z`, of an instant as the API writes it. */
export function minuteText(at: string): string {
  return `${at.slice(0, 16).replace("T", " ")}Z`;
}

/** The same, rounded up: of when something lifts, so that nobody comes back too early. */
export function minuteUpText(at: string): string {
  return formatInstantUp(Date.parse(at) as EpochMs).replace("T", " ");
}
