/**
 * A pull scanner over raw JSON bytes: it finds where the members of the wanted objects stand without building
 * the tree. What it skips is checked as strictly as JSON.parse does, so that no two readers can disagree.
 */
import { Buffer } from "node:buffer";
import { createKeyTable, HASH_SEED, hashByte } from "./json_keys.ts";
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  skipEscape,
  skipPlainWords,
  skipScalar,
  skipSpace,
  skipUtf8,
  SPECIAL,
} from "./json_text.ts";

/** Offsets are in bytes from the start of the document. All methods throw SyntaxError on what JSON.parse refuses. */
export interface JsonCursor {
  /** Steps into the object at hand; false, and nothing moves, where the value is something else. */
  enter(): boolean;
  /**
   * The next member's key, decoded, of the object entered last; null at its end, which leaves it. A value that
   * was not read is skipped. A key that comes twice is a SyntaxError, and so is a known key that is written with
   * escapes: nobody has a reason to, and not every reader takes it for the same key.
   */
  key(): string | null;
  /** True where the last key is one of the known: a cheap question before a dear comparison. */
  readonly isKnown: boolean;
  /** Where the last key's opening quote is. */
  readonly keyStart: number;
  /** Where the value at hand starts; once it was read, where it ends. */
  readonly position: number;
  /** Skips the value at hand; false: it is time for a pause, then call again. One string is never interrupted. */
  skip(): boolean;
  /** Reads the value at hand if it is a string; null, and nothing moves, where it is something else. */
  string(): string | null;
  /** Reads the value at hand whole: for small ones. */
  value(): unknown;
  /** True about every 64 kB; asking starts the next stretch. */
  pauseDue(): boolean;
  /** Requires that nothing but white space follows. */
  finish(): void;
  /** Goes to the member whose key's quote is at `offset`, outside of every object entered: its value is at hand. */
  seekMember(offset: number): void;
}

/** Bounds and hints; the defaults hold for every registry document known. */
export interface JsonCursorOptions {
  /** What is read, for messages: `packument "left-pad"`. */
  readonly label: string;
  /** Keys that will be looked for: they are returned as these very strings, and must be written plainly. */
  readonly known?: readonly string[];
  readonly maxDepth?: number;
  /** How many different keys the entered objects may have together. */
  readonly maxKeys?: number;
}

const STRETCH_BYTES = 64 * 1024;

/** A cursor at the document's one value. `bytes` is read, never written to, and must not change meanwhile. */
export function createJsonCursor(bytes: Uint8Array, options: JsonCursorOptions): JsonCursor {
  const b = bytes;
  const buffer = Buffer.from(b.buffer, b.byteOffset, b.byteLength);
  const words = new DataView(b.buffer, b.byteOffset, b.byteLength);
  const wordsEnd = b.length - 4;
  const maxDepth = options.maxDepth ?? 512;
  const knownKeys = options.known?.length ?? 0;
  const keys = createKeyTable({
    bytes: b,
    known: options.known ?? [],
    maxKeys: options.maxKeys ?? 1_000_000,
    label: options.label,
    decode: (start, end, plain) =>
      plain ? buffer.toString("latin1", start, end) : JSON.parse(buffer.toString("utf8", start - 1, end + 1)),
  });

  let i = skipSpace(b, 0);
  let keyStart = 0;
  let isKnown = false;
  let plain = true;
  let pending = true;
  let pauseAt = STRETCH_BYTES;
  // Objects entered: which key was last seen at this depth in which object, so that twice is noticed.
  let level = 0;
  let serial = 0;
  const serials: number[] = [];
  const fresh: boolean[] = [];
  const seen: Int32Array[] = [];
  // The value that is being skipped: 1 for an object, 0 for an array.
  const stack = new Uint8Array(maxDepth);
  let depth = 0;
  let skipping = false;
  let inKey = false;

  function fail(at: number, what: string): never {
    throw new SyntaxError(`Cannot read ${options.label}: ${what} at byte ${at}`);
  }

  function expect(byte: number, what: string): void {
    if (b[i] !== byte) fail(i, `expected ${what}`);
    i++;
  }

  /** From after the opening quote to after the closing one. */
  function skipString(): void {
    // Locals: the shared offset lives on the heap, and this loop sees most bytes of a document.
    const special = SPECIAL;
    let k = i;
    plain = true;
    for (;;) {
      k = skipPlainWords(words, k, wordsEnd);
      while (special[b[k]!] === 0) k++;
      const c = b[k]!;
      if (c === QUOTE) break;
      plain = false;
      const next = c === BACKSLASH ? skipEscape(b, k) : c >= 0x80 ? skipUtf8(b, k) : -1;
      if (next < 0) fail(k, k >= b.length ? "a string has no end" : "not a valid character in a string");
      k = next;
    }
    i = k + 1;
  }

  function skipColon(): void {
    i = skipSpace(b, i);
    expect(COLON, "a colon");
    i = skipSpace(b, i);
  }

  function push(kind: number): void {
    if (depth + level >= maxDepth) fail(i, `nested deeper than ${maxDepth} levels`);
    stack[depth++] = kind;
    i = skipSpace(b, i + 1);
  }

  /** Skips one value or the start of one; true: a value ended at `i`. */
  function skipToken(): boolean {
    if (inKey) {
      i = skipSpace(b, i);
      expect(QUOTE, "a key");
      skipString();
      skipColon();
      inKey = false;
    }
    switch (b[i]) {
      case QUOTE:
        i++;
        skipString();
        return true;
      case OPEN_OBJECT:
        push(1);
        inKey = b[i] !== CLOSE_OBJECT;
        return closeEmpty(CLOSE_OBJECT);
      case OPEN_ARRAY:
        push(0);
        return closeEmpty(CLOSE_ARRAY);
      default: {
        const next = skipScalar(b, i);
        if (next < 0) fail(i, "expected a value");
        i = next;
        return true;
      }
    }
  }

  function closeEmpty(close: number): boolean {
    if (b[i] !== close) return false;
    i++;
    depth--;
    return true;
  }

  /** After a value: closes what ends here. True: the value that `skip` began with is whole. */
  function closeEnded(): boolean {
    while (depth > 0) {
      i = skipSpace(b, i);
      const c = b[i];
      const isObject = stack[depth - 1] === 1;
      if (c === COMMA) {
        i = skipSpace(b, i + 1);
        inKey = isObject;
        return false;
      }
      if (c !== (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) fail(i, "expected a comma or a closing bracket");
      i++;
      depth--;
    }
    return true;
  }

  function skipUntil(limit: number): boolean {
    skipping = true;
    for (;;) {
      if (i > limit) return false;
      if (skipToken() && closeEnded()) break;
    }
    skipping = false;
    pending = false;
    return true;
  }

  function skip(): boolean {
    if (!pending || skipUntil(pauseAt)) return true;
    pauseAt = i + STRETCH_BYTES;
    return false;
  }

  function enter(): boolean {
    if (!pending || skipping || b[i] !== OPEN_OBJECT) return false;
    if (level >= maxDepth) fail(i, `nested deeper than ${maxDepth} levels`);
    serials[level] = ++serial;
    fresh[level] = true;
    level++;
    i++;
    pending = false;
    return true;
  }

  /** Reads the raw key after its quote, and returns its number. */
  function readKey(): number {
    const special = SPECIAL;
    const start = i;
    let hash = HASH_SEED;
    let k = i;
    for (let c = b[k]!; special[c] === 0; c = b[++k]!) hash = hashByte(hash, c);
    if (b[k] === QUOTE) {
      i = k + 1;
      return keys.find(start, k, hash, true);
    }
    skipString();
    return keys.find(start, i - 1, 0, false);
  }

  function isRepeated(id: number): boolean {
    let marks = seen[level];
    if (marks === undefined || id >= marks.length) {
      const grown = new Int32Array(Math.max(256, id * 2));
      if (marks !== undefined) grown.set(marks);
      seen[level] = marks = grown;
    }
    const repeated = marks[id] === serials[level - 1];
    marks[id] = serials[level - 1]!;
    return repeated;
  }

  function key(): string | null {
    if (pending) skipUntil(Infinity);
    if (level === 0) throw new Error("No object was entered");
    i = skipSpace(b, i);
    const first = fresh[level - 1]!;
    fresh[level - 1] = false;
    if (b[i] === CLOSE_OBJECT) {
      i++;
      level--;
      return null;
    }
    if (!first) {
      expect(COMMA, "a comma");
      i = skipSpace(b, i);
    }
    keyStart = i;
    expect(QUOTE, "a key");
    plain = true;
    const id = readKey();
    isKnown = id < knownKeys;
    if (!plain && isKnown) {
      fail(keyStart, `key ${JSON.stringify(keys.text(id))} is written with escapes,`);
    }
    if (isRepeated(id)) fail(keyStart, `key ${JSON.stringify(keys.text(id))} comes twice,`);
    skipColon();
    pending = true;
    return keys.text(id);
  }

  function string(): string | null {
    if (!pending || skipping || b[i] !== QUOTE) return null;
    const start = i++;
    skipString();
    pending = false;
    return plain
      ? buffer.toString("latin1", start + 1, i - 1)
      : JSON.parse(buffer.toString("utf8", start, i));
  }

  function value(): unknown {
    const start = i;
    if (pending) skipUntil(Infinity);
    return JSON.parse(buffer.toString("utf8", start, i));
  }

  return {
    enter,
    key,
    get isKnown() {
      return isKnown;
    },
    get keyStart() {
      return keyStart;
    },
    get position() {
      return i;
    },
    skip,
    string,
    value,
    pauseDue() {
      if (i < pauseAt) return false;
      pauseAt = i + STRETCH_BYTES;
      return true;
    },
    finish() {
      if (pending) skipUntil(Infinity);
      i = skipSpace(b, i);
      if (level !== 0 || i !== b.length) fail(i, "expected the end of the document");
    },
    seekMember(offset) {
      i = keyStart = offset;
      level = 0;
      depth = 0;
      skipping = inKey = false;
      expect(QUOTE, "a key");
      skipString();
      skipColon();
      pending = true;
    },
  };
}
