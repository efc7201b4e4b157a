/** Whole bodies within their bound, decoded, and recognised for what they are. */
import { StorageError, TooLargeError } from "../errors.ts";
import { gunzipInSlices } from "../gzip.ts";
import { joined } from "../paced.ts";
import type { Timers } from "../runtime.ts";
import type { Source } from "../../ecosystems/ecosystem.ts";
import { failure, toFailure } from "./failures.ts";
import { discard } from "./response.ts";
import { isPageOfLinks } from "./whole_page.ts";

/** Asked for, and decoded by `readBody`. Not brotli: Deno's decoder takes a cut brotli stream for a whole one. */
export const ACCEPTED_ENCODINGS = "gzip";

/** Above this many decoded bytes, a body that grew by more than `MAX_RATIO` was made to. */
const RATIO_FROM_BYTES = 8 * 1024 * 1024;
const MAX_RATIO = 300;

/** The turn to hold so many bytes of a body, of which more may come; asked again as it grows. */
export type LargeTurn = (sizeBytes: number) => Promise<void>;

/** Above this a body waits for its turn. */
const LARGE_BYTES = 1024 * 1024;

/**
 * The whole body, decoded. `maxBytes` bounds what was sent and what it decodes to. Throws TooLargeError, and
 * UpstreamError (with a bare reason) for a body that is cut, inflates, or is not in the encoding it says. `large` is
 * awaited before more than a megabyte of it is held, sent or decoded.
 */
export async function readBody(
  response: Response,
  maxBytes: number,
  options: { readonly timers: Timers; readonly large?: LargeTurn | undefined },
): Promise<Uint8Array> {
  const { timers, large } = options;
  const { origin } = new URL(response.url);
  const stated = statedLength(response.headers);
  if (stated !== null && stated > maxBytes) return await tooLarge(response, maxBytes);
  const decoder = decoderFor(response.headers.get("content-encoding"));
  if (decoder === null) {
    await discard(response);
    throw failure("content", "the body has an encoding that was not asked for", origin);
  }
  const sent = await collect(response, maxBytes, options);
  if (sent === null) return await tooLarge(response, maxBytes);
  if (stated !== null && sent.byteLength !== stated) {
    throw failure("content", `the body is cut: ${sent.byteLength} of ${stated} bytes`, origin);
  }
  return decoder === "identity" ? sent : await gunzip(sent, { maxBytes, origin, large, timers });
}

/** Content-Length, if it is one number. */
export function statedLength(headers: Headers): number | null {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : null;
}

/** What is wrong with a body as the document that was asked for, in a few words; null: nothing that shows here. */
export function unexpectedContent(
  expects: Source["expects"],
  contentType: string,
  body: Uint8Array,
): string | null {
  if (expects === "any") return null;
  const [first, last] = [edge(body, 1), edge(body, -1)];
  const isHtml = /\bhtml\b/i.test(contentType);
  if (expects === "html" || (expects === "json-or-html" && (isHtml || first === "<"))) {
    if (first !== "<") return "the body is not HTML";
    return isPageOfLinks(body) ? null : "the body is HTML (a sign-in page?), and no page of links";
  }
  if (isHtml || first === "<") return "the body is HTML (a sign-in page?), not the document";
  if (expects === "lines") return null;
  if (first !== "{" && first !== "[") return "the body is not JSON";
  return last === (first === "{" ? "}" : "]") ? null : "the JSON is cut";
}

function decoderFor(encoding: string | null): "identity" | "gzip" | null {
  const value = (encoding ?? "").trim().toLowerCase();
  if (value === "" || value === "identity") return "identity";
  if (value === "gzip" || value === "x-gzip") return "gzip";
  return null;
}

/** null: larger than `maxBytes`; the rest is given up. */
async function collect(
  response: Response,
  maxBytes: number,
  { timers, large }: { readonly timers: Timers; readonly large?: LargeTurn | undefined },
): Promise<Uint8Array | null> {
  if (response.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) return null;
    if (size > LARGE_BYTES) await large?.(size);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : await joined(chunks, size, timers);
}

/** With a bound on its output, so that a bomb ends at the bound and not in memory. */
async function gunzip(
  sent: Uint8Array,
  { maxBytes, origin, large, timers }: {
    readonly maxBytes: number;
    readonly origin: string;
    readonly large: LargeTurn | undefined;
    readonly timers: Timers;
  },
): Promise<Uint8Array> {
  async function admit(size: number): Promise<void> {
    if (size > maxBytes) {
      throw new TooLargeError(`the body inflates to more than ${maxBytes} bytes`, maxBytes);
    }
    if (size > RATIO_FROM_BYTES && size > sent.byteLength * MAX_RATIO) {
      throw failure("content", `the body inflates to more than ${MAX_RATIO} times its size`, origin);
    }
    if (size > LARGE_BYTES) await large?.(size);
  }
  try {
    return await gunzipInSlices(sent, { timers, maxBytes, admit });
  } catch (error) {
    if (error instanceof TooLargeError || error instanceof StorageError) throw error;
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || !code.startsWith("Z_")) throw toFailure(error, origin);
    throw failure("content", "the body is not gzip, or cut, though it says that it is", origin, {
      cause: error,
    });
  }
}

async function tooLarge(response: Response, maxBytes: number): Promise<never> {
  if (!response.bodyUsed) await response.body?.cancel().catch(() => {});
  throw new TooLargeError(`the body is larger than ${maxBytes} bytes`, maxBytes);
}

/** The first (1) or last (-1) character that is no white space; a byte-order mark in front counts as none. */
function edge(body: Uint8Array, step: 1 | -1): string {
  let at = step === 1 ? 0 : body.length - 1;
  if (step === 1 && body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) at = 3;
  while (at >= 0 && at < body.length && (body[at]! === 0x20 || (body[at]! >= 0x09 && body[at]! <= 0x0d))) {
    at += step;
  }
  return at >= 0 && at < body.length ? String.fromCharCode(body[at]!) : "";
}
