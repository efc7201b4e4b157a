/** `yanked`: withdrawn by its publisher or the registry (yanked, retired, unlisted: the ecosystem's word). */
import type { Rule } from "./rule.ts";

/** A mark that cannot be read counts as one: unknown is never taken for good. */
export const yanked: Rule = Object.freeze(
  {
    id: "yanked",
    evaluate({ yanked }, { settings }) {
      if (settings.yanked === "allow") return null;
      if (yanked.known ? !yanked.value : yanked.why !== "malformed") return null;
      const message = yanked.known ? "yanked from the registry" : "its yank mark cannot be read";
      return { verdict: settings.yanked, message, horizon: null };
    },
  } satisfies Rule,
);
