/** Crate names, and where a sparse index keeps them (The Cargo Book, "Index Format"). */

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$/;

/** ASCII only, as crates.io has it; Cargo's own grammar for other registries is hardly wider. */
export function isCrateName(text: string): boolean {
  return NAME.test(text);
}

/**
 * The name by which a crate is known here. Index paths are lower-case and registries keep names unique whatever
 * their case, so `Inflector` and `inflector` are one crate, while `-` and `_` are told apart by every path.
 */
export function canonicalName(name: string): string {
  return name.toLowerCase();
}

/** The folder of a name: `1`, `2`, `3/s` or `se/rd`, in the name's own case. */
export function prefixOf(name: string): string {
  if (name.length <= 2) return String(name.length);
  if (name.length === 3) return `3/${name[0]}`;
  return `${name.slice(0, 2)}/${name.slice(2, 4)}`;
}

/** Below the index's root, of a canonical name: `se/rd/serde`. */
export function indexPath(name: string): string {
  return `${prefixOf(name)}/${name}`;
}

/** The file name that a release's archive has here; Cargo itself never asks for one. */
export function crateFilename(name: string, version: string): string {
  return `${canonicalName(name)}-${version}.crate`;
}
