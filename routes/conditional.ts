/** Conditional, ranged and negotiated requests: RFC 9110 §12 to §14, as far as registries' clients go. */
import type { RangeSpec } from "../ecosystems/outcome.ts";

/** What a Range header asks of a representation. `whole`: none, several, or one that makes no sense. */
export type RangeRequest =
  | { readonly kind: "whole" }
  | { readonly kind: "range"; readonly range: RangeSpec }
  | { readonly kind: "unsatisfiable" };

const RANGE = /^bytes=\s*(?:([0-9]{1,15})-([0-9]{1,15})?|-([0-9]{1,15}))\s*$/;
const MAX_VALIDATORS_LENGTH = 4_096;

/** §13.1.2, by weak comparison: true answers 304. `variants` are the entity tags this answer may have had. */
export function matchesNone(ifNoneMatch: string | null, variants: readonly string[]): boolean {
  if (ifNoneMatch === null || ifNoneMatch.length > MAX_VALIDATORS_LENGTH) return false;
  if (variants.includes(ifNoneMatch)) return true;
  if (ifNoneMatch.trim() === "*") return true;
  const sent = ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return sent.some((tag) => variants.includes(tag.startsWith("W/") ? tag.slice(2) : tag));
}

/**
 * §14.2 and §13.1.5. One range of bytes, or the whole: several ranges are answered with all of it, as is a range
 * whose If-Range does not name exactly this entity tag. `sizeBytes` null: nothing can be refused yet.
 */
export function readRange(headers: Headers, options: {
  readonly etag: string | null;
  readonly sizeBytes: number | null;
}): RangeRequest {
  const header = headers.get("range");
  if (header === null) return { kind: "whole" };
  const match = RANGE.exec(header);
  if (match === null) return { kind: "whole" };
  const ifRange = headers.get("if-range");
  if (ifRange !== null && (options.etag === null || ifRange.trim() !== options.etag)) {
    return { kind: "whole" };
  }
  const [, first, last, suffix] = match;
  if (suffix !== undefined) return ofSuffix(Number(suffix), options.sizeBytes);
  return ofFirst(Number(first), last === undefined ? null : Number(last), options.sizeBytes);
}

function ofSuffix(suffix: number, sizeBytes: number | null): RangeRequest {
  if (suffix === 0 || sizeBytes === 0) return { kind: "unsatisfiable" };
  return { kind: "range", range: { suffix } };
}

function ofFirst(first: number, last: number | null, sizeBytes: number | null): RangeRequest {
  if (last !== null && last < first) return { kind: "whole" };
  if (sizeBytes !== null && first >= sizeBytes) return { kind: "unsatisfiable" };
  return { kind: "range", range: { first, last } };
}

/** Codings that a client takes at least as gladly as the bytes as they are. */
export interface Welcome {
  readonly gzip: boolean;
  /** As gladly as gzip, too. */
  readonly brotli: boolean;
}

/** §12.5.3. No header: as they are. */
export function welcomeCodings(acceptEncoding: string | null): Welcome {
  const weights = new Map<string, number>();
  for (const part of (acceptEncoding ?? "").toLowerCase().split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((text) => text.trim());
    if (coding !== "") weights.set(coding === "x-gzip" ? "gzip" : coding, weightOf(parameters));
  }
  const other = weights.get("*") ?? 0;
  const gzip = weights.get("gzip") ?? other;
  const brotli = weights.get("br") ?? other;
  const identity = weights.get("identity") ?? 0;
  return {
    gzip: gzip > 0 && gzip >= identity,
    brotli: brotli > 0 && brotli >= identity && brotli >= gzip,
  };
}

function weightOf(parameters: readonly string[]): number {
  const quality = parameters.find((parameter) => parameter.startsWith("q="));
  if (quality === undefined) return 1;
  const weight = Number(quality.slice(2));
  return Number.isFinite(weight) ? weight : 0;
}
