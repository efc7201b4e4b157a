/** `minimumAge`: what was published more recently is held until it is old enough. */
import { durationInWords } from "../duration.ts";
import { epochMs, formatInstant } from "../instant.ts";
import type { DurationMs, EpochMs, Finding } from "../types.ts";
import { ageOf } from "./age.ts";
import type { Rule } from "./rule.ts";

/** Old enough from the very moment on at which its age equals `minimumAge`. What nothing dates is unknownAge's. */
export const minimumAge: Rule = Object.freeze(
  {
    id: "minimumAge",
    evaluate(artifact, context) {
      const age = ageOf(artifact, context);
      if (!age.dated) return null;
      const { since, by } = age;
      const start = by === "published" ? "published" : "first seen here";
      return holdUntilOld({ since, start, minimumAge: context.settings.minimumAge, now: context.now });
    },
  } satisfies Rule,
);

/** A hold until `minimumAge` after `since`; null once that is reached. */
export function holdUntilOld(
  options: {
    readonly since: EpochMs;
    /** What happened then, to begin the message with. */
    readonly start: string;
    readonly minimumAge: DurationMs;
    readonly now: EpochMs;
  },
): Finding | null {
  const { since, start, minimumAge, now } = options;
  if (now - since >= minimumAge) return null;
  return {
    verdict: "hold",
    message: `${start} ${formatInstant(since)}, less than ${durationInWords(minimumAge)} ago`,
    horizon: epochMs(since + minimumAge),
    since,
  };
}
