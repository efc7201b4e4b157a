/** `requirements.txt` as pip reads it (pip.pypa.io, "Requirements File Format"): pinned lines, with hashes or without. */
import { hashOf, lockedByDigests } from "./locked.ts";
import { findings, quoted } from "./shape.ts";
import type { LockfileReader } from "./types.ts";

export const readRequirements: LockfileReader = (text) => {
  const found = findings();
  for (const { line, number } of logicalLines(text)) {
    const where = `line ${number}`;
    if (line === "") continue;
    const why = skippedBecause(line);
    if (why === "option") continue;
    if (why !== null) found.skipped.push({ where, why });
    else found.packages.push(pinned(line, where));
  }
  return found;
};

/** A backslash at its end continues a line; ` #` begins a comment. Blanks are single: nothing is matched twice. */
function* logicalLines(text: string): Generator<{ readonly line: string; readonly number: number }> {
  let parts: string[] = [];
  let number = 1;
  for (const [at, raw] of text.split("\n").entries()) {
    const plain = raw.replace(/\s+/g, " ").trim();
    const isComment = plain.startsWith("#");
    const line = isComment ? "" : plain.replace(/ #.*$/, "");
    if (parts.length === 0) number = at + 1;
    const goesOn = line.endsWith("\\") || (isComment && parts.length > 0);
    parts.push(line.endsWith("\\") ? line.slice(0, -1) : line);
    if (goesOn) continue;
    yield { line: parts.join("").replace(/ +/g, " ").trim(), number };
    parts = [];
  }
  if (parts.length > 0) yield { line: parts.join("").replace(/ +/g, " ").trim(), number };
}

/** Why a line asks no registry for anything; null: it does. */
function skippedBecause(line: string): "option" | string | null {
  if (/^(?:-r|-c|--requirement|--constraint)\b/.test(line)) return "it names another file: give that one too";
  if (/^(?:-e|--editable)\b/.test(line)) return "it is a folder of its own";
  if (line.startsWith("-")) return "option";
  if (/^[^=<>!~;]+@\s/.test(line) || /^(?:git\+|https?:|file:)/.test(line)) {
    return "it is an address outside of any registry";
  }
  return /^(?:\.{0,2}\/|\S+\.(?:whl|tar\.gz|zip)(?:\s|$))/.test(line)
    ? "it is a file or folder of its own"
    : null;
}

function pinned(line: string, where: string) {
  const [requirement = "", ...options] = line.split(/ --/);
  const [, name, version] =
    /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;,*]+)\s*(?:;.*)?$/.exec(requirement) ??
      [];
  if (name === undefined || version === undefined) {
    throw new SyntaxError(
      `${where}: expected a pinned version such as requests==2.32.3, found ${quoted(line)}`,
    );
  }
  const hashes = options.flatMap((option) => {
    const [isHash, hash = ""] = /^hash(?:$|[=\s]\s*(.*))/.exec(option.trim()) ?? [];
    return isHash === undefined ? [] : [hashOf(hash, where)];
  });
  return { type: "pypi", name, version, files: lockedByDigests(hashes), where };
}
