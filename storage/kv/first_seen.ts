/**
 * When a package and its files were first seen. Grows only: the files that were there at the first sight of the
 * package as eight bytes each, those that came later with their time. The hash is keyed with random bytes of the
 * record's own, so that nobody can look for a filename that is taken for another.
 */
import type { EpochMs, FirstSeen } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { createKeyedHash, HASH_KEY_BYTES } from "./keyed_hash.ts";
import type { FirstSeenTimes } from "./packages.ts";

const SALT_BYTES = HASH_KEY_BYTES;
const HASH_BYTES = 8;
const LATER_BYTES = 16;
const HEADER_BYTES = 1 + SALT_BYTES + 8 + 4;
const VERSION = 1;

/**
 * Bytes: version, salt, time of the package (float64), number of original files (uint32), their sorted hashes,
 * then `hash, time (float64)` for each later file, sorted by hash.
 */
export type FirstSeenBytes = Uint8Array;

/** At the first sight of a package: all of its files are original. */
export function firstSight(filenames: Iterable<string>, at: EpochMs, salt: Uint8Array): FirstSeenBytes {
  const hash = createKeyedHash(salt);
  const known = new Set<bigint>();
  for (const filename of filenames) known.add(hash(filename));
  return encode({ salt, packageAt: at, known: sorted(known), later: new Map() });
}

/** null: nothing new. A file keeps the time that it has, whatever the clock says now. */
export function addSeen(
  bytes: FirstSeenBytes,
  filenames: Iterable<string>,
  at: EpochMs,
): FirstSeenBytes | null {
  const state = decode(bytes);
  const hash = createKeyedHash(state.salt);
  const known = new Set(state.known);
  const later = new Map(state.later);
  for (const filename of filenames) {
    const name = hash(filename);
    if (!known.has(name) && !later.has(name)) later.set(name, at);
  }
  return later.size === state.later.size ? null : encode({ ...state, later });
}

/** Throws StorageError for bytes that are none. */
export function readFirstSeen(bytes: FirstSeenBytes): FirstSeenTimes {
  const { salt, packageAt, known, later } = decode(bytes);
  const hash = createKeyedHash(salt);
  const original = new Set(known);
  function of(filename: string): FirstSeen | null {
    const name = hash(filename);
    if (original.has(name)) return { at: packageAt, original: true };
    const at = later.get(name);
    return at === undefined ? null : { at, original: false };
  }
  return { packageAt, of };
}

interface State {
  readonly salt: Uint8Array;
  readonly packageAt: EpochMs;
  readonly known: readonly bigint[];
  readonly later: ReadonlyMap<bigint, EpochMs>;
}

function encode({ salt, packageAt, known, later }: State): FirstSeenBytes {
  const size = HEADER_BYTES + known.length * HASH_BYTES + later.size * LATER_BYTES;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes.set(salt, 1);
  view.setFloat64(1 + SALT_BYTES, packageAt);
  view.setUint32(1 + SALT_BYTES + 8, known.length);
  let at = HEADER_BYTES;
  for (const name of known) {
    view.setBigUint64(at, name);
    at += HASH_BYTES;
  }
  for (const name of sorted(later.keys())) {
    view.setBigUint64(at, name);
    view.setFloat64(at + HASH_BYTES, later.get(name)!);
    at += LATER_BYTES;
  }
  return bytes;
}

function decode(bytes: FirstSeenBytes): State {
  if (bytes.byteLength < HEADER_BYTES || bytes[0] !== VERSION) throw damaged();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(1 + SALT_BYTES + 8);
  const laterFrom = HEADER_BYTES + count * HASH_BYTES;
  if (laterFrom > bytes.byteLength || (bytes.byteLength - laterFrom) % LATER_BYTES !== 0) throw damaged();
  const known: bigint[] = [];
  for (let at = HEADER_BYTES; at < laterFrom; at += HASH_BYTES) known.push(view.getBigUint64(at));
  const later = new Map<bigint, EpochMs>();
  for (let at = laterFrom; at < bytes.byteLength; at += LATER_BYTES) {
    later.set(view.getBigUint64(at), view.getFloat64(at + HASH_BYTES) as EpochMs);
  }
  return {
    salt: bytes.slice(1, 1 + SALT_BYTES),
    packageAt: view.getFloat64(1 + SALT_BYTES) as EpochMs,
    known,
    later,
  };
}

function sorted(names: Iterable<bigint>): bigint[] {
  return [...names].sort((a, b) => a < b ? -1 : a > b ? 1 : 0);
}

function damaged(): StorageError {
  return new StorageError("Cannot read first-seen times: the record is damaged");
}
