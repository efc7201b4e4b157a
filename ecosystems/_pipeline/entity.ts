/** From rendered pieces to the bytes that are kept: joined, hashed and compressed once, in slices. */
import { createHash } from "node:crypto";
import { createGzip } from "node:zlib";
import type { Timers } from "../../storage/runtime.ts";
import type { Rendered } from "../ecosystem.ts";
import type { Entity } from "../outcome.ts";
import { paced } from "./paced.ts";

/** Below this, headers weigh more than what compression saves. */
const WORTH_COMPRESSING_BYTES = 1_024;
const SLICE_BYTES = 128 * 1024;
const COMPRESSIBLE = /^(?:text\/|application\/(?:[\w.+-]*\+)?json\b|application\/(?:[\w.+-]*\+)?xml\b)/;

/** Ends the rendering; `rendered.withheld()` is known afterwards. */
export async function createEntity(rendered: Rendered, timers: Timers): Promise<Entity> {
  const pieces: Uint8Array[] = [];
  const hash = createHash("sha256");
  let length = 0;
  await paced(rendered.body, timers, (piece) => {
    pieces.push(piece);
    hash.update(piece);
    length += piece.byteLength;
  });
  const identity = pieces.length === 1 ? pieces[0]! : join(pieces, length);
  return {
    status: rendered.status,
    contentType: rendered.contentType,
    headers: rendered.headers,
    etag: `"${hash.digest("base64url").slice(0, 27)}"`,
    identity,
    gzip: await compressed(identity, rendered.contentType, timers),
  };
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.byteLength;
  }
  return joined;
}

/** null where it would not pay. node:zlib compresses on this thread, so it is given a slice at a time. */
async function compressed(
  bytes: Uint8Array,
  contentType: string,
  timers: Timers,
): Promise<Uint8Array | null> {
  if (bytes.byteLength < WORTH_COMPRESSING_BYTES || !COMPRESSIBLE.test(contentType)) return null;
  const gzip = createGzip({ level: 6 });
  const pieces: Uint8Array[] = [];
  let length = 0;
  gzip.on("data", (piece: Uint8Array) => {
    pieces.push(piece);
    length += piece.byteLength;
  });
  const ended = Promise.withResolvers<void>();
  gzip.on("end", ended.resolve);
  gzip.on("error", ended.reject);
  for (let at = 0; at < bytes.byteLength; at += SLICE_BYTES) {
    const written = Promise.withResolvers<void>();
    gzip.write(bytes.subarray(at, at + SLICE_BYTES), () => written.resolve());
    await written.promise;
    if (bytes.byteLength > SLICE_BYTES) await timers.sleep(0);
  }
  gzip.end();
  await ended.promise;
  return length < bytes.byteLength ? join(pieces, length) : null;
}
