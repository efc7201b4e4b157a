/** Any file that says which packages are wanted: told apart by its name, else by how it begins. */
import { readCycloneDx, readCycloneDxXml, readSpdx, readSpdxTags } from "./bom.ts";
import { readBunLock } from "./bun.ts";
import { readCargoLock } from "./cargo.ts";
import { readList } from "./list.ts";
import { readPackageLock } from "./npm.ts";
import { readPnpmLock } from "./pnpm.ts";
import { readPipfileLock, readPoetryLock, readPylock, readUvLock } from "./python.ts";
import { readRequirements } from "./requirements.ts";
import type { Lockfile, LockfileReader } from "./types.ts";
import { readYarnLock } from "./yarn.ts";

interface Format {
  readonly id: string;
  readonly isNamed: (name: string) => boolean;
  /** Of a file with another name; asked in this order. */
  readonly begins?: RegExp;
  readonly read: LockfileReader;
}

const FORMATS: readonly Format[] = [
  {
    id: "package-lock.json",
    isNamed: among("package-lock.json", "npm-shrinkwrap.json"),
    read: readPackageLock,
  },
  { id: "pnpm-lock.yaml", isNamed: among("pnpm-lock.yaml"), read: readPnpmLock },
  { id: "yarn.lock", isNamed: among("yarn.lock"), read: readYarnLock },
  { id: "bun.lock", isNamed: among("bun.lock"), read: readBunLock },
  { id: "uv.lock", isNamed: among("uv.lock"), read: readUvLock },
  { id: "poetry.lock", isNamed: among("poetry.lock"), read: readPoetryLock },
  { id: "Pipfile.lock", isNamed: among("pipfile.lock"), read: readPipfileLock },
  { id: "pylock.toml", isNamed: (name) => /^pylock(?:\.[^.]+)?\.toml$/.test(name), read: readPylock },
  { id: "Cargo.lock", isNamed: among("cargo.lock"), read: readCargoLock },
  {
    id: "requirements.txt",
    isNamed: (name) => /(?:^|[-_.])(?:requirements|constraints)[^/]*\.(?:txt|in)$/.test(name),
    begins: /^(?:[ \t]*(?:#[^\n]*|--?[a-z][^\n]*|\r)?\n)*[ \t]*[A-Za-z0-9][\w.-]*(?:\[[^\]\n]*\])?\s*==/,
    read: readRequirements,
  },
  {
    id: "CycloneDX (JSON)",
    isNamed: (name) => /^bom\.json$|\.cdx\.json$/.test(name),
    begins: /^\s*\{[\s\S]*"bomFormat"\s*:\s*"CycloneDX"/,
    read: readCycloneDx,
  },
  {
    id: "CycloneDX (XML)",
    isNamed: (name) => /^bom\.xml$|\.cdx\.xml$/.test(name),
    begins: /^\s*<(?:[\s\S]*<)?(?:\w+:)?bom\b/,
    read: readCycloneDxXml,
  },
  {
    id: "SPDX (JSON)",
    isNamed: (name) => /\.spdx3?\.json(?:ld)?$/.test(name),
    begins: /^\s*\{[\s\S]*(?:"spdxVersion"|spdx\.org\/rdf)/,
    read: readSpdx,
  },
  {
    id: "SPDX (tag-value)",
    isNamed: (name) => name.endsWith(".spdx"),
    begins: /^(?:[ \t]*(?:#[^\n]*|\r)?\n)*SPDXVersion:/,
    read: readSpdxTags,
  },
  {
    id: "list of purls",
    isNamed: () => false,
    begins: /^(?:[ \t]*(?:#[^\n]*|\r)?\n)*[ \t]*(?:pkg:|[a-z][a-z0-9]*\/\S)/,
    read: readList,
  },
];

/** What can be read, for a message. */
export const LOCKFILE_FORMATS: readonly string[] = FORMATS.map(({ id }) => id);

const LOOKED_AT = 65_536;

/**
 * `name` is a file's path or name; it and the place of a mistake begin every message. Throws SyntaxError for what is
 * none of the formats, or not well-formed.
 */
export function readLockfile(name: string, text: string): Lockfile {
  // As Windows' editors write it: with a mark at the beginning, and other line ends.
  const plain = (text.startsWith("\ufeff") ? text.slice(1) : text).replaceAll("\r\n", "\n");
  const format = formatOf(name, plain);
  if (format === null) {
    throw new SyntaxError(
      `${name}: expected one of ${
        LOCKFILE_FORMATS.join(", ")
      }; neither its name nor its beginning says which`,
    );
  }
  try {
    return { format: format.id, ...format.read(plain) };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new SyntaxError(`${name}: ${cause.message}`, { cause });
  }
}

function formatOf(name: string, text: string): Format | null {
  const last = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1).toLowerCase();
  const beginning = text.slice(0, LOOKED_AT);
  return FORMATS.find(({ isNamed }) => isNamed(last)) ??
    FORMATS.find(({ begins }) => begins?.test(beginning)) ?? null;
}

function among(...names: readonly string[]): (name: string) => boolean {
  return (name) => names.includes(name);
}
