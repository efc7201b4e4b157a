/** The one schema behind parsePolicy, parseFloor and their JSON Schemas. */
import { z } from "zod";
import { RULE_IDS, WEBHOOK_EVENTS } from "./documents.ts";
import { entryListSchema, overrideSchema, type TypeCheck } from "./override_schema.ts";
import { choice, duration, listOf, strict, text, truth } from "./schema_parts.ts";

const SEVERITIES = ["allow", "warn", "deny"] as const;

/** What stands for a webhook's address that is kept, in what redactPolicy shows. */
export const REDACTED = "(set)";

/** The id of a webhook that was given none, by its place in the list. */
export function defaultWebhookId(index: number): string {
  return `webhook-${index + 1}`;
}

/** The schema of a whole policy document; short forms are already unfolded in its output. */
export function policySchema(check: TypeCheck) {
  const settings = ruleFields(check);
  return strict({
    enforcement: settings.enforcement.prefault("enforce"),
    observe: settings.observe.prefault([]),
    minimumAge: settings.minimumAge.prefault("10d"),
    unknownAge: settings.unknownAge.prefault("first-seen"),
    yanked: settings.yanked.prefault("deny"),
    deprecated: settings.deprecated.prefault("allow"),
    publisherDowngrade: settings.publisherDowngrade.prefault("deny"),
    auditFixes: settings.auditFixes.prefault(true),
    artifacts: settings.artifacts.prefault("proxy"),
    overrides: settings.overrides.prefault([]),
    block: settings.block.prefault([]),
    allow: settings.allow.prefault([]),
    ecosystems: ecosystems(check).describe("settings of one ecosystem; its overrides are added to the others")
      .prefault({}),
    callers: choice(["anyone", "named", "token"]).describe("who is answered").prefault("anyone"),
    closed: truth().describe("nobody is answered").prefault(false),
    webhooks: listOf(webhook(), "a list of webhooks").max(20, { error: "at most 20 webhooks" })
      .describe("who is told of refusals; addresses are secrets").prefault([]),
    retention: duration().describe("how long the install log is kept").prefault("400d"),
  });
}

/** The schema of the instance's floor. */
export function floorSchema(check: TypeCheck) {
  return strict({ deny: entryListSchema(check, "deny").prefault([]) });
}

function ruleFields(check: TypeCheck) {
  return {
    enforcement: choice(["enforce", "observe"])
      .describe(
        "observe: everything but the floor is let through, and all that is said says what would have happened",
      ),
    observe: listOf(choice(RULE_IDS), "a list of rules that only observe")
      .describe("rules whose findings are shown and do not count"),
    minimumAge: duration().describe("a younger release is held until it is that old"),
    unknownAge: choice(["first-seen", "strict", "deny", "allow"])
      .describe(
        "what nothing dates. first-seen: it counts from its appearance, what was there before is allowed with a " +
          "warning; strict: all counts from first sight",
      ),
    yanked: choice(SEVERITIES).describe("what its publisher or the registry withdrew"),
    deprecated: choice(SEVERITIES).describe("what its publisher advises against"),
    publisherDowngrade: z.union([
      choice(SEVERITIES).transform((verdict) => ({ verdict, window: undefined })),
      strict({ verdict: choice(SEVERITIES).optional(), window: duration().optional() }),
    ], { error: `one of "allow", "warn", "deny", or an object with verdict and window` })
      .describe(
        "published more weakly (trusted publisher, provenance, neither) than an earlier release of its line in the " +
          "window before it, 180d unless given",
      ),
    auditFixes: z.union([
      truth().transform((enabled) => ({ enabled, minimumAge: undefined })),
      strict({ enabled: truth().optional(), minimumAge: duration().optional() }),
    ], { error: "true, false, or an object with enabled and minimumAge" })
      .describe(
        "a caller whose audit asks for a fix may have it once it is minimumAge old, 24h unless given",
      ),
    artifacts: choice(["proxy", "upstream"])
      .describe("upstream: links stay as they are, a file is decided and answered by a redirect"),
    overrides: listOf(overrideSchema(check), "a list of overrides")
      .describe("allows and denials; the most specific goes first, and on a tie the denial"),
    block: entryListSchema(check, "deny").describe(
      "denials in short: npm/axios==0.30.4, npm/@acme/*, pypi/x: ALL",
    ),
    allow: entryListSchema(check, "allow").describe(
      "allows in short; each lifts holds, yanked, deprecated and publisherDowngrade",
    ),
  };
}

function ecosystems(check: TypeCheck) {
  const settings = strict(z.object(ruleFields(check)).partial().shape);
  return z.record(z.string(), settings, { error: "an object with a key for each ecosystem" });
}

function webhook() {
  const form = "an address that begins with https:// or http://";
  return strict({
    id: text(100, "an id, at most 100 characters").optional(),
    url: text(2_048, form).refine(isWebAddress, { error: form }).meta({ writeOnly: true, format: "uri" }),
    format: choice(["json", "slack"]).prefault("json"),
    events: listOf(choice(WEBHOOK_EVENTS), "a list of events").prefault(["refused", "alert", "waiver"]),
  });
}

function isWebAddress(address: string): boolean {
  const url = URL.parse(address);
  return url !== null && (url.protocol === "https:" || url.protocol === "http:");
}
