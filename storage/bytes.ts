/** Small byte work that the platform has no function for. */

/**
 * One array of all parts, `sizeBytes` long, of an ArrayBuffer of its own (KV writes the whole of what a view is of).
 * At once: for what may be megabytes there is `joined` in paced.ts. Throws RangeError where the parts are longer.
 */
export function joinBytes(parts: Iterable<Uint8Array>, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(sizeBytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
