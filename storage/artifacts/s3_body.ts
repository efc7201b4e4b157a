/** An object's bytes as a stream, taken up again where the connection was cut or given back. */
import type { Timers } from "../runtime.ts";
import type { Pieces } from "./pieces.ts";
import type { S3Opened } from "./s3_answer.ts";

export interface S3BodyOptions {
  /** Exactly so many bytes come, or the stream errors. */
  readonly length: number;
  readonly opened: S3Opened;
  /** Asks again for all but the first `offset` bytes; rejects where that fails. */
  readonly reopen: (offset: number) => Promise<S3Opened>;
  /** What the stream errors with once taking it up again did not help. */
  readonly failure: (error: unknown) => Error;
  readonly pieces: Pieces;
  readonly timers: Timers;
}

const MAX_RESUMES = 3;

/**
 * A reader that wants nothing for so long gives its connection back, and has another once it goes on: connections are
 * few, and slow clients many.
 */
export const GIVE_BACK_MS = 500;

/** Holds what one read of the socket brought, no more; its cancellation ends the connection. */
export function streamOfObject(options: S3BodyOptions): ReadableStream<Uint8Array> {
  const { length, reopen, failure, timers } = options;
  const share = options.pieces.open();
  const ended = new AbortController();
  let body: S3Opened["body"] | null = null;
  let chunks: AsyncIterator<Uint8Array> | null = null;
  let rest: Uint8Array | null = null;
  let seen = 0;
  let pulls = 0;
  let pulling = false;
  let resumes = 0;
  take(options.opened);

  function take(opened: S3Opened): AsyncIterator<Uint8Array> {
    body = opened.body;
    chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
    watch(body);
    return chunks;
  }

  /** Looks whether anything was wanted since it looked last; ends with the connection. */
  async function watch(mine: S3Opened["body"]): Promise<void> {
    try {
      for (let seenPulls = -1; body === mine; await timers.sleep(GIVE_BACK_MS, ended.signal)) {
        if (!pulling && pulls === seenPulls) return giveBack();
        seenPulls = pulls;
      }
    } catch {
      // The stream has ended.
    }
  }

  function giveBack(): void {
    body?.destroy();
    body = null;
    chunks = null;
    rest = null;
  }

  function end(): void {
    ended.abort();
    share.end();
    giveBack();
  }

  async function next(): Promise<Uint8Array | null> {
    while (rest === null) {
      try {
        const { done, value } = await (chunks ?? take(await reopen(seen))).next();
        if (!done) return value;
        if (seen === length) return null;
        throw new Error(`The object ended after ${seen} of ${length} bytes`);
      } catch (error) {
        if (ended.signal.aborted || seen >= length || resumes++ >= MAX_RESUMES) throw error;
        giveBack();
      }
    }
    return rest;
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    pulls++;
    pulling = true;
    try {
      const chunk = await next();
      if (ended.signal.aborted) return giveBack();
      if (chunk === null) {
        end();
        return controller.close();
      }
      const pieceBytes = share.pieceBytes();
      // A copy of a part: a view would hold all of it for as long as the part waits for its client.
      const piece = chunk.length > pieceBytes ? chunk.slice(0, pieceBytes) : chunk;
      rest = chunk.length > piece.length ? chunk.subarray(piece.length) : null;
      seen += piece.length;
      share.took(piece.length);
      if (seen > length) throw new Error(`The object is longer than its ${length} bytes`);
      controller.enqueue(piece);
    } catch (error) {
      const cancelled = ended.signal.aborted;
      end();
      if (!cancelled) controller.error(failure(error));
    } finally {
      pulling = false;
    }
  }

  return new ReadableStream<Uint8Array>({ pull, cancel: end }, { highWaterMark: 0 });
}
