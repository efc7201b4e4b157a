/** `publisherDowngrade`: published more weakly than what came before it in its line. */
import type { TrustLevel } from "../types.ts";
import { publicationOf } from "./age.ts";
import { TRUST_RANK } from "./predecessors.ts";
import type { Rule } from "./rule.ts";

const WORDS: Readonly<Record<TrustLevel, string>> = {
  "trusted-publisher": "a trusted publisher",
  provenance: "provenance",
  none: "neither trusted publisher nor provenance",
};

/** Silent where no release says how it was published, as on registries and mirrors that do not tell. */
export const publisherDowngrade: Rule = Object.freeze(
  {
    id: "publisherDowngrade",
    evaluate(artifact, context) {
      const { verdict, window } = context.settings.publisherDowngrade;
      if (verdict === "allow") return null;
      const { trust } = artifact;
      const rank = trust.known ? TRUST_RANK[trust.value] : TRUST_RANK.none;
      if (rank === TRUST_RANK["trusted-publisher"]) return null;
      const at = publicationOf(artifact, context);
      const question = { release: context.release, at, than: rank, window };
      const predecessor = context.predecessors().stronger(question);
      if (predecessor === null) return null;
      const now = trust.known ? `with ${WORDS[trust.value]}` : "in a way that is not known";
      const message = `published ${now}, where ${predecessor.version} before it had ${
        WORDS[predecessor.trust]
      }`;
      return { verdict, message, horizon: null };
    },
  } satisfies Rule,
);
