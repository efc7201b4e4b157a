/** Room for bytes whose number is only guessed: what is reserved and not written to takes no memory. */

export interface Room {
  /** Copies; the piece may be written over afterwards. */
  add(piece: Uint8Array): void;
  /** All of it; call once. */
  end(): Uint8Array<ArrayBuffer>;
}

const LARGE_BYTES = 1024 * 1024;
/** glibc's greatest `M_MMAP_THRESHOLD`, and a little. */
const MAPPED_BYTES = 33 * 1024 * 1024;

/**
 * So many zero bytes. Large ones are a view of more than 32 MB, for which malloc always asks the system and gives it
 * back when they are freed: of arrays of 21 MB in its own heap, it kept 284 MB for 51 MB in use.
 */
export function reserve(bytes: number): Uint8Array<ArrayBuffer> {
  if (bytes < LARGE_BYTES || bytes >= MAPPED_BYTES) return new Uint8Array(bytes);
  return new Uint8Array(new ArrayBuffer(MAPPED_BYTES), 0, bytes);
}

/** Of what was reserved, less than this is copied, so that V8 does not count the rest for as long as it is kept. */
const WORTH_KEEPING = 0.25;

/**
 * `hint` in bytes; where it was too small the room doubles, which copies. `firstBytes`: the hint is believed only once
 * so much is there (by then the caller may have waited for its turn to take more).
 */
export function createRoom(hint: number, firstBytes: number = hint): Room {
  let whole = reserve(Math.min(hint, firstBytes));
  let used = 0;
  return {
    add(piece) {
      if (used + piece.byteLength > whole.byteLength) {
        const larger = reserve(Math.max(hint, 2 * whole.byteLength, used + piece.byteLength));
        larger.set(whole.subarray(0, used));
        whole = larger;
      }
      whole.set(piece, used);
      used += piece.byteLength;
    },
    end: () => used < whole.byteLength * WORTH_KEEPING ? whole.slice(0, used) : whole.subarray(0, used),
  };
}
