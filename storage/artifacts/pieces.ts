/**
 * How much of a blob is handed out at a time. What was handed out waits in the HTTP server until its client takes it:
 * up to sixteen pieces, or 400 kB (hyper's bounds, which Deno does not let anybody change). Five hundred clients that
 * hardly read would hold 200 MB so; the more streams are open, the smaller the pieces are.
 */

/** What all open streams may hold in the server together, roughly: those that came first keep what they have. */
const ALL_BYTES = 16 * 2 ** 20;
const HELD_PIECES = 16;
const HELD_BYTES = 416 * 1024;
const LARGEST_BYTES = 64 * 1024;
/** For a few streams: a piece costs as much as reading 128 kB does, whatever its size. */
const FEW_BYTES = 256 * 1024;
const FEW_HELD_PIECES = 3;
const SMALLEST_BYTES = 4 * 1024;
/** More than the buffers of a socket swallow: who took so much does read, and gets the largest pieces. */
const PROVEN_BYTES = 8 * 2 ** 20;

/** One stream's part of it. */
export interface Share {
  /** The next piece's size, at most; changes with the number of open streams, and with what this one took. */
  pieceBytes(): number;
  /** So much was handed out. */
  took(bytes: number): void;
  /** The stream has ended. May be called more than once. */
  end(): void;
}

/** One for each store. */
export interface Pieces {
  /** To be ended by whoever opens it. */
  open(): Share;
  readonly streams: number;
}

export function createPieces(): Pieces {
  let streams = 0;

  function pieceBytes(tookBytes: number): number {
    if (streams * FEW_HELD_PIECES * FEW_BYTES <= ALL_BYTES) return FEW_BYTES;
    if (tookBytes >= PROVEN_BYTES || streams * HELD_BYTES <= ALL_BYTES) return LARGEST_BYTES;
    const fair = ALL_BYTES / (streams * HELD_PIECES);
    return Math.min(LARGEST_BYTES, Math.max(SMALLEST_BYTES, fair - fair % SMALLEST_BYTES));
  }

  return {
    get streams() {
      return streams;
    },
    open() {
      streams++;
      let ended = false;
      let tookBytes = 0;
      return {
        pieceBytes: () => pieceBytes(tookBytes),
        took: (bytes) => void (tookBytes += bytes),
        end() {
          if (!ended) streams--;
          ended = true;
        },
      };
    },
  };
}
