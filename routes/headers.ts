/** The one gate for what goes into a response's header: nothing in routes/ makes a Headers or a Response but this. */
import { utf8 } from "./text.ts";

/** Longer values are cut: no client of ours reads more. */
const MAX_VALUE_LENGTH = 4_096;
const NAME = /^[a-z0-9-]+$/;
const PRINTABLE = /^[\x20-\x7e]*$/;
/** Framing and connection are the server's own; what a plugin says of them would split an answer in two. */
const RESERVED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "set-cookie",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Lower-case names. null and undefined: the header is not sent. */
export type HeaderFields = Readonly<Record<string, string | null | undefined>>;

/**
 * WARNING: a control byte in a header's value ends a Deno 2.9 process, and an emoji throws. Printable ASCII is
 * left, every other UTF-16 unit becomes `?`, and 4,096 characters remain.
 */
export function headerValue(value: string): string {
  const bounded = value.length > MAX_VALUE_LENGTH ? value.slice(0, MAX_VALUE_LENGTH) : value;
  const printable = PRINTABLE.test(bounded) ? bounded : bounded.replaceAll(/[^\x20-\x7e]/g, "?");
  return printable.trim();
}

/** Sets or, for null, removes one header. A name that is not lower-case token characters throws TypeError. */
export function putHeader(headers: Headers, name: string, value: string | null | undefined): void {
  if (!NAME.test(name)) {
    throw new TypeError(`Cannot set header "${headerValue(name)}": not a lower-case token`);
  }
  if (value === null || value === undefined) headers.delete(name);
  else headers.set(name, headerValue(value));
}

/** A new Headers with every value passed through the gate. */
export function responseHeaders(fields: HeaderFields): Headers {
  const headers = new Headers();
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined) putHeader(headers, name, value);
  }
  return headers;
}

/** A further cookie; whatever else is in the way of one stays. */
export function addCookie(headers: Headers, cookie: string): void {
  headers.append("set-cookie", headerValue(cookie));
}

/** Adds headers that a plugin asked for; what is not its business (framing, cookies, odd names) is left out. */
export function addPluginHeaders(headers: Headers, fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(fields)) {
    const lower = name.toLowerCase();
    if (NAME.test(lower) && !RESERVED.has(lower)) putHeader(headers, lower, value);
  }
}

/**
 * The only place where a Response is made. Takes a Headers on purpose: on Deno 2.9.6 a Response made from a
 * plain object loses its headers if it is cloned before they were looked at.
 * RFC 9211, 2: what says nothing of the cache was made here, by no upstream and from nothing kept.
 */
export function respond(options: {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array | ReadableStream<Uint8Array> | null;
}): Response {
  if (!options.headers.has("cache-status")) {
    putHeader(options.headers, "cache-status", "sluice; detail=generated");
  }
  return new Response(options.body as BodyInit | null, { status: options.status, headers: options.headers });
}

/** A short text; HEAD gets its length alone. */
export function respondText(request: Request, answer: {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}): Response {
  const bytes = utf8(answer.body);
  if (request.method !== "HEAD") {
    return respond({ status: answer.status, headers: answer.headers, body: bytes });
  }
  putHeader(answer.headers, "content-length", String(bytes.byteLength));
  return respond({ status: answer.status, headers: answer.headers, body: null });
}
