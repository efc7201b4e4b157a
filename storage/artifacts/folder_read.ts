/** Bytes of a file, whole or in part. The file stays open until the stream ends or is cancelled. */
import { StorageError } from "../errors.ts";
import { reserve } from "../room.ts";
import type { Pieces, Share } from "./pieces.ts";
import { streamOf } from "./range.ts";

/** Below it a file is read at once: small streams are slow, and stall for 40 ms on Deno 2.5. */
const WHOLE_BELOW_BYTES = 128 * 1024;

/** Reads exactly `length` bytes from where the file stands; throws StorageError where it ends before. */
export async function readExactly(
  file: Deno.FsFile,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = reserve(length);
  let filled = 0;
  while (filled < length) {
    const count = await file.read(bytes.subarray(filled));
    if (count === null) {
      throw new StorageError(`Cannot read ${JSON.stringify(path)}: it ended ${length - filled} bytes early`);
    }
    filled += count;
  }
  return bytes;
}

function boundedStream(
  file: Deno.FsFile,
  path: string,
  { length, share }: { readonly length: number; readonly share: Share },
): ReadableStream<Uint8Array> {
  let left = length;
  let open = true;
  const close = () => {
    share.end();
    if (open) file.close();
    open = false;
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await readExactly(file, Math.min(share.pieceBytes(), left), path);
        left -= chunk.length;
        share.took(chunk.length);
        controller.enqueue(chunk);
        if (left > 0) return;
        close();
        controller.close();
      } catch (error) {
        close();
        throw error;
      }
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

/**
 * Takes the file over, which must have just been opened: it is closed by the stream, or before the promise
 * settles.
 */
export async function streamFile(
  file: Deno.FsFile,
  path: string,
  part: { readonly first: number; readonly length: number; readonly pieces: Pieces },
): Promise<ReadableStream<Uint8Array>> {
  const { first, length, pieces } = part;
  try {
    if (first > 0) await file.seek(first, Deno.SeekMode.Start);
    if (length >= WHOLE_BELOW_BYTES) {
      return boundedStream(file, path, { length, share: pieces.open() });
    }
    const bytes = await readExactly(file, length, path);
    file.close();
    return streamOf([bytes]);
  } catch (error) {
    file.close();
    throw error;
  }
}
