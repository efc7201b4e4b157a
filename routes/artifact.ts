/** A file: opened for GET alone, once, and never for an answer without its bytes. */
import type { OpenArtifact, Outcome, RangeSpec } from "../ecosystems/outcome.ts";
import type { Clock } from "../storage/runtime.ts";
import { createByteSender, sendOnce } from "./bytes.ts";
import { matchesNone, readRange } from "./conditional.ts";
import { putHeader, respond, responseHeaders } from "./headers.ts";
import { putStamp, type Stamp, stampOf } from "./trace.ts";

type ArtifactOutcome = Extract<Outcome, { kind: "artifact" }>;

/**
 * Answers artifacts: HEAD and 304 before anything is opened or recorded, one range, or the whole file. Rejects with
 * what `open` rejects with, but for RangeError, which is 416.
 */
export function createArtifactSender(
  clock: Clock,
): (request: Request, outcome: ArtifactOutcome) => Promise<Response> {
  const sendBytes = createByteSender();

  return async function sendArtifact(request, outcome) {
    const stamp = stampOf(outcome.trace, "validated", clock());
    const { etag, sizeBytes } = outcome;
    if (etag !== null && matchesNone(request.headers.get("if-none-match"), [etag])) {
      return bodiless(outcome, 304, stamp);
    }
    if (request.method === "HEAD") return bodiless(outcome, 200, stamp);
    const asked = readRange(request.headers, outcome);
    if (asked.kind === "whole") return whole(outcome, await outcome.open(null), stamp);
    if (asked.kind === "unsatisfiable") return unsatisfiable(sizeBytes, stamp);
    const opened = await openRange(outcome, asked.range);
    return opened === null ? unsatisfiable(sizeBytes, stamp) : partial(outcome, opened, stamp);
  };

  function whole(outcome: ArtifactOutcome, opened: OpenArtifact, stamp: Stamp): Response {
    const { body, sizeBytes } = opened;
    const etag = opened.etag ?? outcome.etag;
    if (body instanceof Uint8Array) {
      const face = `${etag} ${outcome.contentType} ${outcome.filename}`;
      return sendBytes({ bytes: body, status: 200, face, stamp, headers: () => headersOf(outcome, etag) });
    }
    const headers = stamped(headersOf(outcome, etag), stamp);
    if (sizeBytes !== null) putHeader(headers, "content-length", String(sizeBytes));
    return respond({ status: 200, headers, body });
  }

  function partial(outcome: ArtifactOutcome, opened: OpenArtifact, stamp: Stamp): Response {
    const { range, body, sizeBytes } = opened;
    if (range === null) return whole(outcome, opened, stamp);
    const headers = stamped(headersOf(outcome, opened.etag ?? outcome.etag), stamp);
    putHeader(headers, "content-range", `bytes ${range.first}-${range.last}/${sizeBytes ?? "*"}`);
    if (body instanceof Uint8Array) return sendOnce({ bytes: body, status: 206, headers });
    putHeader(headers, "content-length", String(range.last - range.first + 1));
    return respond({ status: 206, headers, body });
  }
}

/** HEAD says the length that is known; a 304 says none, for it has no file to describe. */
function bodiless(outcome: ArtifactOutcome, status: 200 | 304, stamp: Stamp): Response {
  const headers = stamped(headersOf(outcome, outcome.etag), stamp);
  if (status === 304) return respond({ status, headers, body: null });
  // Deno takes null for no bytes at all, and would say so; an empty stream states no length.
  if (outcome.sizeBytes === null) {
    return respond({ status, headers, body: ReadableStream.from<Uint8Array>([]) });
  }
  putHeader(headers, "content-length", String(outcome.sizeBytes));
  return respond({ status, headers, body: null });
}

function unsatisfiable(sizeBytes: number | null, stamp: Stamp): Response {
  const headers = responseHeaders({
    "accept-ranges": "bytes",
    "content-range": sizeBytes === null ? null : `bytes */${sizeBytes}`,
  });
  return respond({
    status: 416,
    headers: stamped(headers, { ...stamp, cacheControl: "no-store" }),
    body: null,
  });
}

/** null: the file, now that it is known, does not hold the range. */
async function openRange(outcome: ArtifactOutcome, range: RangeSpec): Promise<OpenArtifact | null> {
  try {
    return await outcome.open(range);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** What a package holds is never shown on this origin: nothing may guess at it, run it or frame it. */
function headersOf(outcome: ArtifactOutcome, etag: string | null): Headers {
  return responseHeaders({
    "accept-ranges": "bytes",
    "content-disposition": dispositionOf(outcome.filename),
    "content-security-policy": "sandbox; default-src 'none'",
    "content-type": outcome.contentType,
    "x-content-type-options": "nosniff",
    etag,
  });
}

function stamped(headers: Headers, stamp: Stamp): Headers {
  putStamp(headers, stamp);
  return headers;
}

/** RFC 6266, with a name that is ASCII and quotes nothing. */
function dispositionOf(filename: string): string {
  const safe = filename.replaceAll(/[^A-Za-z0-9._+@-]/g, "_").slice(0, 200);
  return `attachment; filename="${safe}"`;
}
