/** Digests as lockfiles write them. One that is written and says nothing of any bytes is never as good as none. */
import type { Digest, DigestAlgorithm } from "../../../policy/types.ts";
import { hexDigest, parseIntegrity } from "../digests.ts";
import { own, quoted, type Table } from "./shape.ts";
import type { LockedFile } from "./types.ts";

/** Of which a file's own can be computed, the weakest first. */
const COMPUTED: readonly DigestAlgorithm[] = ["sha1", "sha256", "sha384", "sha512"];

/** What was read of one that is written: itself, or why it cannot be held against a file. */
export type WrittenDigest = Digest | { readonly unread: string };

/** `sha256:…` or `sha256=…`. Throws SyntaxError for what is no hash at all. */
export function hashOf(text: string, where: string): WrittenDigest {
  const [, algorithm = "", hex = ""] = /^([a-z0-9-]+)[:=](\S+)$/.exec(text.trim()) ?? [];
  if (hex !== "") return digestOf(algorithm, hex, text.trim());
  throw new SyntaxError(`${where}: expected a hash such as sha256:…, found ${quoted(text)}`);
}

/** `written`: as the lockfile has it. */
export function digestOf(algorithm: string, hex: string, written: string): WrittenDigest {
  const known = COMPUTED.find((each) => each === algorithm);
  if (known === undefined) return cannotBeChecked(written);
  return hexDigest(known, hex) ?? { unread: `${quoted(written)}, which is no ${known} digest` };
}

/** Subresource Integrity: the strongest algorithm counts, of which any digest will do (W3C SRI §3.3.4). */
export function integrityOf(text: string): readonly WrittenDigest[] {
  const entries = text.trim().split(/\s+/);
  const strongest = COMPUTED.findLast((each) => entries.some((entry) => entry.startsWith(`${each}-`)));
  if (strongest === undefined) return [cannotBeChecked(text)];
  return entries.filter((entry) => entry.startsWith(`${strongest}-`)).map((entry) =>
    parseIntegrity(entry)[0] ?? { unread: `${quoted(entry)}, which is no ${strongest} digest` }
  );
}

function cannotBeChecked(written: string): WrittenDigest {
  return { unread: `${quoted(written)}, which cannot be checked (only ${COMPUTED.join(", ")} can)` };
}

/** One file, by all that is written of it: one digest that was understood is enough. */
export function lockedFile(filename: string | null, written: readonly WrittenDigest[]): LockedFile {
  const digests = written.filter((each): each is Digest => !("unread" in each));
  const unread = written.find((each) => "unread" in each);
  return digests.length > 0 || unread === undefined
    ? { filename, digests }
    : { filename, digests, unread: unread.unread };
}

/** A release of which a line names digests alone; null where it names none: all files. */
export function lockedByDigests(written: readonly WrittenDigest[]): readonly LockedFile[] | null {
  return written.length === 0 ? null : [lockedFile(null, written)];
}

/** null where nothing is written. Throws SyntaxError for what is no text. */
export function writtenAt(table: Table, key: string, where: string): string | null {
  const value = own(table, key) ?? null;
  if (value === null || value === "") return null;
  if (typeof value === "string") return value;
  throw new SyntaxError(`${where}: expected a text as ${key}, found ${quoted(JSON.stringify(value))}`);
}
