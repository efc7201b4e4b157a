/** `pnpm-lock.yaml`, lockfileVersion 5 to 9 (github.com/pnpm/spec, "lockfile"). */
import { parse } from "yaml";
import { writtenAt } from "./locked.ts";
import { notOfRegistry, npmPackage } from "./npm.ts";
import { findings, firstLine, isTable, optionalTable, optionalText, own, tableAt } from "./shape.ts";
import type { LockfileReader } from "./types.ts";

export const readPnpmLock: LockfileReader = (text) => {
  const lock = tableAt(parsed(text), "pnpm-lock.yaml");
  const format = Number.parseFloat(String(own(lock, "lockfileVersion")));
  if (!(format >= 5)) throw new SyntaxError("lockfileVersion: expected 5 or above, as pnpm writes it");
  const found = findings();
  for (const [key, value] of Object.entries(optionalTable(lock, "packages"))) {
    const where = `packages[${JSON.stringify(key)}]`;
    const entry = tableAt(value, where);
    const resolution = own(entry, "resolution");
    const { tarball = null, integrity = null, type = null } = isTable(resolution)
      ? {
        tarball: optionalText(resolution, "tarball"),
        integrity: writtenAt(resolution, "integrity", where),
        type: optionalText(resolution, "type"),
      }
      : {};
    const why = type === "git" || type === "directory"
      ? notOfRegistry(type === "git" ? "git:" : "file:")
      : tarball === null
      ? null
      : notOfRegistry(tarball);
    const named = nameAndVersion(key, format);
    if (why !== null) found.skipped.push({ where, why });
    else if (named === null) {
      throw new SyntaxError(`${where}: expected a name and a version, such as left-pad@1.3.0`);
    } else found.packages.push(npmPackage({ ...named, where }, integrity));
  }
  return found;
};

function parsed(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100, logLevel: "error" });
  } catch (cause) {
    throw new SyntaxError(`expected YAML: ${firstLine(cause)}`, { cause });
  }
}

/** 9: `name@1.0.0`; 6: `/name@1.0.0(peer@2.0.0)`; 5: `/name/1.0.0_peer@2.0.0`. */
function nameAndVersion(key: string, format: number) {
  const plain = key.replace(/\(.*$/, "");
  const pattern = format < 6
    ? /^[^/]*\/((?:@[^/]+\/)?[^/@]+)\/([^_/]+)(?:_.*)?$/
    : /^\/?((?:@[^/]+\/)?[^/@]+)@([^@/]+)$/;
  const [, name, version] = pattern.exec(plain) ?? [];
  return name === undefined || version === undefined ? null : { name, version };
}
