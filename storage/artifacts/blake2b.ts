/** BLAKE2b with a 256-bit digest (RFC 7693): PyPI states it, and Deno's node:crypto has only the 512-bit one. */

const BLOCK_BYTES = 128;
const DIGEST_BYTES = 32;
const WORDS = 16;

/** RFC 7693 §2.6, as pairs of 32-bit words, the low one first. */
const INITIAL = Uint32Array.of(
  0xf3bcc908,
  0x6a09e667,
  0x84caa73b,
  0xbb67ae85,
  0xfe94f82b,
  0x3c6ef372,
  0x5f1d36f1,
  0xa54ff53a,
  0xade682d1,
  0x510e527f,
  0x2b3e6c1f,
  0x9b05688c,
  0xfb41bd6b,
  0x1f83d9ab,
  0x137e2179,
  0x5be0cd19,
);

/** RFC 7693 §2.7; rounds ten and eleven repeat the first two. */
const SIGMA: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

interface State {
  /** The chained value: eight 64-bit words as pairs. */
  readonly hash: Uint32Array;
  readonly work: Uint32Array;
  readonly message: Uint32Array;
  readonly block: Uint8Array;
  filled: number;
  total: number;
}

/** work[a] += work[b] + message word; a and b are 64-bit indices. */
function add(work: Uint32Array, a: number, low: number, high: number): void {
  const sum = work[2 * a]! + low;
  work[2 * a + 1] = work[2 * a + 1]! + high + (sum > 0xffffffff ? 1 : 0);
  work[2 * a] = sum;
}

/** work[target] = (work[target] ^ work[other]) rotated right by `bits` (32, 24, 16 or 63). */
function xorRotate(work: Uint32Array, target: number, other: number, bits: number): void {
  const low = work[2 * target]! ^ work[2 * other]!;
  const high = work[2 * target + 1]! ^ work[2 * other + 1]!;
  if (bits === 32) {
    work[2 * target] = high;
    work[2 * target + 1] = low;
    return;
  }
  if (bits === 63) {
    work[2 * target] = (low << 1) | (high >>> 31);
    work[2 * target + 1] = (high << 1) | (low >>> 31);
    return;
  }
  work[2 * target] = (low >>> bits) | (high << (32 - bits));
  work[2 * target + 1] = (high >>> bits) | (low << (32 - bits));
}

/** The mixing function G, RFC 7693 §3.1. */
function mix(state: State, a: number, b: number, c: number, d: number, x: number, y: number): void {
  const { work, message } = state;
  add(work, a, work[2 * b]!, work[2 * b + 1]!);
  add(work, a, message[2 * x]!, message[2 * x + 1]!);
  xorRotate(work, d, a, 32);
  add(work, c, work[2 * d]!, work[2 * d + 1]!);
  xorRotate(work, b, c, 24);
  add(work, a, work[2 * b]!, work[2 * b + 1]!);
  add(work, a, message[2 * y]!, message[2 * y + 1]!);
  xorRotate(work, d, a, 16);
  add(work, c, work[2 * d]!, work[2 * d + 1]!);
  xorRotate(work, b, c, 63);
}

/** The compression function F, RFC 7693 §3.2; totals stay below 2^53 bytes. */
function compress(state: State, last: boolean): void {
  const { hash, work, message, block } = state;
  work.set(hash, 0);
  work.set(INITIAL, WORDS);
  work[24]! ^= state.total >>> 0;
  work[25]! ^= Math.floor(state.total / 0x100000000);
  if (last) {
    work[28]! ^= 0xffffffff;
    work[29]! ^= 0xffffffff;
  }
  const view = new DataView(block.buffer);
  for (let index = 0; index < 32; index++) message[index] = view.getUint32(4 * index, true);
  for (let round = 0; round < 12; round++) {
    const order = SIGMA[round % 10]!;
    mix(state, 0, 4, 8, 12, order[0]!, order[1]!);
    mix(state, 1, 5, 9, 13, order[2]!, order[3]!);
    mix(state, 2, 6, 10, 14, order[4]!, order[5]!);
    mix(state, 3, 7, 11, 15, order[6]!, order[7]!);
    mix(state, 0, 5, 10, 15, order[8]!, order[9]!);
    mix(state, 1, 6, 11, 12, order[10]!, order[11]!);
    mix(state, 2, 7, 8, 13, order[12]!, order[13]!);
    mix(state, 3, 4, 9, 14, order[14]!, order[15]!);
  }
  for (let index = 0; index < WORDS; index++) hash[index]! ^= work[index]! ^ work[index + WORDS]!;
}

function absorb(state: State, bytes: Uint8Array): void {
  let offset = 0;
  while (offset < bytes.length) {
    // A full block is compressed only once more bytes follow: the last one is marked as such.
    if (state.filled === BLOCK_BYTES) {
      state.total += BLOCK_BYTES;
      compress(state, false);
      state.filled = 0;
    }
    const taken = Math.min(BLOCK_BYTES - state.filled, bytes.length - offset);
    state.block.set(bytes.subarray(offset, offset + taken), state.filled);
    state.filled += taken;
    offset += taken;
  }
}

function finish(state: State): Uint8Array {
  state.total += state.filled;
  state.block.fill(0, state.filled);
  compress(state, true);
  const digest = new DataView(new ArrayBuffer(DIGEST_BYTES));
  for (let index = 0; index < DIGEST_BYTES / 4; index++) {
    digest.setUint32(4 * index, state.hash[index]!, true);
  }
  return new Uint8Array(digest.buffer);
}

/** An incremental hash; about 100 MB/s. `digest` may be called once. */
export function createBlake2b256(): { update(bytes: Uint8Array): void; digest(): Uint8Array } {
  const hash = INITIAL.slice();
  // RFC 7693 §2.5: no key, fan-out and depth 1.
  hash[0]! ^= 0x01010000 ^ DIGEST_BYTES;
  const state: State = {
    hash,
    work: new Uint32Array(2 * WORDS),
    message: new Uint32Array(2 * WORDS),
    block: new Uint8Array(BLOCK_BYTES),
    filled: 0,
    total: 0,
  };
  return { update: (bytes) => absorb(state, bytes), digest: () => finish(state) };
}
