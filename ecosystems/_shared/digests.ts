/** Digests as registries write them: hex, and Subresource Integrity (W3C SRI §3.3). */
import { Buffer } from "node:buffer";
import type { Digest, DigestAlgorithm } from "../../policy/types.ts";

const HEX_LENGTH: Readonly<Record<DigestAlgorithm, number>> = {
  "md5": 32,
  "sha1": 40,
  "sha256": 64,
  "sha384": 96,
  "sha512": 128,
  "blake2b-256": 64,
};

const SRI_ENTRY = /^(sha1|sha256|sha384|sha512)-([A-Za-z0-9+/]+={0,2})(?:\?.*)?$/;

/** The digest that `hex` writes, in any case; null unless its length is the algorithm's. */
export function hexDigest(algorithm: DigestAlgorithm, hex: string): Digest | null {
  if (hex.length !== HEX_LENGTH[algorithm] || !/^[0-9a-fA-F]+$/.test(hex)) return null;
  return { algorithm, hex: hex.toLowerCase() };
}

/** The digests of an SRI text, in its order; entries that cannot be read or are of another kind are left out. */
export function parseIntegrity(text: string): readonly Digest[] {
  // Nearly always there is one: a packument has thousands of them.
  const entries = text.includes(" ") ? text.split(/\s+/) : [text];
  return entries.map(parseEntry).filter((digest) => digest !== null);
}

function parseEntry(entry: string): Digest | null {
  const match = SRI_ENTRY.exec(entry);
  if (match === null) return null;
  const algorithm = match[1] as DigestAlgorithm;
  // Its length first: Deno 2.5 throws on base64 of an impossible length.
  if (match[2]!.length !== Math.ceil(HEX_LENGTH[algorithm] / 6) * 4) return null;
  const hex = Buffer.from(match[2]!, "base64").toString("hex");
  return hex.length === HEX_LENGTH[algorithm] ? { algorithm, hex } : null;
}

/** `sha512-…` as SRI writes it. */
export function formatIntegrity(digest: Digest): string {
  return `${digest.algorithm}-${Buffer.from(digest.hex, "hex").toString("base64")}`;
}
