/** npm's names and the addresses made of them. */

const MAX_NAME = 256;
const PART = /^[A-Za-z0-9!~*'()][A-Za-z0-9!~*'()._-]*$/;
const SCOPE = /^[A-Za-z0-9!~*'()_-][A-Za-z0-9!~*'()._-]*$/;
const RESERVED: ReadonlySet<string> = new Set(["node_modules", "favicon.ico"]);

/**
 * validate-npm-package-name's grammar for old packages: capitals, core module names and `~'!()*` are allowed,
 * a leading dot, underscore or hyphen is not.
 */
export function isPackageName(name: string): boolean {
  if (name.length > MAX_NAME || RESERVED.has(name.toLowerCase())) return false;
  if (!name.startsWith("@")) return PART.test(name);
  const [scope, part, ...rest] = name.slice(1).split("/");
  // What follows a scope may start with an underscore or hyphen: only the dot is forbidden there.
  return rest.length === 0 && SCOPE.test(scope ?? "") && SCOPE.test(part ?? "");
}

/** A name found at the start of a path, and what follows it. */
export interface NamedPath {
  readonly name: string;
  readonly rest: readonly string[];
}

/** Reads `name`, `@scope/name` or (one segment) `@scope%2fname`; null where the path starts with no name. */
export function readName(segments: readonly string[]): NamedPath | null {
  const [first, second] = segments;
  if (first === undefined) return null;
  const isScope = first.startsWith("@") && !first.includes("/");
  const name = isScope ? `${first}/${second ?? ""}` : first;
  if (isScope && second?.includes("/")) return null;
  return isPackageName(name) ? { name, rest: segments.slice(isScope ? 2 : 1) } : null;
}

/** The name as one path segment, the way npm asks for a packument: `@scope%2fname`. */
export function packumentPath(name: string): string {
  const slash = name.indexOf("/");
  if (slash < 0) return encodePart(name);
  return `@${encodePart(name.slice(1, slash))}%2f${encodePart(name.slice(slash + 1))}`;
}

/** What stands before a tarball's file name, below a registry's root: `@scope/name/-/`. */
export function tarballFolder(name: string): string {
  return `${name.startsWith("@") ? "@" : ""}${
    name.replace(/^@/, "").split("/").map(encodePart).join("/")
  }/-/`;
}

/** One path segment; `+` and `@` stand for themselves in a path. */
export function encodePart(text: string): string {
  return encodeURIComponent(text).replaceAll("%2B", "+").replaceAll("%40", "@");
}

/** The file name that npm itself gives a release's tarball. */
export function standardFilename(name: string, version: string): string {
  return `${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}
