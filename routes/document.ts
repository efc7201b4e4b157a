/** An index, a version, a search, a local answer: bytes in memory, in the coding that the client prefers. */
import type { Entity, Outcome } from "../ecosystems/outcome.ts";
import type { Clock } from "../storage/runtime.ts";
import { createByteSender } from "./bytes.ts";
import { acceptsGzip, matchesNone } from "./conditional.ts";
import { addPluginHeaders, putHeader, respond, responseHeaders } from "./headers.ts";
import { putStamp, type Stamp, stampOf } from "./trace.ts";

type DocumentOutcome = Extract<Outcome, { kind: "document" }>;

/** One entity in one coding. */
interface Representation {
  readonly entity: Entity;
  readonly bytes: Uint8Array;
  readonly coding: "identity" | "gzip";
  readonly etag: string;
}

/** Answers documents: 304 and HEAD without bytes, else a clone of the one Response that is kept of the entity. */
export function createDocumentSender(clock: Clock): (request: Request, outcome: DocumentOutcome) => Response {
  const sendBytes = createByteSender();

  return function sendDocument(request, { entity, trace }) {
    const isRead = request.method === "GET" || request.method === "HEAD";
    // npm shows a notice only of answers that its cache does not keep: the plugin says where there is one.
    const isKept = isRead && entity.status === 200 && entity.headers["cache-control"] !== "no-store";
    const stamp = stampOf(trace, isKept ? "kept" : "never", clock());
    const chosen = choose(entity, request.headers.get("accept-encoding"));
    if (isKept && matchesNone(request.headers.get("if-none-match"), tagsOf(entity))) {
      return notModified(chosen, stamp);
    }
    if (request.method === "HEAD") return withoutBody(chosen, stamp);
    const { bytes } = chosen;
    return sendBytes({ bytes, status: entity.status, face: entity, stamp, headers: () => headersOf(chosen) });
  };
}

function choose(entity: Entity, acceptEncoding: string | null): Representation {
  if (entity.gzip !== null && acceptsGzip(acceptEncoding)) {
    return { entity, bytes: entity.gzip, coding: "gzip", etag: gzipTag(entity) };
  }
  return { entity, bytes: entity.identity, coding: "identity", etag: entity.etag };
}

/** RFC 9110 §15.4.5: what a 200 would have said, but for what describes the bytes. */
function notModified({ entity, etag }: Representation, stamp: Stamp): Response {
  const headers = responseHeaders({ etag, vary: varyOf(entity) });
  putStamp(headers, stamp);
  return respond({ status: 304, headers, body: null });
}

function withoutBody(chosen: Representation, stamp: Stamp): Response {
  const headers = headersOf(chosen);
  putStamp(headers, stamp);
  putHeader(headers, "content-length", String(chosen.bytes.byteLength));
  return respond({ status: chosen.entity.status, headers, body: null });
}

function headersOf({ entity, coding, etag }: Representation): Headers {
  const headers = responseHeaders({
    "content-security-policy":
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
  });
  addPluginHeaders(headers, entity.headers);
  putHeader(headers, "content-type", entity.contentType);
  putHeader(headers, "content-encoding", coding === "gzip" ? "gzip" : null);
  putHeader(headers, "etag", entity.status === 200 ? etag : null);
  putHeader(headers, "vary", varyOf(entity));
  return headers;
}

/** RFC 9110 §8.8.3.3: two codings of one document have two strong tags. */
function gzipTag(entity: Entity): string {
  return `${entity.etag.slice(0, -1)}-gzip"`;
}

function tagsOf(entity: Entity): readonly string[] {
  return entity.gzip === null ? [entity.etag] : [entity.etag, gzipTag(entity)];
}

function varyOf(entity: Entity): string | null {
  const own = entity.headers["vary"] ?? null;
  if (entity.gzip === null) return own;
  return own === null ? "accept-encoding" : `${own}, accept-encoding`;
}
