/** An error of a page, of an address or of a caller, outside of any client's own form. */
import { putHeader, respondText, responseHeaders } from "./headers.ts";
import { preferredForm } from "./text.ts";

/** What is told; every text may be shown to anybody. */
export interface Told {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly challenge?: boolean;
  readonly allow?: string;
  readonly retryAfterSeconds?: number | null;
}

/** RFC 9457 where JSON is asked for, else one line of text. Never kept. */
export function sayProblem(request: Request, told: Told): Response {
  const { status, code, message } = told;
  const isJson = preferredForm(request.headers.get("accept")) === "json";
  const headers = problemHeaders(told);
  putHeader(headers, "cache-control", "no-store");
  putHeader(headers, "content-type", isJson ? "application/problem+json" : "text/plain; charset=utf-8");
  putHeader(headers, "vary", "accept");
  const body = isJson
    ? JSON.stringify({ type: "about:blank", title: message, status, code, error: message })
    : `${message}\n`;
  return respondText(request, { status, headers, body });
}

/** What an error says in headers whatever its form is. */
export function problemHeaders(told: Pick<Told, "challenge" | "allow" | "retryAfterSeconds">): Headers {
  return responseHeaders({
    allow: told.allow,
    "content-security-policy": "sandbox; default-src 'none'",
    "retry-after": told.retryAfterSeconds === null || told.retryAfterSeconds === undefined
      ? null
      : String(Math.max(1, Math.ceil(told.retryAfterSeconds))),
    "www-authenticate": told.challenge === true ? 'Basic realm="sluice", charset="UTF-8"' : null,
    "x-content-type-options": "nosniff",
  });
}
