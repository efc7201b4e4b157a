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

/** So many file names are hashed, or times read, before a pause is due. */
const NAMES_PER_STEP = 500;

/** At the first sight of a package: all of its files are original. */
export function* firstSight(
  filenames: Iterable<string>,
  at: EpochMs,
  salt: Uint8Array,
): Generator<undefined, FirstSeenBytes> {
  const hash = createKeyedHash(salt);
  const names: bigint[] = [];
  for (const filename of filenames) {
    if (names.push(hash(filename)) % NAMES_PER_STEP === 0) yield undefined;
  }
  const known = sortedOnce(names);
  yield undefined;
  return yield* encode({ salt, packageAt: at, known, later: new Map() });
}

/** null: nothing new. A file keeps the time that it has, whatever the clock says now. */
export function* addSeen(
  bytes: FirstSeenBytes,
  filenames: Iterable<string>,
  at: EpochMs,
): Generator<undefined, FirstSeenBytes | null> {
  const state = yield* decode(bytes);
  const hash = createKeyedHash(state.salt);
  const later = new Map(state.later);
  let looked = 0;
  for (const filename of filenames) {
    const name = hash(filename);
    if (!holds(state.known, name) && !later.has(name)) later.set(name, at);
    if (++looked % NAMES_PER_STEP === 0) yield undefined;
  }
  return later.size === state.later.size ? null : yield* encode({ ...state, later });
}

/** Throws StorageError for bytes that are none. */
export function* readFirstSeen(bytes: FirstSeenBytes): Generator<undefined, FirstSeenTimes> {
  const { salt, packageAt, known, later } = yield* decode(bytes);
  const hash = createKeyedHash(salt);
  function of(filename: string): FirstSeen | null {
    const name = hash(filename);
    if (holds(known, name)) return { at: packageAt, original: true };
    const at = later.get(name);
    return at === undefined ? null : { at, original: false };
  }
  return { packageAt, of };
}

interface State {
  readonly salt: Uint8Array;
  readonly packageAt: EpochMs;
  /** In ascending order, each once. */
  readonly known: BigUint64Array;
  readonly later: ReadonlyMap<bigint, EpochMs>;
}

function* encode({ salt, packageAt, known, later }: State): Generator<undefined, FirstSeenBytes> {
  const size = HEADER_BYTES + known.length * HASH_BYTES + later.size * LATER_BYTES;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes.set(salt, 1);
  view.setFloat64(1 + SALT_BYTES, packageAt);
  view.setUint32(1 + SALT_BYTES + 8, known.length);
  let at = HEADER_BYTES;
  for (const [i, name] of known.entries()) {
    view.setBigUint64(at, name);
    at += HASH_BYTES;
    if (i % NAMES_PER_STEP === 0) yield undefined;
  }
  for (const name of sortedOnce([...later.keys()])) {
    view.setBigUint64(at, name);
    view.setFloat64(at + HASH_BYTES, later.get(name)!);
    at += LATER_BYTES;
  }
  return bytes;
}

function* decode(bytes: FirstSeenBytes): Generator<undefined, State> {
  if (bytes.byteLength < HEADER_BYTES || bytes[0] !== VERSION) throw damaged();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(1 + SALT_BYTES + 8);
  const laterFrom = HEADER_BYTES + count * HASH_BYTES;
  if (laterFrom > bytes.byteLength || (bytes.byteLength - laterFrom) % LATER_BYTES !== 0) throw damaged();
  const known = new BigUint64Array(count);
  for (let i = 0; i < count; i++) {
    known[i] = view.getBigUint64(HEADER_BYTES + i * HASH_BYTES);
    if (i % NAMES_PER_STEP === 0) yield undefined;
  }
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

function sortedOnce(names: readonly bigint[]): BigUint64Array {
  const sorted = BigUint64Array.from(names).sort();
  let kept = 0;
  for (const name of sorted) {
    if (kept === 0 || sorted[kept - 1] !== name) sorted[kept++] = name;
  }
  return sorted.subarray(0, kept);
}

/** By binary search: a set of as many numbers takes six times the memory. */
function holds(sorted: BigUint64Array, name: bigint): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === name;
}

function damaged(): StorageError {
  return new StorageError("Cannot read first-seen times: the record is damaged");
}
