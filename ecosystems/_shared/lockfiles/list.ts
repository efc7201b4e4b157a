/** A list of purls, one a line; `#` begins a comment. */
import { parsePurl } from "../purl.ts";
import { findings, quoted } from "./shape.ts";
import type { LockedPackage, LockfileReader } from "./types.ts";

export const readList: LockfileReader = (text) => {
  const found = findings();
  for (const [at, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(?:^|\s)#.*$/, "").trim();
    if (line !== "") found.packages.push(packageOf(line, `line ${at + 1}`));
  }
  return found;
};

/** `pkg:npm/left-pad@1.3.0` or `npm/left-pad@1.3.0`; without a version the newest. Throws SyntaxError, with `where`. */
export function packageOf(text: string, where: string): LockedPackage {
  const purl = /^[a-z][a-z0-9.+-]*\/./.test(text) ? `pkg:${text}` : text;
  const read = parsePurl(purl);
  if (read !== null) return { ...read, files: null, where };
  throw new SyntaxError(`${where}: expected a purl such as pkg:npm/left-pad@1.3.0, found ${quoted(text)}`);
}
