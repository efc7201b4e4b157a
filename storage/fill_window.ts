/** The last bytes of a fill, shared by all that follow it. */

/** What a chunk costs beside its bytes, so that an upstream that sends single bytes stays within the bound too. */
const PIECE_COST_BYTES = 128;
/** Larger chunks are cut, so that what is held back at the end is small. */
const PIECE_BYTES = 64 * 1024;

interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Offsets are the body's. `start` to `limit` may be read; the last piece is held back until `release`. */
export interface FillWindow {
  /** The offset of the first byte that is still here. */
  readonly start: number;
  /** Up to where followers may read. */
  readonly limit: number;
  /** How many bytes came. */
  readonly end: number;
  /** What it holds in memory now, with what pieces cost. */
  readonly heldBytes: number;
  /** Drops the oldest pieces beyond the bound, but never the last two. The piece must not be written to afterwards. */
  push(piece: Uint8Array): void;
  /** Where `start` would be after pushing this many bytes. */
  startAfter(length: number): number;
  /** The bytes from an offset on, as many as lie together; null where there are none (yet, or any more). */
  at(offset: number): Uint8Array | null;
  /**
   * As `at`, of the last piece too.
   * WARNING: not to be given out before `start` has passed it, when it is no longer the last.
   */
  peek(offset: number): Uint8Array | null;
  /** The body is complete, and was found right. */
  release(): void;
  /** Forgets all bytes. */
  clear(): void;
}

/** A chunk as pieces for a window: views, none of them empty. */
export function* piecesOf(chunk: Uint8Array): Iterable<Uint8Array> {
  for (let from = 0; from < chunk.length; from += PIECE_BYTES) yield chunk.subarray(from, from + PIECE_BYTES);
}

/** Holds at most `maxBytes`, or the last two pieces where they are more: nobody may have read them yet. */
export function createFillWindow(maxBytes: number): FillWindow {
  const pieces: Piece[] = [];
  let end = 0;
  let heldBytes = 0;
  let released = false;

  const start = () => pieces[0]?.at ?? end;
  const limit = () => released ? end : (pieces.at(-1)?.at ?? end);

  function push(bytes: Uint8Array): void {
    pieces.push({ at: end, bytes });
    end += bytes.length;
    heldBytes += bytes.length + PIECE_COST_BYTES;
    while (heldBytes > maxBytes && pieces.length > 2) {
      heldBytes -= pieces.shift()!.bytes.length + PIECE_COST_BYTES;
    }
  }

  function startAfter(length: number): number {
    let overBytes = heldBytes + length + PIECE_COST_BYTES - maxBytes;
    let index = 0;
    while (overBytes > 0 && index < pieces.length - 1) {
      overBytes -= pieces[index++]!.bytes.length + PIECE_COST_BYTES;
    }
    return pieces[index]?.at ?? end;
  }

  function pieceAt(offset: number): Piece {
    let low = 0;
    let high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pieces[middle]!.at <= offset) low = middle;
      else high = middle - 1;
    }
    return pieces[low]!;
  }

  function peek(offset: number): Uint8Array | null {
    if (offset < start() || offset >= end || pieces.length === 0) return null;
    const piece = pieceAt(offset);
    return piece.bytes.subarray(offset - piece.at);
  }

  return {
    get start() {
      return start();
    },
    get limit() {
      return limit();
    },
    get end() {
      return end;
    },
    get heldBytes() {
      return heldBytes;
    },
    push,
    startAfter,
    at: (offset) => offset < limit() ? peek(offset) : null,
    peek,
    release: () => {
      released = true;
    },
    clear: () => {
      pieces.length = 0;
      heldBytes = 0;
    },
  };
}
