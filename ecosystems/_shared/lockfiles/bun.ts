/** `bun.lock`: JSON with trailing commas (bun.sh/docs/install/lockfile). */
import { parse, type ParseError, printParseErrorCode } from "jsonc-parser";
import { notOfRegistry, npmPackage } from "./npm.ts";
import { findings, optionalTable, own, tableAt } from "./shape.ts";
import type { LockfileReader } from "./types.ts";

export const readBunLock: LockfileReader = (text) => {
  const lock = tableAt(parsed(text), "bun.lock");
  if (typeof own(lock, "lockfileVersion") !== "number") {
    throw new SyntaxError("lockfileVersion: expected a number, as bun writes it");
  }
  const found = findings();
  for (const [key, value] of Object.entries(optionalTable(lock, "packages"))) {
    const where = `packages[${JSON.stringify(key)}]`;
    const [locked, ...rest] = Array.isArray(value) ? value : [];
    const [, name, version] = /^(@?[^@]+)@(.+)$/.exec(typeof locked === "string" ? locked : "") ?? [];
    if (name === undefined || version === undefined) {
      throw new SyntaxError(`${where}: expected a list that begins with a name and a version`);
    }
    const why = notOfRegistry(version);
    // Behind the registry and what it depends on.
    const integrity = rest.slice(1).findLast((each): each is string =>
      typeof each === "string" && each !== ""
    );
    if (version.startsWith("workspace:")) continue;
    if (why !== null) found.skipped.push({ where, why });
    else found.packages.push(npmPackage({ name, version, where }, integrity ?? null));
  }
  return found;
};

function parsed(text: string): unknown {
  const errors: ParseError[] = [];
  const value = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined) return value;
  const line = text.slice(0, first.offset).split("\n").length;
  throw new SyntaxError(`line ${line}: expected JSON (${printParseErrorCode(first.error)})`);
}
