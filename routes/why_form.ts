/** The form on a why page, by which somebody asks for an exception: who asks, and what they wrote. */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { EpochMs } from "../policy/types.ts";
import type { Clock } from "../storage/runtime.ts";
import type { WaiverAsker } from "../storage/waivers.ts";
import { ApiError, type FieldError } from "./api/error.ts";
import { givenInstant } from "./api/schemas.ts";
import type { WaiverSubject } from "./waivers/types.ts";

const DAY_MS = 86_400_000;
/** How long somebody may ask for, in the order in which it is offered. */
export const LENGTHS = [
  { value: "mature", label: "Until it matures" },
  { value: "1", label: "A day" },
  { value: "7", label: "A week" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "date", label: "Until a day that I say below" },
] as const;

const LONGEST_REASON = 1_000;
const LONGEST_LINE = 200;
/** As the API has them: what is longer is not even compared. */
const LONGEST_VERSION = 256;
const LONGEST_RANGE = 4_096;
const LINE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;
/** As a user name of ours may be. */
const NAME = /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}:]{1,128}(?<!\s)$/u;

/** What was asked for, read. */
export interface AskedFor {
  readonly subject: WaiverSubject;
  readonly reason: string;
  readonly ticket: string | null;
  /** null: until it matures. */
  readonly until: EpochMs | null;
  /** As who wrote it says; null: nobody needed to say. */
  readonly name: string | null;
}

/** Throws ApiError with every mistake, each beside its field: `body.reason`. */
export function readAskedFor(form: URLSearchParams, about: {
  readonly ecosystem: Ecosystem;
  readonly name: string;
  /** The page's; null: the form says which. */
  readonly version: string | null;
  /** Whoever asks has no name otherwise. */
  readonly needsName: boolean;
  readonly clock: Clock;
}): AskedFor {
  const errors: FieldError[] = [];
  const wrong = (field: string, message: string) => void errors.push({ field: `body.${field}`, message });
  const text = (field: string) => (form.get(field) ?? "").replaceAll("\r\n", "\n").trim();

  const reason = text("reason");
  if (reason === "") wrong("reason", "Say why you need it");
  if (reason.length > LONGEST_REASON) wrong("reason", "At most 1,000 characters");
  const ticket = text("ticket");
  if (ticket.length > LONGEST_LINE || !LINE.test(ticket)) wrong("ticket", "One line, at most 200 characters");
  const name = text("name");
  if (about.needsName && !NAME.test(name)) {
    wrong("name", "Your name, at most 128 characters, without a colon");
  }
  const range = text("range");
  const version = range === "" ? about.version ?? text("version") : "";
  if (range.length > LONGEST_RANGE) wrong("range", "At most 4,096 characters");
  if (version.length > LONGEST_VERSION) wrong("version", "At most 256 characters");
  if (range === "" && version === "") wrong("version", "Say which version, or a range below");
  const until = untilOf(text("for"), text("until"), about.clock(), wrong);
  if (errors.length > 0) {
    throw new ApiError(400, "invalid-input", "Nothing was sent: something in the form is missing or wrong", {
      errors,
    });
  }
  return {
    subject: {
      ecosystem: about.ecosystem,
      name: about.name,
      version: range === "" ? version : null,
      range: range === "" ? null : range,
    },
    reason,
    ticket: ticket === "" ? null : ticket,
    until,
    name: about.needsName ? name : null,
  };
}

function untilOf(
  length: string,
  day: string,
  now: EpochMs,
  wrong: (field: string, message: string) => void,
): EpochMs | null {
  if (length === "mature" || length === "") return null;
  if (length === "date") {
    const read = givenInstant.safeParse(day);
    if (read.success) return read.data;
    wrong("until", "A day: 2026-12-31");
    return null;
  }
  const days = LENGTHS.some(({ value }) => value === length) ? Number(length) : NaN;
  if (Number.isInteger(days)) return now + days * DAY_MS as EpochMs;
  wrong("for", "One of those that are offered");
  return null;
}

/** Who asks: whom a token or a session was verified for, else the name that they gave. */
export function askerOf(
  known: { readonly user: string | null; readonly isVerified: boolean; readonly address: string },
  asked: AskedFor,
): WaiverAsker {
  return known.user === null ? { ...known, user: asked.name } : known;
}
