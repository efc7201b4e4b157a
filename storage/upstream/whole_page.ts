/** Bodies that nothing says the end of, and pages that are none of a registry's. */
import type { Source } from "../../ecosystems/ecosystem.ts";

/** Where a page says what it is; lists have megabytes. */
const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 64;

/** What registries, mirrors and web servers call a page of links; or the mark of PEP 629. */
const PAGE_OF_LINKS = /<(?:title|h1)[^>]*>[^<]*\b(?:links for|index)\b|\bname=["']?pypi:repository-version/i;
const LINK = /<a[\s>]/i;
const INTERACTIVE = /<(?:form|input|button|script|iframe)[\s>]|http-equiv=["']?refresh/i;

/**
 * A connection that closes says nothing of whether it was cut (RFC 9112, 8): without length, chunks or a digest the
 * body's own end has to. What is compressed has one; JSON has one that is looked at already.
 */
export function isOpenEnded(response: Response, source: Source, body: Uint8Array): boolean {
  const { headers } = response;
  const framed = headers.has("content-length") || /\bchunked\b/i.test(headers.get("transfer-encoding") ?? "");
  const encoded = (headers.get("content-encoding") ?? "identity").trim().toLowerCase() !== "identity";
  if (framed || encoded || source.digests !== undefined) return false;
  const end = new TextDecoder().decode(body.subarray(-TAIL_BYTES)).trimEnd();
  if (source.expects === "json" || source.expects === "json-or-html") {
    return !/(?:[}\]]|<\/html>)$/i.test(end);
  }
  return source.expects !== "html" || !/<\/html>$/i.test(end);
}

/**
 * An HTML page of links, which a sign-in page or an error with status 200 is not: taken for one, it would be a package
 * without files. A page that says what it is may be empty and have a form (devpi's have); any other must have links
 * and nothing to act upon.
 */
export function isPageOfLinks(body: Uint8Array): boolean {
  const html = new TextDecoder().decode(body.subarray(0, HEAD_BYTES));
  return PAGE_OF_LINKS.test(html) || (LINK.test(html) && !INTERACTIVE.test(html));
}
