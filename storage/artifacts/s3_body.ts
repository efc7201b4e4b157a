/** An object's bytes as a stream, taken up again where the connection was cut. */
import type { S3Opened } from "./s3_answer.ts";

export interface S3BodyOptions {
  /** Exactly so many bytes come, or the stream errors. */
  readonly length: number;
  readonly opened: S3Opened;
  /** Asks again for all but the first `offset` bytes; rejects where that fails. */
  readonly reopen: (offset: number) => Promise<S3Opened>;
  /** What the stream errors with once taking it up again did not help. */
  readonly failure: (error: unknown) => Error;
}

const MAX_RESUMES = 3;

/** Holds what one read of the socket brought, no more; its cancellation ends the connection. */
export function streamOfObject(options: S3BodyOptions): ReadableStream<Uint8Array> {
  const { length, reopen, failure } = options;
  let { body } = options.opened;
  let chunks = body[Symbol.asyncIterator]();
  let seen = 0;
  let resumes = 0;
  let cancelled = false;

  async function next(): Promise<Uint8Array | null> {
    while (true) {
      try {
        const { done, value } = await chunks.next();
        if (!done) return value as Uint8Array;
        if (seen === length) return null;
        throw new Error(`The object ended after ${seen} of ${length} bytes`);
      } catch (error) {
        if (cancelled || seen >= length || resumes++ >= MAX_RESUMES) throw error;
        body = (await reopen(seen)).body;
        chunks = body[Symbol.asyncIterator]();
      }
    }
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await next();
        if (cancelled) return body.destroy() as unknown as void;
        if (chunk === null) return controller.close();
        seen += chunk.length;
        if (seen > length) throw new Error(`The object is longer than its ${length} bytes`);
        controller.enqueue(new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength));
      } catch (error) {
        body.destroy();
        if (!cancelled) controller.error(failure(error));
      }
    },
    cancel() {
      cancelled = true;
      body.destroy();
    },
  }, { highWaterMark: 0 });
}
