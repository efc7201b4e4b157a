/** The list of rules. */
import { deprecated } from "./deprecated.ts";
import { minimumAge } from "./minimum_age.ts";
import { publisherDowngrade } from "./publisher_downgrade.ts";
import type { Rule } from "./rule.ts";
import { unknownAge } from "./unknown_age.ts";
import { yanked } from "./yanked.ts";

/** Every rule, in the order in which reasons of equal severity are shown. */
export const RULES: readonly Rule[] = Object.freeze([
  yanked,
  publisherDowngrade,
  minimumAge,
  unknownAge,
  deprecated,
]);
