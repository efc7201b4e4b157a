/** `deprecated`: its publisher advises against it (npm's word). */
import type { Rule } from "./rule.ts";

const LONGEST = 200;

/** An empty text is no deprecation: that is how npm takes one back. */
export const deprecated: Rule = Object.freeze(
  {
    id: "deprecated",
    evaluate(_artifact, { release, settings }) {
      if (settings.deprecated === "allow") return null;
      const { deprecated } = release;
      if (!deprecated.known) {
        if (deprecated.why !== "malformed") return null;
        return { verdict: settings.deprecated, message: "its deprecation cannot be read", horizon: null };
      }
      if (deprecated.value === false || deprecated.value === "") return null;
      return {
        verdict: settings.deprecated,
        message: `deprecated: ${bounded(deprecated.value)}`,
        horizon: null,
      };
    },
  } satisfies Rule,
);

/** Upstream's text: one line, bounded. */
function bounded(text: string): string {
  const line = text.slice(0, 2 * LONGEST).replace(/\s+/g, " ").trim();
  return (line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 3)}...`).toWellFormed();
}
