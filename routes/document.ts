/** An index, a version, a search, a local answer: bytes in memory, in the coding that the client prefers. */
import type { Entity, Outcome } from "../ecosystems/outcome.ts";
import type { Clock } from "../storage/runtime.ts";
import { createByteSender } from "./bytes.ts";
import { matchesNone, type Welcome, welcomeCodings } from "./conditional.ts";
import { addPluginHeaders, putHeader, respond, responseHeaders } from "./headers.ts";
import { createResponseKeeper } from "./kept_response.ts";
import { remember } from "./remember.ts";
import { putStamp, type Stamp, stampOf } from "./trace.ts";

type DocumentOutcome = Extract<Outcome, { kind: "document" }>;

/** One entity in one coding. */
interface Representation {
  readonly entity: Entity;
  readonly bytes: Uint8Array;
  readonly coding: "identity" | "gzip" | "br";
  readonly etag: string;
}

/** An entity's codings; `tags` are all that a client may hold of it. */
interface Codings {
  readonly identity: Representation;
  readonly gzip: Representation | null;
  /** null: not made yet, or there will be none. */
  brotli: Representation | null;
  readonly tags: readonly string[];
}

/** Answers documents: 304 and HEAD without bytes, else a clone of the one Response that is kept of the entity. */
export function createDocumentSender(clock: Clock): (request: Request, outcome: DocumentOutcome) => Response {
  const sendBytes = createByteSender();
  const sendNotModified = createResponseKeeper();
  const welcomeTo = remember(welcomeCodings);
  const known = new WeakMap<Entity, Codings>();

  return function sendDocument(request, { entity, trace }) {
    const isRead = request.method === "GET" || request.method === "HEAD";
    // npm shows a notice only of answers that its cache does not keep: the plugin says where there is one.
    const isKept = isRead && entity.status === 200 && entity.headers["cache-control"] !== "no-store";
    const stamp = stampOf(trace, isKept ? "kept" : "never", clock());
    const codings = codingsOf(entity);
    const accepted = codings.gzip === null ? null : request.headers.get("accept-encoding");
    const chosen = accepted === null ? codings.identity : choose(codings, welcomeTo(accepted));
    if (isKept && matchesNone(request.headers.get("if-none-match"), codings.tags)) {
      return sendNotModified({ of: chosen, face: chosen, stamp, make: () => notModified(chosen) });
    }
    if (request.method === "HEAD") return withoutBody(chosen, stamp);
    const { bytes } = chosen;
    return sendBytes({ bytes, status: entity.status, face: entity, stamp, headers: () => headersOf(chosen) });
  };

  function codingsOf(entity: Entity): Codings {
    let codings = known.get(entity);
    if (codings === undefined) known.set(entity, codings = readCodings(entity));
    return codings;
  }
}

function readCodings(entity: Entity): Codings {
  const identity = { entity, bytes: entity.identity, coding: "identity", etag: entity.etag } as const;
  if (entity.gzip === null) return { identity, gzip: null, brotli: null, tags: [entity.etag] };
  const gzip = { entity, bytes: entity.gzip, coding: "gzip", etag: tagOf(entity, "gzip") } as const;
  return { identity, gzip, brotli: null, tags: [entity.etag, gzip.etag, tagOf(entity, "br")] };
}

/** The smallest that the client takes and that is there. */
function choose(codings: Codings, welcome: Welcome): Representation {
  const brotli = welcome.brotli ? brotliOf(codings) : null;
  return brotli ?? (welcome.gzip ? codings.gzip : null) ?? codings.identity;
}

function brotliOf(codings: Codings): Representation | null {
  const { entity } = codings.identity;
  if (codings.brotli !== null || entity.brotli === null) return codings.brotli;
  const bytes = entity.brotli.bytes();
  if (bytes === null) entity.brotli.missed();
  else codings.brotli = { entity, bytes, coding: "br", etag: tagOf(entity, "br") };
  return codings.brotli;
}

/** RFC 9110 §15.4.5: what a 200 would have said, but for what describes the bytes. */
function notModified({ entity, etag }: Representation): Response {
  return respond({ status: 304, headers: responseHeaders({ etag, vary: varyOf(entity) }), body: null });
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
  putHeader(headers, "content-encoding", coding === "identity" ? null : coding);
  putHeader(headers, "etag", entity.status === 200 ? etag : null);
  putHeader(headers, "vary", varyOf(entity));
  return headers;
}

/** RFC 9110 §8.8.3.3: two codings of one document have two strong tags. */
function tagOf(entity: Entity, coding: "gzip" | "br"): string {
  return `${entity.etag.slice(0, -1)}-${coding}"`;
}

function varyOf(entity: Entity): string | null {
  const own = entity.headers["vary"] ?? null;
  if (entity.gzip === null) return own;
  return own === null ? "accept-encoding" : `${own}, accept-encoding`;
}
