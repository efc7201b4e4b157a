/** Ranges of a blob, and bytes in memory as a stream. */
import type { BlobKey, ByteRange } from "./store.ts";

/** Throws RangeError for a range that does not lie within the blob, or of no byte. */
export function checkRange(key: BlobKey, range: ByteRange, sizeBytes: number): void {
  const { first, last } = range;
  const whole = Number.isSafeInteger(first) && Number.isSafeInteger(last);
  if (whole && first >= 0 && first <= last && last < sizeBytes) return;
  throw new RangeError(`Cannot read bytes ${first} to ${last} of ${key}: it has ${sizeBytes}`);
}

const SLICE_BYTES = 256 * 1024;

/** The bytes as views of 256 kB, made when asked for; they are shared, and must not be written to. */
export function streamOf(chunks: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  const slices = slicesOf(chunks);
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = slices.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
  }, { highWaterMark: 0 });
}

function* slicesOf(chunks: Iterable<Uint8Array>): Generator<Uint8Array, void> {
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
  }
}
