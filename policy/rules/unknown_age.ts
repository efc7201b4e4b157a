/** `unknownAge`: what becomes of a file whose date nobody vouches for. */
import type { EpochMs, Finding } from "../types.ts";
import { ageOf } from "./age.ts";
import type { Rule } from "./rule.ts";

/**
 * Denies or warns; the holds of `first-seen` and `strict` are minimumAge's. A date that lies ahead is unknown
 * until it comes near, which is when the answer may change.
 */
export const unknownAge: Rule = Object.freeze(
  {
    id: "unknownAge",
    evaluate(artifact, { settings, ...context }) {
      const age = ageOf(artifact, context);
      if (age.dated) return null;
      const why = age.readableFrom !== null
        ? "its date of publication lies in the future"
        : "its date of publication is unknown";
      const { readableFrom } = age;
      if (settings.unknownAge === "deny") return finding("deny", why, readableFrom);
      const unreckoned = settings.unknownAge === "first-seen" && age.seen.original && settings.minimumAge > 0;
      if (unreckoned) {
        return finding("warn", `${why}, and it was there when its package was first seen here`, readableFrom);
      }
      return readableFrom === null ? null : finding("allow", why, readableFrom);
    },
  } satisfies Rule,
);

function finding(verdict: Finding["verdict"], message: string, horizon: EpochMs | null): Finding {
  return { verdict, message, horizon };
}
