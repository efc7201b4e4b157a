/** From rendered pieces to the bytes that are kept: joined, hashed and compressed once, in slices. */
import { createHash } from "node:crypto";
import { gzipInSlices } from "../../storage/gzip.ts";
import { paced } from "../../storage/paced.ts";
import { createRoom } from "../../storage/room.ts";
import type { Timers } from "../../storage/runtime.ts";
import type { Rendered } from "../ecosystem.ts";
import type { Entity } from "../outcome.ts";

/** Below this, headers weigh more than what compression saves. */
const WORTH_COMPRESSING_BYTES = 1_024;
const COMPRESSIBLE = /^(?:text\/|application\/(?:[\w.+-]*\+)?json\b|application\/(?:[\w.+-]*\+)?xml\b)/;

/**
 * Ends the rendering; `rendered.withheld()` is known afterwards. `sizeHint`: about how many bytes will be rendered;
 * `gzip` false: what is made is never sent as it is.
 */
export async function createEntity(
  rendered: Rendered,
  timers: Timers,
  sizeHint = 0,
  gzip = true,
): Promise<Entity> {
  const hash = createHash("sha256");
  const room = createRoom(sizeHint);
  await paced(rendered.body, timers, (piece) => {
    hash.update(piece);
    room.add(piece);
  });
  const identity = room.end();
  return {
    status: rendered.status,
    contentType: rendered.contentType,
    headers: rendered.headers,
    etag: `"${hash.digest("base64url").slice(0, 27)}"`,
    identity,
    gzip: gzip ? await compressed(identity, rendered.contentType, timers) : null,
    brotli: null,
  };
}

/** null where it would not pay. */
export async function compressed(
  bytes: Uint8Array,
  contentType: string,
  timers: Timers,
): Promise<Uint8Array | null> {
  if (bytes.byteLength < WORTH_COMPRESSING_BYTES || !COMPRESSIBLE.test(contentType)) return null;
  const packed = await gzipInSlices([bytes], { level: 6, timers });
  return packed.byteLength < bytes.byteLength ? packed : null;
}
