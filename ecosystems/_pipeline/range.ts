import type { ByteRange } from "../../storage/artifacts/store.ts";
import type { RangeSpec } from "../outcome.ts";

/** The bytes that a range stands for in a file of this size (RFC 9110 §14.1.2). Throws RangeError where it has none. */
export function rangeWithin(range: RangeSpec, sizeBytes: number): ByteRange {
  if ("suffix" in range) {
    if (range.suffix <= 0 || sizeBytes === 0) {
      throw new RangeError(`Cannot send the last ${range.suffix} of ${sizeBytes} bytes`);
    }
    return { first: Math.max(0, sizeBytes - range.suffix), last: sizeBytes - 1 };
  }
  if (range.first >= sizeBytes) {
    throw new RangeError(`Cannot send bytes from ${range.first}: the file has ${sizeBytes}`);
  }
  const last = Math.min(range.last ?? sizeBytes - 1, sizeBytes - 1);
  if (last < range.first) throw new RangeError(`Cannot send bytes ${range.first}-${range.last}`);
  return { first: range.first, last };
}
