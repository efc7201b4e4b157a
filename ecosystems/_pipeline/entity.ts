/** From rendered pieces to the bytes that are kept: joined, hashed and compressed once, in slices. */
import { createHash } from "node:crypto";
import { gzipInSlices } from "../../storage/gzip.ts";
import { joined, paced } from "../../storage/paced.ts";
import type { Timers } from "../../storage/runtime.ts";
import type { Rendered } from "../ecosystem.ts";
import type { Entity } from "../outcome.ts";

/** Below this, headers weigh more than what compression saves. */
const WORTH_COMPRESSING_BYTES = 1_024;
const COMPRESSIBLE = /^(?:text\/|application\/(?:[\w.+-]*\+)?json\b|application\/(?:[\w.+-]*\+)?xml\b)/;

/** Ends the rendering; `rendered.withheld()` is known afterwards. */
export async function createEntity(rendered: Rendered, timers: Timers): Promise<Entity> {
  const pieces: Uint8Array[] = [];
  const hash = createHash("sha256");
  let length = 0;
  await paced(rendered.body, timers, (piece) => {
    if (piece.byteLength === 0) return;
    pieces.push(piece);
    hash.update(piece);
    length += piece.byteLength;
  });
  const identity = pieces.length === 1 ? pieces[0]! : await joined(pieces, length, timers);
  return {
    status: rendered.status,
    contentType: rendered.contentType,
    headers: rendered.headers,
    etag: `"${hash.digest("base64url").slice(0, 27)}"`,
    identity,
    gzip: await compressed(identity, rendered.contentType, timers),
  };
}

/** null where it would not pay. */
async function compressed(
  bytes: Uint8Array,
  contentType: string,
  timers: Timers,
): Promise<Uint8Array | null> {
  if (bytes.byteLength < WORTH_COMPRESSING_BYTES || !COMPRESSIBLE.test(contentType)) return null;
  const packed = await gzipInSlices([bytes], { level: 6, timers });
  return packed.byteLength < bytes.byteLength ? packed : null;
}
