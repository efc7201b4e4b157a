/** Which packages and versions an override speaks of: a purl with or without version, globs, or a short form. */

/** Read from a purl or a short form; nothing in it is normalised, since an allow is exact. */
export interface Pattern {
  /** The purl type, lower-case. */
  readonly type: string;
  /** Namespace and name, decoded, joined by `/`; may hold `*` and `?`. */
  readonly name: string;
  /** Exact, or with `*` and `?`; null: every version. */
  readonly version: string | null;
  /** A VERS range that stood in the version's place. */
  readonly range: string | null;
}

/** What a pattern must look like, for messages. */
export const PURL_FORM = 'a purl without qualifiers, such as "pkg:npm/axios", "pkg:npm/%40acme/*" or ' +
  '"pkg:pypi/requests@2.1.0"';

/** What a list entry must look like, for messages. */
export const ENTRY_FORM =
  'a short form such as "npm/axios==0.30.4", "npm/@acme/*" or "pypi/base-x-64: ALL", ' +
  "a purl, or an override object";

const TYPE = /^[a-z][a-z0-9.+-]*$/;
/** Control characters, space, and what would be read as an operator by a person and as a name by us. */
// deno-lint-ignore no-control-regex
const NOT_IN_NAMES = /[\u0000-\u0020\u007f<>=!|^"'\\;#]/;
// deno-lint-ignore no-control-regex
const NOT_IN_VERSIONS = /[\u0000-\u0020\u007f<>=|^"'\\;#]/;
const LONGEST = 512;

/** Reads `pkg:type/namespace/name@version`; null where it is none, or has qualifiers or a subpath. */
export function parsePurlPattern(text: string): Pattern | null {
  if (!text.startsWith("pkg:") || text.length > LONGEST) return null;
  const rest = text.slice("pkg:".length).replace(/^\/+/, "");
  const { name, version } = splitVersion(rest);
  // In a version a range may follow, whose grammar is its own; elsewhere these begin qualifiers and subpath.
  if (/[?#]/.test(name) || (version !== null && /[?#]/.test(version))) return null;
  return build(name, version, true);
}

/**
 * Reads a purl or a short form: `npm/axios`, `npm/axios==0.30.4`, `npm/axios@0.30.4`, `npm/axios: 0.30.4`;
 * the version `ALL` stands for every version. null for all else.
 */
export function parseShortForm(text: string): Pattern | null {
  const trimmed = text.trim();
  if (trimmed.startsWith("pkg:")) return parsePurlPattern(trimmed);
  if (trimmed.length > LONGEST) return null;
  const separated = /^(.*?)\s*(?:==|:\s)\s*(.*)$/.exec(trimmed);
  if (separated !== null) return build(separated[1] ?? "", separated[2] ?? "", false);
  const { name, version } = splitVersion(trimmed);
  return build(name, version, false);
}

/** Reads the two halves of a one-key object: `{ "npm/axios": "0.30.4" }`. */
export function parsePair(name: string, version: string): Pattern | null {
  const named = parseShortForm(name);
  if (named === null || named.version !== null || named.range !== null) return null;
  return build(`${named.type}/${named.name}`, version.trim(), false);
}

/** True where `*` or `?` make a text a glob. */
export function isGlob(text: string): boolean {
  return text.includes("*") || text.includes("?");
}

/** The version starts after the last `@` that does not open a segment (a scope does), or after `@vers:`. */
function splitVersion(text: string): { readonly name: string; readonly version: string | null } {
  const range = /@vers(?::|%3a)/i.exec(text);
  const at = range?.index ?? text.lastIndexOf("@");
  if (at <= 0 || text[at - 1] === "/") return { name: text, version: null };
  return { name: text.slice(0, at), version: text.slice(at + 1) };
}

function build(path: string, version: string | null, isPurl: boolean): Pattern | null {
  const slash = path.indexOf("/");
  const type = path.slice(0, slash).toLowerCase();
  if (slash < 1 || !TYPE.test(type)) return null;
  const segments = path.slice(slash + 1).split("/").map(decode);
  const name = segments.join("/");
  if (segments.some((segment) => segment === null || !isNameSegment(segment))) return null;
  if (version === null) return { type, name, version: null, range: null };
  return buildVersion({ type, name, version, isPurl });
}

function buildVersion(
  options: {
    readonly type: string;
    readonly name: string;
    readonly version: string;
    readonly isPurl: boolean;
  },
): Pattern | null {
  const { type, name, version, isPurl } = options;
  const range = version.startsWith("vers:") ? version : decode(version);
  if (range?.startsWith("vers:")) return { type, name, version: null, range };
  const decoded = decode(version);
  if (decoded === null || decoded === "" || NOT_IN_VERSIONS.test(decoded)) return null;
  if (decoded === "*" || (!isPurl && decoded.toUpperCase() === "ALL")) {
    return { type, name, version: null, range: null };
  }
  return { type, name, version: decoded, range: null };
}

function isNameSegment(segment: string): boolean {
  return segment !== "" && segment !== "." && segment !== ".." && !NOT_IN_NAMES.test(segment);
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
