/** What comes once and is read several times: kept in a file that nobody else sees. */
import { StorageError } from "../storage/errors.ts";

export interface Spool {
  /** From its beginning; the one before must have been read to its end or cancelled. */
  open(): Promise<ReadableStream<Uint8Array>>;
  close(): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Reads `stream` to its end, or cancels it. In `folder` (null: the system's own for such files); the file has no name
 * any more once it is open, so that no end of this process leaves it there. Throws StorageError.
 */
export async function spool(stream: ReadableStream<Uint8Array>, folder: string | null): Promise<Spool> {
  const path = await attempted(() =>
    Deno.makeTempFile({ prefix: ".spool-", ...(folder === null ? {} : { dir: folder }) })
  );
  const file = await attempted(() => Deno.open(path, { read: true, write: true }));
  // Where a file that is open keeps its name it goes with the end.
  const isNameless = await Deno.remove(path).then(() => true, () => false);

  async function close(): Promise<void> {
    file.close();
    if (!isNameless) await Deno.remove(path).catch(() => {});
  }

  async function write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength;) at += await attempted(() => file.write(chunk.subarray(at)));
  }

  try {
    await stream.pipeTo(new WritableStream({ write }));
  } catch (error) {
    await close();
    throw error;
  }

  async function open(): Promise<ReadableStream<Uint8Array>> {
    await file.seek(0, Deno.SeekMode.Start);
    return new ReadableStream({
      async pull(controller) {
        const buffer = new Uint8Array(CHUNK_BYTES);
        const count = await file.read(buffer);
        if (count === null) controller.close();
        else controller.enqueue(buffer.subarray(0, count));
      },
    }, { highWaterMark: 0 });
  }

  return { open, close };
}

async function attempted<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new StorageError(
      `Cannot keep what was sent until it is read: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
  }
}
