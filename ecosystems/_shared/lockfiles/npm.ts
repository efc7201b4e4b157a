/** `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3 (docs.npmjs.com, "package-lock.json"). */
import { integrityOf, lockedByDigests, writtenAt } from "./locked.ts";
import {
  type Findings,
  findings,
  isTable,
  optionalTable,
  optionalText,
  own,
  parseJson,
  type Table,
  tableAt,
  textAt,
} from "./shape.ts";
import type { LockedPackage, LockfileReader } from "./types.ts";

export const readPackageLock: LockfileReader = (text) => {
  const lock = tableAt(parseJson(text), "package-lock.json");
  if (typeof own(lock, "lockfileVersion") !== "number") {
    throw new SyntaxError("lockfileVersion: expected a number, as npm writes it");
  }
  const found = findings();
  const packages = own(lock, "packages");
  // Version 2 has both, the older form for older clients.
  if (packages === undefined) readDependencies(optionalTable(lock, "dependencies"), "dependencies", found);
  else readPackages(tableAt(packages, "packages"), found);
  return found;
};

function readPackages(packages: Table, found: Findings): void {
  for (const [path, value] of Object.entries(packages)) {
    const where = `packages[${JSON.stringify(path)}]`;
    const entry = tableAt(value, where);
    const at = path.lastIndexOf("node_modules/");
    // The project, a workspace's folder and the link to it, and what came inside another package.
    if (at < 0 || own(entry, "link") === true || own(entry, "inBundle") === true) continue;
    const name = optionalText(entry, "name") ?? path.slice(at + "node_modules/".length);
    addEntry(found, entry, { name, where, source: optionalText(entry, "resolved") });
  }
}

/** Version 1: nested as the folders are. */
function readDependencies(dependencies: Table, path: string, found: Findings): void {
  for (const [name, value] of Object.entries(dependencies)) {
    const where = `${path}[${JSON.stringify(name)}]`;
    const entry = tableAt(value, where);
    if (own(entry, "bundled") !== true) addDependency(found, entry, name, where);
    const nested = own(entry, "dependencies");
    if (isTable(nested)) readDependencies(nested, `${where}.dependencies`, found);
  }
}

function addDependency(found: Findings, entry: Table, key: string, where: string): void {
  const version = textAt(entry, "version", where);
  const [, alias, aliased] = /^npm:(.+)@([^@]+)$/.exec(version) ?? [];
  const isVersion = /^\d/.test(aliased ?? version);
  addEntry(found, { ...entry, version: aliased ?? version }, {
    name: alias ?? key,
    where,
    source: isVersion ? optionalText(entry, "resolved") : version,
  });
}

function addEntry(
  found: Findings,
  entry: Table,
  { name, where, source }: { readonly name: string; readonly where: string; readonly source: string | null },
): void {
  const why = source === null ? null : notOfRegistry(source);
  if (why !== null) return void found.skipped.push({ where, why });
  found.packages.push(
    npmPackage(
      { name, version: textAt(entry, "version", where), where },
      writtenAt(entry, "integrity", where),
    ),
  );
}

/** Why no registry is asked for what came from there; null: one is. */
export function notOfRegistry(source: string): string | null {
  if (/^(?:git|github:|gitlab:|bitbucket:)/.test(source)) return "it is a git repository";
  if (/^(?:file|link|portal|workspace):|^\.{0,2}\//.test(source)) return "it is a folder or file of its own";
  if (/^https?:/.test(source) && !isTarball(source)) return "it is an address outside of any registry";
  return null;
}

/** `…/-/name-1.0.0.tgz`, and GitHub Packages' `…/download/@scope/name/1.0.0/…`. */
function isTarball(source: string): boolean {
  return source.includes("/-/") || source.includes("/download/");
}

/** A release has one tarball: it is the one, whatever its name. */
export function npmPackage(
  entry: { readonly name: string; readonly version: string; readonly where: string },
  integrity: string | null,
): LockedPackage {
  return {
    type: "npm",
    ...entry,
    files: integrity === null ? null : lockedByDigests(integrityOf(integrity)),
  };
}
