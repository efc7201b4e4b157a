/** The keys of a document, each decoded once and known by a number from then on. */

/** Finds a key by its raw bytes without making a string of it. */
export interface KeyTable {
  /** The number of the key whose raw bytes (between the quotes) are `start..end`; equal for equal decoded keys. */
  find(start: number, end: number, hash: number, plain: boolean): number;
  text(id: number): string;
}

interface Slots {
  readonly hashes: Int32Array;
  /** Key number plus one; 0 is a free slot. */
  readonly ids: Int32Array;
}

/** The seed of the rolling hash (FNV-1a) that the scanner computes while it reads a key. */
export const HASH_SEED = 0x811c9dc5 | 0;

/** One step of the rolling hash. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 16777619);
}

/**
 * A table over one document. `known` keys get the numbers 0, 1, … in their order. `decode` makes the string of
 * a raw span. Throws SyntaxError when there are more than `maxKeys` different keys.
 */
export function createKeyTable(
  options: {
    readonly bytes: Uint8Array;
    readonly known: readonly string[];
    readonly maxKeys: number;
    readonly label: string;
    readonly decode: (start: number, end: number, plain: boolean) => string;
  },
): KeyTable {
  const { bytes, maxKeys, decode } = options;
  const texts: string[] = [...options.known];
  const byText = new Map<string, number>(texts.map((text, id) => [text, id]));
  // Where the key was first seen raw; -1: not yet, or only in escaped form.
  const starts: number[] = texts.map(() => -1);
  const ends: number[] = texts.map(() => -1);
  let slots: Slots = { hashes: new Int32Array(1024), ids: new Int32Array(1024) };
  let used = 0;

  function sameBytes(id: number, start: number, end: number): boolean {
    const first = starts[id]!;
    if (ends[id]! - first !== end - start) return false;
    for (let k = start, m = first; k < end; k++, m++) if (bytes[k] !== bytes[m]) return false;
    return true;
  }

  function insert(hash: number, id: number): void {
    const mask = slots.ids.length - 1;
    let slot = hash & mask;
    while (slots.ids[slot] !== 0) slot = (slot + 1) & mask;
    slots.ids[slot] = id + 1;
    slots.hashes[slot] = hash;
  }

  function grow(): void {
    const old = slots;
    slots = { hashes: new Int32Array(old.ids.length * 4), ids: new Int32Array(old.ids.length * 4) };
    old.ids.forEach((id, slot) => id === 0 || insert(old.hashes[slot]!, id - 1));
  }

  function idOf(text: string): number {
    const existing = byText.get(text);
    if (existing !== undefined) return existing;
    if (texts.length >= maxKeys) {
      throw new SyntaxError(`Cannot read ${options.label}: it has more than ${maxKeys} different keys`);
    }
    byText.set(text, texts.length);
    starts.push(-1);
    ends.push(-1);
    return texts.push(text) - 1;
  }

  function find(start: number, end: number, hash: number, plain: boolean): number {
    // One key may be written in many ways with escapes: only its decoded form is compared.
    if (!plain) return idOf(decode(start, end, false));
    const mask = slots.ids.length - 1;
    for (let slot = hash & mask; slots.ids[slot] !== 0; slot = (slot + 1) & mask) {
      const id = slots.ids[slot]! - 1;
      if (slots.hashes[slot] === hash && sameBytes(id, start, end)) return id;
    }
    const id = idOf(decode(start, end, true));
    starts[id] = start;
    ends[id] = end;
    if (++used * 2 > slots.ids.length) grow();
    insert(hash, id);
    return id;
  }

  return { find, text: (id) => texts[id]! };
}
