/** Policies and the floor as people write them: read whole, defaulted, every mistake reported at once. */
import { z } from "zod";
import { errorAt, type PolicyError, toPolicyErrors } from "./config_errors.ts";
import { crossChecks } from "./cross_checks.ts";
import type { EcosystemSettings, FloorDocument, PolicyDocument } from "./documents.ts";
import { durationMs } from "./duration.ts";
import type { TypeCheck } from "./override_schema.ts";
import { defaultWebhookId, floorSchema, policySchema } from "./schema.ts";

export type {
  AuditFixes,
  EcosystemSettings,
  FloorDocument,
  Liftable,
  Override,
  PolicyDocument,
  PublisherDowngrade,
  RuleId,
  RuleSettings,
  Severity,
  UnknownAge,
  Webhook,
  WebhookEvent,
} from "./documents.ts";
export { formatPolicyError, type PolicyError } from "./config_errors.ts";
export { keepSecrets, redactChange, redactPolicy, withStandIns } from "./secrets.ts";

/** A document that was read, or all that is wrong with it. */
export type Parsed<T> =
  | {
    readonly ok: true;
    readonly document: T;
    /** What was given, as it was written: this is what is kept and shown. */
    readonly source: unknown;
  }
  | { readonly ok: false; readonly errors: readonly PolicyError[] };

export interface ParseOptions {
  /** Ecosystems and purl types that may be named; default: those registered with package-url, and ours. */
  readonly ecosystems?: readonly string[];
}

/** Registered purl types: an entry under such a name must be of that type. */
const PURL_TYPES: ReadonlySet<string> = new Set(
  ("alpm apk bitbucket bitnami cargo chef cocoapods composer conan conda cpan cran deb docker elm gem generic " +
    "github golang hackage helm hex huggingface julia luarocks maven npm nuget oci opam otp pub puppet pypi " +
    "rpm swift terraform").split(" "),
);

/**
 * The names that settings and purls may use, for a mistyped one would be a denial that never holds: purl types,
 * and ecosystem ids that differ from theirs.
 */
export const KNOWN_ECOSYSTEMS: readonly string[] = [
  ...PURL_TYPES,
  ..."apt dnf go gradle jsr pacman rubygems vagrant".split(" "),
];

/** Built once: it takes milliseconds. */
const POLICY = policySchema(typeCheck());
const FLOOR = floorSchema(typeCheck());

const DEFAULT_WINDOW = durationMs(180 * 86_400_000);
const DEFAULT_FIX_AGE = durationMs(86_400_000);

/** Reads a policy; an empty object (or `null`, an empty YAML file) is the default policy. */
export function parsePolicy(input: unknown, options: ParseOptions = {}): Parsed<PolicyDocument> {
  const check = typeCheck(options.ecosystems);
  const schema = options.ecosystems === undefined ? POLICY : policySchema(check);
  return parse({ schema, input, check, finish: toDocument });
}

/** Reads the instance's floor. */
export function parseFloor(input: unknown, options: ParseOptions = {}): Parsed<FloorDocument> {
  const check = typeCheck(options.ecosystems);
  const schema = options.ecosystems === undefined ? FLOOR : floorSchema(check);
  return parse({ schema, input, check, finish: (floor) => floor });
}

function parse<Read, T>(
  options: {
    readonly schema: z.ZodType<Read>;
    readonly input: unknown;
    readonly check: TypeCheck;
    readonly finish: (read: Read) => T;
  },
): Parsed<T> {
  const source = options.input ?? {};
  const result = options.schema.safeParse(source);
  const problems = crossChecks(source, options.check, (name) => PURL_TYPES.has(name));
  const errors = [
    ...(result.success ? [] : toPolicyErrors(result.error.issues, source)),
    ...problems.map((problem) => errorAt(problem.path, problem.expected, source)),
  ];
  if (!result.success || errors.length > 0) return { ok: false, errors };
  return { ok: true, document: options.finish(result.data), source };
}

/** JSON Schema (2020-12) of what parsePolicy accepts; some mistakes only parsePolicy sees. */
export function policyJsonSchema(): Record<string, unknown> {
  return jsonSchema(POLICY, "Sluice policy");
}

/** JSON Schema (2020-12) of what parseFloor accepts. */
export function floorJsonSchema(): Record<string, unknown> {
  return jsonSchema(FLOOR, "Sluice floor");
}

/** What holds where nothing is written. */
export const DEFAULT_POLICY: PolicyDocument = defaultPolicy();

function defaultPolicy(): PolicyDocument {
  const parsed = parsePolicy({});
  if (!parsed.ok) throw new Error("Cannot read the default policy: the schema contradicts itself");
  return parsed.document;
}

function jsonSchema(schema: z.ZodType, title: string): Record<string, unknown> {
  return { title, ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
}

function typeCheck(ecosystems: readonly string[] = KNOWN_ECOSYSTEMS): TypeCheck {
  const known = new Set(ecosystems);
  return (name) =>
    known.has(name)
      ? null
      : `an ecosystem or purl type such as "npm", "pypi" or "cargo"; "${name}" is not known`;
}

type Read = z.output<ReturnType<typeof policySchema>>;

function toDocument(read: Read): PolicyDocument {
  const { block, allow, overrides, ecosystems, publisherDowngrade, auditFixes, webhooks, ...rest } = read;
  return {
    ...rest,
    publisherDowngrade: {
      verdict: publisherDowngrade.verdict ?? "deny",
      window: publisherDowngrade.window ?? DEFAULT_WINDOW,
    },
    auditFixes: {
      enabled: auditFixes.enabled ?? true,
      minimumAge: auditFixes.minimumAge ?? DEFAULT_FIX_AGE,
    },
    overrides: [...overrides, ...block, ...allow],
    ecosystems: Object.fromEntries(
      Object.entries(ecosystems).map(([name, each]) => [name, toSettings(each)]),
    ),
    webhooks: webhooks.map((webhook, index) => ({ ...webhook, id: webhook.id ?? defaultWebhookId(index) })),
  };
}

function toSettings(read: Read["ecosystems"][string]): EcosystemSettings {
  const { block = [], allow = [], overrides = [], publisherDowngrade, auditFixes, ...rest } = read;
  return {
    ...given(rest),
    ...given({ publisherDowngrade: publisherDowngrade && given(publisherDowngrade) }),
    ...given({ auditFixes: auditFixes && given(auditFixes) }),
    overrides: [...overrides, ...block, ...allow],
  };
}

/** Without what is undefined, so that spreading it over other settings leaves theirs. */
function given<T extends object>(settings: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
