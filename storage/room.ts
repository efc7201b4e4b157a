/** Room for bytes whose number is only guessed: what is reserved and not written to takes no memory. */

export interface Room {
  /** Copies; the piece may be written over afterwards. */
  add(piece: Uint8Array): void;
  /** All of it; call once. */
  end(): Uint8Array<ArrayBuffer>;
}

/** A tail that was reserved in vain is kept up to this share of the whole: cutting it off would be a copy. */
const WASTE = 0.25;

/**
 * `hint` in bytes; where it was too small the room doubles, which copies. `firstBytes`: the hint is believed only once
 * so much is there (by then the caller may have waited for its turn to take more).
 */
export function createRoom(hint: number, firstBytes: number = hint): Room {
  let whole = new Uint8Array(Math.min(hint, firstBytes));
  let used = 0;
  return {
    add(piece) {
      if (used + piece.byteLength > whole.byteLength) {
        const larger = new Uint8Array(Math.max(hint, 2 * whole.byteLength, used + piece.byteLength));
        larger.set(whole.subarray(0, used));
        whole = larger;
      }
      whole.set(piece, used);
      used += piece.byteLength;
    },
    end: () => used < whole.byteLength * (1 - WASTE) ? whole.slice(0, used) : whole.subarray(0, used),
  };
}
