/** `yarn.lock` of yarn 1 and of berry (yarn 2 and later), by yarn's own parser. */
import { parseSyml } from "@yarnpkg/parsers";
import { digestOf, lockedFile, writtenAt } from "./locked.ts";
import { notOfRegistry, npmPackage } from "./npm.ts";
import {
  type Findings,
  findings,
  firstLine,
  isTable,
  optionalText,
  own,
  type Table,
  textAt,
} from "./shape.ts";
import type { LockfileReader } from "./types.ts";

export const readYarnLock: LockfileReader = (text) => {
  const lock = parsed(text);
  const isBerry = isTable(own(lock, "__metadata"));
  const found = findings();
  const seen = new Set<string>();
  for (const [key, value] of Object.entries(lock)) {
    if (key === "__metadata") continue;
    const where = JSON.stringify(key);
    if (!isTable(value)) throw new SyntaxError(`${where}: expected an entry with a version`);
    if (isBerry) readBerry(found, value, where);
    // yarn 1 writes one entry for several ranges: the parser has one for each.
    else if (isNew(seen, value)) readClassic(found, value, key, where);
  }
  return found;
};

function parsed(text: string): Table {
  try {
    return parseSyml(text);
  } catch (cause) {
    throw new SyntaxError(`expected what yarn writes: ${firstLine(cause)}`, { cause });
  }
}

function isNew(seen: Set<string>, entry: Table): boolean {
  const id = JSON.stringify([own(entry, "version"), own(entry, "resolved") ?? seen.size]);
  if (seen.has(id)) return false;
  seen.add(id);
  return true;
}

function readClassic(found: Findings, entry: Table, key: string, where: string): void {
  const version = textAt(entry, "version", where);
  const resolved = optionalText(entry, "resolved");
  const [, own = "", range = ""] = /^(@?[^@]+)@(.*)$/.exec(key) ?? [];
  if (own === "") throw new SyntaxError(`${where}: expected a name and a range, such as left-pad@^1.3.0`);
  const name = /^npm:(@?[^@]+)@/.exec(range)?.[1] ?? own;
  const why = notOfRegistry(resolved ?? range);
  if (why !== null) return void found.skipped.push({ where, why });
  const locked = npmPackage({ name, version, where }, writtenAt(entry, "integrity", where));
  const [, sha1 = ""] = /#(.*)$/.exec(resolved ?? "") ?? [];
  const tarball = sha1 === "" ? [] : [lockedFile(null, [digestOf("sha1", sha1, `#${sha1}`)])];
  // yarn holds the file against both.
  const files = [...locked.files ?? [], ...tarball];
  found.packages.push({ ...locked, files: files.length === 0 ? null : files });
}

/** Its checksum is that of the zip that yarn makes, so none of the registry's bytes. */
function readBerry(found: Findings, entry: Table, where: string): void {
  const resolution = textAt(entry, "resolution", where);
  const [, name, protocol, rest] = /^(@?[^@]+)@([a-z+]+):(.*)$/.exec(resolution) ?? [];
  if (name === undefined || protocol === undefined || rest === undefined) {
    throw new SyntaxError(`${where}: expected a resolution such as left-pad@npm:1.3.0`);
  }
  if (protocol === "workspace") return;
  // What is patched stands there by itself too.
  if (protocol === "patch" || protocol === "virtual") return;
  if (protocol !== "npm") {
    const why = notOfRegistry(`${protocol}:${rest}`) ?? `it is of the protocol ${protocol}:`;
    return void found.skipped.push({ where, why });
  }
  found.packages.push(npmPackage({ name, version: rest.split("::", 1)[0]!, where }, null));
}
