/** A web `Request` over an undici dispatcher, and its answer as a web `Response` with backpressure. */
import type { Dispatcher as UndiciDispatcher } from "undici";
import { failure, toFailure } from "./failures.ts";
import { responseAt } from "./response.ts";

/** Of the answer's headers only these are looked at by anybody. */
const RESPONSE_HEADERS = [
  "content-type",
  "content-length",
  "content-encoding",
  "transfer-encoding",
  "etag",
  "last-modified",
  "location",
  "retry-after",
];

const NULL_BODY_STATUSES = [204, 205, 304];
const BUFFER_BYTES = 256 * 1024;

/** A proxy that is asked in absolute form (RFC 9112, 3.2.2). */
export interface Via {
  readonly origin: string;
  /** Of `Proxy-Authorization`; null: none. */
  readonly authorization: string | null;
}

/**
 * Sends one request and resolves with the answer's headers; its body must be read to the end or cancelled. The
 * request's signal ends both. No redirect is followed, nothing is decoded, a body shorter than stated errors.
 */
export async function exchange(agent: UndiciDispatcher, request: Request, via?: Via): Promise<Response> {
  const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  request.signal.throwIfAborted();
  return await new Promise((resolve, reject) =>
    dispatch(agent, dispatchOptions(request, body, via), request, { resolve, reject })
  );
}

interface Settle {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: unknown) => void;
}

function dispatch(
  agent: UndiciDispatcher,
  options: UndiciDispatcher.DispatchOptions,
  request: Request,
  { resolve, reject }: Settle,
): void {
  const url = new URL(request.url);
  let started: UndiciDispatcher.DispatchController | null = null;
  let into: ReadableStreamDefaultController<Uint8Array> | null = null;
  let ended = false;

  function end(error?: unknown): void {
    if (ended) return;
    ended = true;
    request.signal.removeEventListener("abort", onAbort);
    if (error === undefined) return into?.close();
    if (into === null) return reject(error);
    into.error(error);
  }

  function onAbort(): void {
    end(request.signal.reason);
    started?.abort(new Error("The request was given up"));
  }

  function bodyStream(controller: UndiciDispatcher.DispatchController): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (streamController) => void (into = streamController),
      pull: () => controller.resume(),
      cancel: () => {
        ended = true;
        request.signal.removeEventListener("abort", onAbort);
        controller.abort(new Error("The body was given up"));
      },
    }, new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }));
  }

  request.signal.addEventListener("abort", onAbort, { once: true });
  const handler: UndiciDispatcher.DispatchHandler = {
    onRequestStart(controller) {
      started = controller;
      if (ended) controller.abort(new Error("The request was given up"));
    },
    onResponseStart(controller, status, headers) {
      if (status < 200 || ended) return;
      const empty = NULL_BODY_STATUSES.includes(status) || request.method === "HEAD";
      const stream = empty ? null : bodyStream(controller);
      resolve(responseAt(request.url, stream, { status, headers: pickHeaders(headers) }));
    },
    onResponseData(controller, chunk) {
      if (ended || into === null) return;
      into.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      if ((into.desiredSize ?? 0) <= 0) controller.pause();
    },
    onResponseEnd: () => end(),
    onResponseError: (_controller, error) => end(toFailure(error, url.origin)),
    // undici asks for one before it accepts a CONNECT; nothing here upgrades.
    onRequestUpgrade: () => end(failure("content", "the answer switches protocols", url.origin)),
  };
  try {
    agent.dispatch(options, handler);
  } catch (error) {
    end(toFailure(error, url.origin));
  }
}

function dispatchOptions(
  request: Request,
  body: Uint8Array | null,
  via: Via | undefined,
): UndiciDispatcher.DispatchOptions {
  const url = new URL(request.url);
  const path = url.pathname + url.search;
  const headers = Object.fromEntries(request.headers);
  const { method } = request;
  if (via === undefined) return { origin: url.origin, path, method, headers, body };
  headers.host = url.host;
  if (via.authorization !== null) headers["proxy-authorization"] = via.authorization;
  return { origin: via.origin, path: url.origin + path, method, headers, body };
}

function pickHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const picked = new Headers();
  for (const name of RESPONSE_HEADERS) {
    const value = headers[name];
    const first = Array.isArray(value) ? value[0] : value;
    // A byte that a Headers object refuses makes the header as good as absent.
    if (first !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(first)) picked.set(name, first);
  }
  return picked;
}
