/** Audits are passed on without the names that are not upstream's business, and their advisories read. */
import semver from "semver";
import type { Advisory, ForwardAsk, Forwarding } from "../ecosystem.ts";

type Json = Record<string, unknown>;

const MAX_PACKAGES = 50_000;
const MAX_NESTING = 200;
const MAX_ADVISORIES = 10_000;

/** For `bulk` (npm ≥ 7, pnpm, yarn 4, bun), `quick` (npm 6) and `audits` (yarn 1). */
export const forwarding: Forwarding = Object.freeze({ request, advisories });

function request(ask: ForwardAsk, body: Uint8Array, isPrivate: (name: string) => boolean) {
  const document = parse(ask, body);
  const names = new Set<string>();
  const isPublic = (name: string) => {
    if (isPrivate(name)) return false;
    if (names.size >= MAX_PACKAGES) fail(ask, `it names more than ${MAX_PACKAGES} packages`);
    names.add(name);
    return true;
  };
  const passed = ask.variant === "bulk"
    ? bulkOf(ask, document, isPublic)
    : treeOf(ask, document, isPublic, 0);
  return {
    body: new TextEncoder().encode(JSON.stringify(passed)),
    contentType: "application/json",
    names: [...names],
  };
}

/** `{name: [version, …]}` */
function bulkOf(ask: ForwardAsk, document: Json, isPublic: (name: string) => boolean): Json {
  const kept = Object.entries(document).filter(([name, versions]) => {
    if (!Array.isArray(versions)) fail(ask, `${JSON.stringify(name)} has no list of versions`);
    return isPublic(name);
  });
  return Object.fromEntries(kept);
}

/** A lockfile's tree: `requires` and `dependencies` are keyed by name, `install` and `remove` list `name@version`. */
function treeOf(ask: ForwardAsk, node: Json, isPublic: (name: string) => boolean, depth: number): Json {
  if (depth > MAX_NESTING) fail(ask, `it is nested deeper than ${MAX_NESTING} levels`);
  const kept = Object.entries(node).flatMap(([key, value]): [string, unknown][] => {
    if (key === "name" && depth === 0) {
      return typeof value === "string" && isPublic(value) ? [[key, value]] : [];
    }
    if (key === "requires" && isRecord(value)) return [[key, filtered(value, isPublic)]];
    if (key === "install" || key === "remove") return [[key, listed(value, isPublic)]];
    if (key !== "dependencies" || !isRecord(value)) return [[key, value]];
    const children = Object.entries(filtered(value, isPublic)).map(([name, child]) =>
      [name, isRecord(child) ? treeOf(ask, child, isPublic, depth + 1) : child] as const
    );
    return [[key, Object.fromEntries(children)]];
  });
  return Object.fromEntries(kept);
}

function filtered(byName: Json, isPublic: (name: string) => boolean): Json {
  return Object.fromEntries(
    Object.entries(byName).filter(([name, target]) => isPublic(name) && isPublicTarget(target, isPublic)),
  );
}

function listed(value: unknown, isPublic: (name: string) => boolean): unknown {
  if (!Array.isArray(value)) return [];
  return value.filter((entry) => typeof entry === "string" && isPublic(nameIn(entry)));
}

/** Of `name@version`. WARNING: not by a regular expression: a body is 16 MB of whatever a stranger likes. */
function nameIn(entry: string): string {
  const at = entry.indexOf("@", 1);
  return at < 0 ? entry : entry.slice(0, at);
}

/** What stands under a name may be another package: `"alias": "npm:@acme/secret@1.0.0"`. */
function isPublicTarget(target: unknown, isPublic: (name: string) => boolean): boolean {
  const spec = isRecord(target) ? own(target, "version") : target;
  return typeof spec !== "string" || !spec.startsWith("npm:") || isPublic(nameIn(spec.slice(4)));
}

/** By package: of `bulk` a list under its name, of the older two an object keyed by the advisory's id. */
function advisories(ask: ForwardAsk, answer: Uint8Array): readonly Advisory[] {
  if (ask.method === "GET") return [];
  const document = parse(ask, answer);
  const found = ask.variant === "bulk" ? bulkAdvisories(document) : treeAdvisories(document);
  return found.slice(0, MAX_ADVISORIES);
}

function bulkAdvisories(document: Json): readonly Advisory[] {
  return Object.entries(document).flatMap(([name, list]) =>
    Array.isArray(list) ? list.filter(isRecord).map((entry) => advisoryOf(name, entry)) : []
  );
}

function treeAdvisories(document: Json): readonly Advisory[] {
  const byId = own(document, "advisories");
  if (!isRecord(byId)) return [];
  return Object.values(byId).filter(isRecord).flatMap((entry) => {
    const name = own(entry, "module_name");
    return typeof name === "string" ? [advisoryOf(name, entry)] : [];
  });
}

function advisoryOf(name: string, entry: Json): Advisory {
  const url = own(entry, "url");
  const id = own(entry, "id");
  return {
    name,
    id: typeof id === "string" || typeof id === "number" ? String(id) : "",
    url: typeof url === "string" ? url : "",
    affects: affectedBy(own(entry, "vulnerable_versions")),
  };
}

/** npm takes an advisory without a range as one of all versions; so is one whose range cannot be read. */
function affectedBy(text: unknown): (version: string) => boolean {
  const options = { includePrerelease: true, loose: true };
  const range = typeof text === "string" && text.length <= 10_000 ? readRange(text, options) : null;
  if (range === null) return () => true;
  return (version) => semver.parse(version, options) === null || range.test(version);
}

function readRange(text: string, options: { readonly includePrerelease: boolean; readonly loose: boolean }) {
  try {
    return new semver.Range(text, options);
  } catch {
    return null;
  }
}

function parse(ask: ForwardAsk, bytes: Uint8Array): Json {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${ask.variant} audit: it is no JSON`, { cause });
  }
  return isRecord(document) ? document : fail(ask, "it is no object");
}

function fail(ask: ForwardAsk, why: string): never {
  throw new SyntaxError(`Cannot read ${ask.variant} audit: ${why}`);
}

function own(value: Json, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
