/** Reads the configuration of thinkst/package-proxy, the whole document as it lies in that project's KV store. */
import { errorAt, type PolicyError } from "./config_errors.ts";
import { KNOWN_ECOSYSTEMS, parsePolicy } from "./config.ts";
import type { PolicyDocument } from "./documents.ts";

/** A policy that was carried over, with what a person should know of it. */
export type Imported =
  | {
    readonly ok: true;
    readonly document: PolicyDocument;
    /** The policy as it is written here: what is stored, shown and edited. */
    readonly source: Readonly<Record<string, unknown>>;
    /** One sentence each: what means something else here, or has no counterpart. */
    readonly warnings: readonly string[];
  }
  | { readonly ok: false; readonly errors: readonly PolicyError[] };

type Fields = Readonly<Record<string, unknown>>;

/** What one key of theirs comes to. */
interface Carried {
  readonly settings?: Fields;
  readonly webhooks?: readonly Fields[];
  readonly warnings?: readonly string[];
  readonly errors?: readonly PolicyError[];
}

const KEYS: Readonly<Record<string, (value: unknown, input: Fields) => Carried>> = {
  MIN_AGE_DAYS: readMinimumAge,
  ALLOW_YANKED: flag("ALLOW_YANKED", (allow) => ({ yanked: allow ? "allow" : "deny" })),
  ALLOW_CHANGED_PUBLISHER: flag("ALLOW_CHANGED_PUBLISHER", (allow) => ({
    publisherDowngrade: allow ? "allow" : "deny",
  })),
  ALLOW_AUDIT_OVERRIDE: flag("ALLOW_AUDIT_OVERRIDE", (allow) => ({ auditFixes: allow })),
  REWRITE_DOWNLOAD_URLS: flag(
    "REWRITE_DOWNLOAD_URLS",
    (rewrite) => ({ artifacts: rewrite ? "proxy" : "upstream" }),
  ),
  blocklist: (value, input) => readList("blocklist", "block", value, input),
  allowlist: (value, input) => readList("allowlist", "allow", value, input),
  "webhook-url": (value, input) => readWebhook("webhook-url", "refusals", value, input),
  "approval-webhook-url": (value, input) => readWebhook("approval-webhook-url", "approvals", value, input),
};

/** Reads the document; like parsePolicy it reports every mistake at once, and takes no key that it does not know. */
export function importPackageProxy(input: unknown): Imported {
  if (!isFields(input)) {
    return { ok: false, errors: [errorAt([], "an object, as package-proxy keeps it", input)] };
  }
  const carried = Object.entries(input).map(([key, value]) =>
    Object.hasOwn(KEYS, key) && KEYS[key] !== undefined ? KEYS[key](value, input) : unknownKey(key, input)
  );
  const errors = carried.flatMap((each) => each.errors ?? []);
  if (errors.length > 0) return { ok: false, errors };
  const webhooks = carried.flatMap((each) => each.webhooks ?? []);
  const settings = Object.assign({}, ...carried.map((each) => each.settings ?? {})) as Fields;
  const source = { ...settings, ...(webhooks.length > 0 ? { webhooks } : {}) };
  const parsed = parsePolicy(source);
  if (!parsed.ok) return parsed;
  return {
    ok: true,
    document: parsed.document,
    source,
    warnings: carried.flatMap((each) => each.warnings ?? []),
  };
}

function unknownKey(key: string, input: Fields): Carried {
  return { errors: [errorAt([key], `one of the keys ${Object.keys(KEYS).join(", ")}`, input)] };
}

function flag(key: string, settings: (value: boolean) => Fields): (value: unknown, input: Fields) => Carried {
  return (value, input) =>
    typeof value === "boolean"
      ? { settings: settings(value) }
      : { errors: [errorAt([key], "true or false", input)] };
}

/** Days, with fractions; they took a number in quotes as well. */
function readMinimumAge(value: unknown, input: Fields): Carried {
  const days = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof days !== "number" || !Number.isFinite(days) || days < 0 || days > 36_500) {
    return { errors: [errorAt(["MIN_AGE_DAYS"], "a number of days, 0 or more", input)] };
  }
  const minutes = Math.ceil(days * 24 * 60);
  return { settings: { minimumAge: Number.isInteger(days) ? `${days}d` : `${minutes}m` } };
}

/** `{ "npm/axios": ["0.30.4"], "pypi/base-x-64": "ALL" }`; before 2026-06 npm's names stood there bare. */
function readList(key: string, target: "block" | "allow", value: unknown, input: Fields): Carried {
  if (!isFields(value)) return { errors: [errorAt([key], "an object from names to versions", input)] };
  const read = Object.entries(value).map(([name, versions]) =>
    readEntry({ key, target, name, versions, input })
  );
  return {
    settings: { [target]: read.flatMap((each) => each.entries) },
    warnings: read.flatMap((each) => each.warnings),
    errors: read.flatMap((each) => each.errors),
  };
}

function readEntry(
  options: {
    readonly key: string;
    readonly target: "block" | "allow";
    readonly name: string;
    readonly versions: unknown;
    readonly input: Fields;
  },
): {
  readonly entries: readonly unknown[];
  readonly warnings: readonly string[];
  readonly errors: readonly PolicyError[];
} {
  const { key, target, versions, input } = options;
  const { name, pinned, assumed } = readName(options.name);
  const listed = pinned ?? ([versions].flat() as readonly unknown[]);
  if (!listed.every((version) => typeof version === "string" && version !== "")) {
    const expected = 'a list of versions, or "ALL"';
    return { entries: [], warnings: [], errors: [errorAt([key, options.name], expected, input)] };
  }
  const entries = listed.map((version) => {
    const written = version === "ALL" ? name : `${name}==${version}`;
    // Their allow list lifted the age and nothing else, and never a block.
    return target === "block" ? written : { purl: written, lifts: ["minimumAge", "unknownAge"] };
  });
  const note = `"${options.name}" in ${key} names no ecosystem: read as "${name}"`;
  return { entries, warnings: assumed ? [note] : [], errors: [] };
}

/** The README's own spelling puts the version into the name: `npm/axios==0.30.4`. */
function readName(
  written: string,
): { readonly name: string; readonly pinned: readonly string[] | null; readonly assumed: boolean } {
  const [name = "", version] = written.split("==");
  const known = KNOWN_ECOSYSTEMS.includes(name.split("/")[0] ?? "") && name.includes("/");
  return {
    name: known ? name : `npm/${name}`,
    pinned: version === undefined ? null : [version],
    assumed: !known,
  };
}

function readWebhook(key: string, about: string, value: unknown, input: Fields): Carried {
  if (value === "" || value === null) return {};
  if (typeof value !== "string" || !URL.canParse(value)) {
    return { errors: [{ ...errorAt([key], "a web address, or nothing", input), value: "(secret)" }] };
  }
  const slack = new URL(value).hostname === "hooks.slack.com";
  const webhook = { id: key, url: value, format: slack ? "slack" : "json" };
  const sent = `${key}: what is sent has other fields than package-proxy's; see the README`;
  const told = about === "refusals"
    ? [sent]
    : [`${key}: Sluice has no approvals of that kind: refusals are sent there`];
  return { webhooks: [webhook], warnings: told };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
