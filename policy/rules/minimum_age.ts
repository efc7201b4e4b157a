/** `minimumAge`: what is younger is held until it is old enough. */
import { durationInWords } from "../duration.ts";
import { epochMs, formatInstant } from "../instant.ts";
import type { UnknownAge } from "../documents.ts";
import type { DurationMs, EpochMs, Finding } from "../types.ts";
import { type Age, ageOf } from "./age.ts";
import type { Rule } from "./rule.ts";

/** Old enough from the very moment on at which its age equals `minimumAge`. */
export const minimumAge: Rule = Object.freeze(
  {
    id: "minimumAge",
    evaluate(artifact, context) {
      const age = ageOf(artifact, context);
      const since = countsFrom(age, context.settings.unknownAge);
      if (since === null) return null;
      const published = age.dated && age.by === "published";
      return holdUntilOld({ since, published, minimumAge: context.settings.minimumAge, now: context.now });
    },
  } satisfies Rule,
);

/** null: nothing to reckon from, or the policy does not want it reckoned. */
function countsFrom(age: Age, unknownAge: UnknownAge): EpochMs | null {
  if (age.dated) return age.since;
  if (unknownAge === "strict") return age.seen.at;
  return unknownAge === "first-seen" && !age.seen.original ? age.seen.at : null;
}

function holdUntilOld(
  options: {
    readonly since: EpochMs;
    readonly published: boolean;
    readonly minimumAge: DurationMs;
    readonly now: EpochMs;
  },
): Finding | null {
  const { since, published, minimumAge, now } = options;
  if (now - since >= minimumAge) return null;
  const when = `${published ? "published" : "first seen here"} ${formatInstant(since)}`;
  return {
    verdict: "hold",
    message: `${when}, less than ${durationInWords(minimumAge)} ago`,
    horizon: epochMs(since + minimumAge),
    since,
  };
}
