/** Gathers many small writes into few large pieces. */

/**
 * `pieces` hands over what is full; `end` the rest. A piece handed over is written over once `pieces` or `end` is
 * asked again: whoever wants to keep it copies it.
 */
export interface ByteWriter {
  bytes(source: Uint8Array, start: number, end: number): void;
  text(text: string): void;
  /** The pieces that became full since it was last asked. */
  pieces(): Uint8Array[];
  end(): Uint8Array[];
}

const PIECE_BYTES = 256 * 1024;

/** A writer whose pieces are at most 256 kB. */
export function createByteWriter(): ByteWriter {
  const encoder = new TextEncoder();
  let piece = new Uint8Array(PIECE_BYTES);
  let used = 0;
  let full: Uint8Array[] = [];
  let handedOver: readonly Uint8Array[] = [];
  const free: Uint8Array<ArrayBuffer>[] = [];

  function turn(): void {
    if (used === 0) return;
    full.push(piece.subarray(0, used));
    piece = free.pop() ?? new Uint8Array(PIECE_BYTES);
    used = 0;
  }

  function bytes(source: Uint8Array, start: number, end: number): void {
    while (start < end) {
      if (used === PIECE_BYTES) turn();
      const count = Math.min(end - start, PIECE_BYTES - used);
      piece.set(source.subarray(start, start + count), used);
      used += count;
      start += count;
    }
  }

  function text(value: string): void {
    // A UTF-16 unit becomes at most three bytes.
    if (value.length * 3 <= PIECE_BYTES - used) {
      used += encoder.encodeInto(value, used === 0 ? piece : piece.subarray(used)).written;
      return;
    }
    const encoded = encoder.encode(value);
    bytes(encoded, 0, encoded.length);
  }

  function pieces(): Uint8Array[] {
    for (const old of handedOver) free.push(new Uint8Array(old.buffer as ArrayBuffer));
    const ready = full;
    handedOver = full;
    full = [];
    return ready;
  }

  function end(): Uint8Array[] {
    turn();
    return pieces();
  }

  return { bytes, text, pieces, end };
}
