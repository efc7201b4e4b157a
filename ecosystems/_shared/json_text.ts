/** The lexical half of the JSON scanner: pure functions over bytes, each from one offset to the next. */

export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_ARRAY = 0x5b;
export const CLOSE_ARRAY = 0x5d;

/** 0 for a byte that stands for itself inside a string; 1 for quote, backslash, control and non-ASCII bytes. */
export const SPECIAL: Uint8Array = specialBytes();

function specialBytes(): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(1, 0, 0x20);
  table.fill(1, 0x80, 256);
  table[QUOTE] = 1;
  table[BACKSLASH] = 1;
  return table;
}

/**
 * The offset of the first group of four bytes, counted from `i`, that may hold a byte which is SPECIAL. Four at
 * a time, by the usual trick that finds a zero byte: it may stop early, never late.
 */
export function skipPlainWords(words: DataView, i: number, end: number): number {
  while (i <= end) {
    const x = words.getInt32(i, true);
    const quote = x ^ 0x22222222;
    const backslash = x ^ 0x5c5c5c5c;
    const hit = ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash) |
      ((x - 0x20202020) & ~x) | x;
    if ((hit & 0x80808080) !== 0) return i;
    i += 4;
  }
  return i;
}

/** The offset of the first byte at or after `i` that is no JSON white space (RFC 8259 §2). */
export function skipSpace(b: Uint8Array, i: number): number {
  let c = b[i];
  while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) c = b[++i];
  return i;
}

/** The offset after the well-formed UTF-8 sequence at `i` (no overlong form, no surrogate), or -1. */
export function skipUtf8(b: Uint8Array, i: number): number {
  const c = b[i]!;
  const next = b[i + 1] ?? 0;
  if (c >= 0xc2 && c <= 0xdf) return isTail(next) ? i + 2 : -1;
  if (c >= 0xe0 && c <= 0xef) {
    if (!isTail(next) || !isTail(b[i + 2] ?? 0)) return -1;
    if ((c === 0xe0 && next < 0xa0) || (c === 0xed && next > 0x9f)) return -1;
    return i + 3;
  }
  if (c < 0xf0 || c > 0xf4) return -1;
  if (!isTail(next) || !isTail(b[i + 2] ?? 0) || !isTail(b[i + 3] ?? 0)) return -1;
  return (c === 0xf0 && next < 0x90) || (c === 0xf4 && next > 0x8f) ? -1 : i + 4;
}

function isTail(c: number): boolean {
  return (c & 0xc0) === 0x80;
}

/** The offset after the escape whose backslash is at `i`, or -1. */
export function skipEscape(b: Uint8Array, i: number): number {
  const c = b[i + 1];
  if (c === 0x75) {
    for (let k = i + 2; k < i + 6; k++) if (!isHex(b[k] ?? 0)) return -1;
    return i + 6;
  }
  const simple = c === QUOTE || c === BACKSLASH || c === 0x2f || c === 0x62 || c === 0x66 || c === 0x6e ||
    c === 0x72 || c === 0x74;
  return simple ? i + 2 : -1;
}

function isHex(c: number): boolean {
  return isDigit(c) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
}

function isDigit(c: number | undefined): boolean {
  return c !== undefined && c >= 0x30 && c <= 0x39;
}

/** The offset after the number, `true`, `false` or `null` at `i`, or -1. */
export function skipScalar(b: Uint8Array, i: number): number {
  switch (b[i]) {
    case 0x74:
      return b[i + 1] === 0x72 && b[i + 2] === 0x75 && b[i + 3] === 0x65 ? i + 4 : -1;
    case 0x66:
      return b[i + 1] === 0x61 && b[i + 2] === 0x6c && b[i + 3] === 0x73 && b[i + 4] === 0x65 ? i + 5 : -1;
    case 0x6e:
      return b[i + 1] === 0x75 && b[i + 2] === 0x6c && b[i + 3] === 0x6c ? i + 4 : -1;
    default:
      return skipNumber(b, i);
  }
}

/** RFC 8259 §6. */
function skipNumber(b: Uint8Array, i: number): number {
  if (b[i] === 0x2d) i++;
  if (!isDigit(b[i])) return -1;
  if (b[i] === 0x30) i++;
  else i = skipDigits(b, i);
  if (b[i] === 0x2e) {
    if (!isDigit(b[i + 1])) return -1;
    i = skipDigits(b, i + 1);
  }
  if (b[i] !== 0x65 && b[i] !== 0x45) return i;
  i++;
  if (b[i] === 0x2b || b[i] === 0x2d) i++;
  return isDigit(b[i]) ? skipDigits(b, i) : -1;
}

function skipDigits(b: Uint8Array, i: number): number {
  while (isDigit(b[i])) i++;
  return i;
}
