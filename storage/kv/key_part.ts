/** Parts of a KV key, made from text that strangers choose. */
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";

/** Above this many bytes of UTF-8 a part is named by its digest: seven such parts still fit KV's 2,048. */
export const MAX_KEY_PART_BYTES = 256;

const HASHED = "~sha256:";
const encoder = new TextEncoder();

/**
 * Different texts give different parts. Long texts, and such as are not well-formed (KV would store every lone
 * surrogate as the same character), are named by the digest of their code units; so is what begins with `~`,
 * which keeps the two apart.
 */
export function keyPart(text: string): string {
  // KV escapes NUL, so that a part of them would be twice as long as it looks.
  if (text.startsWith("~") || text.includes("\0") || !text.isWellFormed()) return hashed(text);
  if (text.length <= MAX_KEY_PART_BYTES / 3) return text;
  return encoder.encode(text).byteLength <= MAX_KEY_PART_BYTES ? text : hashed(text);
}

function hashed(text: string): string {
  return HASHED + createHash("sha256").update(Buffer.from(text, "utf16le")).digest("hex");
}
