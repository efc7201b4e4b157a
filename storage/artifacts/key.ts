/** Names of blobs: what may be one, and how it is written. */
import type { BlobKey } from "./store.ts";

const HEX = /^[0-9a-f]{64}$/;
const KEY = /^sha256\/([0-9a-f]{2})\/(\1[0-9a-f]{62})$/;

/** The name of the bytes with this SHA-256 (64 lower-case hex digits); throws TypeError for anything else. */
export function blobKey(sha256Hex: string): BlobKey {
  if (!HEX.test(sha256Hex)) {
    throw new TypeError(`Cannot name a blob ${JSON.stringify(sha256Hex)}: not a SHA-256 in lower-case hex`);
  }
  return `sha256/${sha256Hex.slice(0, 2)}/${sha256Hex}` as BlobKey;
}

/** Reads a name that came from outside (a folder, a bucket, a record); null where it is none. */
export function parseBlobKey(text: string): BlobKey | null {
  return KEY.test(text) ? text as BlobKey : null;
}

/** The digest in the name, lower-case hex. */
export function sha256Of(key: BlobKey): string {
  return key.slice(-64);
}

/**
 * The name, once more held against its grammar; throws TypeError.
 * WARNING: drivers build paths from names, and a name may have been read from a record that somebody altered.
 */
export function checkedKey(key: BlobKey): BlobKey {
  if (parseBlobKey(key) === null) {
    throw new TypeError(`Cannot use the blob name ${JSON.stringify(key)}: it is not sha256/{2}/{64}`);
  }
  return key;
}
