/** A request's body: bounded before and after decompression, and within a time. */
import { joinBytes } from "../storage/bytes.ts";
import { TooLargeError } from "../storage/errors.ts";
import type { Timers } from "../storage/runtime.ts";
import { BodyTooLargeError, RequestError } from "./problem.ts";

/** A client that sends nothing any more does not hold a request for ever. */
const BODY_WITHIN_MS = 60_000;

/**
 * Reads the body once, decompressed by Content-Encoding. Throws BodyTooLargeError (a TooLargeError) above
 * `maxBytes`, RequestError for an encoding that is unknown or broken, or a body that does not end within a minute.
 */
export async function readBody(request: Request, maxBytes: number, timers: Timers): Promise<Uint8Array> {
  const decoding = decodingOf(request.headers.get("content-encoding"));
  const stated = Number(request.headers.get("content-length") ?? "0");
  if (stated > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const raw: ReadableStream<Uint8Array<ArrayBuffer>> = request.body;
  const stream = decoding === null ? raw : raw.pipeThrough(bounded(maxBytes)).pipeThrough(decoding);
  const reader = stream.getReader();
  const deadline = new AbortController();
  let isLate = false;
  const late = timers.sleep(BODY_WITHIN_MS, deadline.signal).then(
    () => {
      isLate = true;
      return reader.cancel();
    },
    () => {},
  );
  try {
    const body = await collect(reader, maxBytes);
    // A cancelled stream ends as a whole one does.
    if (isLate) {
      throw new RequestError(408, "body-too-slow", "The request's body did not arrive within a minute.");
    }
    return body;
  } finally {
    deadline.abort();
    await late;
  }
}

/**
 * The body as it comes, whatever its size; null: there is none. Errors with RequestError where nothing more comes for a
 * minute.
 */
export function streamBody(request: Request, timers: Timers): ReadableStream<Uint8Array> | null {
  if (request.body === null) return null;
  const reader = request.body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await withinAMinute(reader, timers);
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

async function withinAMinute(reader: ReadableStreamDefaultReader<Uint8Array>, timers: Timers) {
  const deadline = new AbortController();
  const late = timers.sleep(BODY_WITHIN_MS, deadline.signal).then(() => {
    throw new RequestError(408, "body-too-slow", "Nothing more of the request's body came for a minute.");
  });
  late.catch(() => {});
  try {
    return await Promise.race([reader.read(), late]);
  } catch (cause) {
    await reader.cancel(cause).catch(() => {});
    if (cause instanceof RequestError) throw cause;
    throw new RequestError(400, "unreadable-body", "Cannot read the request's body.", { cause });
  } finally {
    deadline.abort();
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      if (cause instanceof TooLargeError) throw cause;
      throw new RequestError(400, "unreadable-body", "Cannot read the request's body.", { cause });
    });
    if (done) return pieces.length === 1 ? pieces[0]! : joinBytes(pieces, length);
    length += value.byteLength;
    if (length > maxBytes) {
      const error = tooLarge(maxBytes);
      await reader.cancel(error);
      throw error;
    }
    pieces.push(value);
  }
}

/** null: as it is. Only what a client of ours sends is understood. */
function decodingOf(encoding: string | null): DecompressionStream | null {
  const name = encoding?.trim().toLowerCase() ?? "identity";
  if (name === "identity" || name === "") return null;
  if (name === "gzip" || name === "x-gzip") return new DecompressionStream("gzip");
  throw new RequestError(415, "unsupported-encoding", "A request's body is sent as it is, or with gzip.");
}

/** What a decoder is given at a time: it inflates all of it at once, by up to a thousand times. */
const DECODED_AT_ONCE_BYTES = 1024;

/** Compressed bytes count against the bound too: a stream of empty gzip members is none. */
function bounded(maxBytes: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let length = 0;
  return new TransformStream({
    transform(chunk, controller) {
      length += chunk.byteLength;
      if (length > maxBytes) return controller.error(tooLarge(maxBytes));
      for (let at = 0; at < chunk.byteLength; at += DECODED_AT_ONCE_BYTES) {
        controller.enqueue(chunk.subarray(at, at + DECODED_AT_ONCE_BYTES));
      }
    },
  });
}

function tooLarge(maxBytes: number): BodyTooLargeError {
  return new BodyTooLargeError(
    `Cannot read the request's body: it is larger than ${maxBytes} bytes`,
    maxBytes,
  );
}
