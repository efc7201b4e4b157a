/** A request target's path and query, by grammar, each decoded exactly once. */

export const MAX_TARGET_LENGTH = 8_192;
const MAX_SEGMENTS = 100;

/** RFC 3986 §3.3 `pchar` and `/`, without `;`: a parameter that one reader drops and another keeps. */
const RAW_PATH = /^\/[A-Za-z0-9\-._~!$&'()*+,=:@%/]*$/;
/** RFC 3986 §3.4, and what clients send unescaped although they should not. */
const RAW_QUERY = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%/?[\]{}|^`]*$/;
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
/** After the one decoding: a further escape, a second query or fragment, a separator of another kind, what does not show. */
const FORBIDDEN_IN_PATH = /[%#?;\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const FORBIDDEN_IN_QUERY = /[\p{Cc}\p{Cs}]/u;

/** The decoded segments, or what is wrong with the path in words. */
export type Segments =
  | { readonly ok: true; readonly segments: readonly string[] }
  | { readonly ok: false; readonly why: string };

export type Query =
  | { readonly ok: true; readonly query: URLSearchParams }
  | { readonly ok: false; readonly why: string };

/** Splits and decodes. Only the last segment may be empty (a trailing slash); `/` is one empty segment. */
export function readPath(path: string): Segments {
  if (!RAW_PATH.test(path)) return refuse("the path has a character that must not be there");
  const raw = path.slice(1).split("/");
  if (raw.length > MAX_SEGMENTS) return refuse("the path has too many segments");
  const segments: string[] = [];
  for (const [index, piece] of raw.entries()) {
    if (piece === "" && index < raw.length - 1) return refuse("the path has an empty segment");
    const segment = decodeSegment(piece);
    if (segment === null) return refuse("the path has a segment that cannot be read one way only");
    segments.push(segment);
  }
  return { ok: true, segments };
}

/** Decoded values may hold anything but control characters; plugins build upstream's query from what they parsed. */
export function readQuery(query: string): Query {
  if (query === "") return { ok: true, query: new URLSearchParams() };
  if (!RAW_QUERY.test(query)) return refuse("the query has a character that must not be there");
  const decoded = query.includes("%") ? decode(query) : query;
  if (decoded === null || FORBIDDEN_IN_QUERY.test(decoded)) return refuse("the query cannot be decoded");
  return { ok: true, query: new URLSearchParams(query) };
}

/** null for what two readers might read in two ways: broken or double escapes, dot segments, hidden separators. */
function decodeSegment(raw: string): string | null {
  if (!raw.includes("%")) return isDots(raw) ? null : raw;
  const segment = decode(raw);
  if (segment === null || FORBIDDEN_IN_PATH.test(segment)) return null;
  for (const part of segment.split("/")) {
    if (part === "" || isDots(part)) return null;
  }
  return segment;
}

/** null for a broken escape, and for bytes that are not well-formed, shortest-form UTF-8. */
function decode(text: string): string | null {
  if (BROKEN_ESCAPE.test(text)) return null;
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function isDots(segment: string): boolean {
  return segment === "." || segment === "..";
}

function refuse(why: string): { readonly ok: false; readonly why: string } {
  return { ok: false, why };
}
