/** The frame that every page for people has, and the headers that go with it. */
import type { Child } from "hono/jsx";
import { respond, responseHeaders } from "./headers.ts";
import { utf8 } from "./text.ts";

/** No script, no inline style, nothing from elsewhere, never in a frame. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** Renders a whole document; JSX escapes every text in it. `prefix` is the base address's own path. */
export async function htmlPage(options: {
  readonly title: string;
  readonly prefix: string;
  readonly status?: number;
  /** What the page's `<main>` holds; or (`frame`) all of its body, `<main>` among it. */
  readonly children?: Child;
  readonly frame?: Child;
}): Promise<Response> {
  const { title, prefix, children, frame } = options;
  const markup = await (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="stylesheet" href={`${prefix}/-/style.css`} />
      </head>
      <body>
        {frame ?? <main>{children}</main>}
      </body>
    </html>
  ).toString();
  return pageResponse({
    status: options.status ?? 200,
    contentType: "text/html; charset=utf-8",
    body: `<!DOCTYPE html>${markup}`,
  });
}

/** A page's answer in any form: not kept, not framed, not guessed at, and its address goes nowhere. */
export function pageResponse(options: {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly cacheControl?: string;
}): Response {
  const headers = responseHeaders({
    "cache-control": options.cacheControl ?? "no-store",
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "content-type": options.contentType,
    // Not `no-referrer`: with it a browser says "null" of where a form of ours comes from.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    vary: "accept",
  });
  return respond({ status: options.status, headers, body: utf8(options.body) });
}

/** Plain text, with a newline at its end. */
export function textPage(body: string, status = 200): Response {
  return pageResponse({ status, contentType: "text/plain; charset=utf-8", body: `${body.trimEnd()}\n` });
}

/** Indented, for people who look at it in a terminal. */
export function jsonPage(value: unknown, status = 200, contentType = "application/json"): Response {
  return pageResponse({ status, contentType, body: `${JSON.stringify(value, null, 2)}\n` });
}
