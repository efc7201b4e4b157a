/** gzip in slices: node:zlib works on this thread, its asynchronous calls too, so it is given a piece at a time. */
import type { Transform } from "node:stream";
import { createGunzip, createGzip, gunzipSync } from "node:zlib";
import { createPacer, joined, slicesOf } from "./paced.ts";
import { createRoom } from "./room.ts";
import type { Timers } from "./runtime.ts";

const PIECE_BYTES = 64 * 1024;
/** Not more is reserved before it was admitted. */
const FIRST_BYTES = 512 * 1024;

/** What inflates to no more takes less at once than a stream takes to begin. */
const SMALL_INFLATED_BYTES = 192 * 1024;
/** A length that is stated is believed up to so many times what was sent. */
const SMALL_RATIO = 20;

/** All pieces as one gzip member. */
export function gzipInSlices(
  pieces: Iterable<Uint8Array, unknown>,
  options: { readonly level: number; readonly timers: Timers },
): Promise<Uint8Array<ArrayBuffer>> {
  return packInSlices(createGzip({ level: options.level }), pieces, options.timers);
}

/** All pieces through one of node:zlib's streams, which is not used again. */
export async function packInSlices(
  stream: Transform,
  pieces: Iterable<Uint8Array, unknown>,
  timers: Timers,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed: Uint8Array[] = [];
  let length = 0;
  stream.on("data", (piece: Uint8Array) => {
    packed.push(piece);
    length += piece.byteLength;
  });
  const ended = Promise.withResolvers<void>();
  stream.on("end", ended.resolve);
  stream.on("error", ended.reject);
  const pacer = createPacer(timers);
  for (const piece of pieces) {
    for (const slice of slicesOf(piece)) {
      await new Promise<void>((resolve) => stream.write(slice, () => resolve()));
      if (pacer.isDue) await pacer.pause();
    }
  }
  stream.end();
  await ended.promise;
  return await joined(packed, length, timers);
}

/**
 * What was compressed. `admit` is told how long it is so far, before more is kept: it throws where that is too much,
 * and may take its time. Throws zlib's own errors (`code` begins with `Z_`) for what is cut or no gzip.
 */
export async function gunzipInSlices(
  packed: Uint8Array,
  options: {
    readonly timers: Timers;
    readonly maxBytes: number;
    readonly admit: (sizeBytes: number) => Promise<void> | void;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const small = smallInflated(packed, options.maxBytes);
  if (small !== null) {
    await options.admit(small.byteLength);
    return small;
  }
  const { timers, maxBytes, admit } = options;
  const stream = createGunzip({ chunkSize: PIECE_BYTES });
  const pacer = createPacer(timers);
  const room = createRoom(Math.min(maxBytes, statedSize(packed)), FIRST_BYTES);
  let size = 0;
  try {
    stream.end(packed);
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      await admit(size);
      room.add(chunk);
      release(chunk);
      if (pacer.isDue) await pacer.pause();
    }
  } finally {
    stream.destroy();
  }
  return room.end();
}

/** At once, where that is short; null: it is more than it states, or states too much. */
function smallInflated(packed: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> | null {
  const stated = statedSize(packed);
  const mostBytes = Math.min(SMALL_INFLATED_BYTES, SMALL_RATIO * packed.byteLength, maxBytes);
  if (stated === 0 || stated > mostBytes) return null;
  try {
    return new Uint8Array(gunzipSync(packed, { maxOutputLength: stated }));
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE") return null;
    throw error;
  }
}

/** V8 collects large buffers late. A chunk that fills its buffer is zlib's no longer, and was copied. */
function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) buffer.transfer(0);
}

/** gzip ends with the length of what it holds (RFC 1952, 2.3.1): a hint only, since it may lie. */
function statedSize(packed: Uint8Array): number {
  if (packed.byteLength < 18) return 0;
  return new DataView(packed.buffer, packed.byteOffset + packed.byteLength - 4).getUint32(0, true);
}
