/** `unknownAge`: what becomes of a file whose date nobody vouches for. */
import type { EpochMs, Finding, FirstSeen } from "../types.ts";
import { ageOf } from "./age.ts";
import { holdUntilOld } from "./minimum_age.ts";
import type { Rule, RuleContext, RuleFinding } from "./rule.ts";

/**
 * Holds (reckoned from first sight), denies or warns. A date that lies ahead is unknown until it comes near,
 * which is when the answer may change.
 */
export const unknownAge: Rule = Object.freeze(
  {
    id: "unknownAge",
    evaluate(artifact, context) {
      const age = ageOf(artifact, context);
      if (age.dated) return null;
      const { seen, readableFrom } = age;
      const why = `its date of publication ${readableFrom === null ? "is unknown" : "lies in the future"}`;
      const held = fromFirstSight({ seen, why, context });
      if (held !== null) return { ...held, turnsAt: readableFrom };
      if (context.settings.unknownAge === "deny") return finding("deny", why, readableFrom);
      if (isUnreckoned(seen, context)) {
        return finding("warn", `${why}, and it was there when its package was first seen here`, readableFrom);
      }
      return readableFrom === null ? null : finding("allow", why, readableFrom);
    },
  } satisfies Rule,
);

function fromFirstSight(
  options: { readonly seen: FirstSeen; readonly why: string; readonly context: RuleContext },
): Finding | null {
  const { seen, why, context } = options;
  const { unknownAge, minimumAge } = context.settings;
  const reckoned = unknownAge === "strict" || (unknownAge === "first-seen" && !seen.original);
  if (!reckoned) return null;
  return holdUntilOld({
    since: seen.at,
    start: `${why}, and it was first seen here`,
    minimumAge,
    now: context.now,
  });
}

function isUnreckoned(seen: FirstSeen, { settings }: RuleContext): boolean {
  return settings.unknownAge === "first-seen" && seen.original && settings.minimumAge > 0;
}

function finding(verdict: Finding["verdict"], message: string, turnsAt: EpochMs | null): RuleFinding {
  return { verdict, message, horizon: null, turnsAt };
}
