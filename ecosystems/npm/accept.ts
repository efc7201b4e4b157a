/** Content negotiation between the two forms of a packument (RFC 9110 §12.5.1). */

/** The media type of the abbreviated packument. */
export const ABBREVIATED_TYPE = "application/vnd.npm.install-v1+json";
/** The media type of the full packument. */
export const FULL_TYPE = "application/json";

/**
 * True where the header names the abbreviated form itself and wants it at least as much as the full one. A
 * wildcard alone gets the full form, and so does a header that wants neither.
 */
export function prefersAbbreviated(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const ranges = accept.slice(0, 1_000).split(",").map(readRange);
  const abbreviated = ranges.find((range) => range.type === ABBREVIATED_TYPE);
  if (abbreviated === undefined || abbreviated.quality === 0) return false;
  return abbreviated.quality >= qualityOf(FULL_TYPE, ranges);
}

interface MediaRange {
  readonly type: string;
  readonly quality: number;
}

function readRange(text: string): MediaRange {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const q = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = q === undefined
    ? 1
    : /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q)
    ? Number(q.slice(2))
    : 0;
  return { type, quality };
}

/** What is named exactly counts before what a wildcard covers; npm's `*\/*` has no weight against its own list. */
function qualityOf(type: string, ranges: readonly MediaRange[]): number {
  const family = `${type.split("/")[0]}/*`;
  const match = ranges.find((range) => range.type === type) ??
    ranges.find((range) => range.type === family) ??
    ranges.find((range) => range.type === "*/*");
  return match?.quality ?? 0;
}
