/** An error of a page, of an address or of a caller, outside of any client's own form. */
import { STATUS_CODES } from "node:http";
import { putHeader, respondText, responseHeaders } from "./headers.ts";
import { preferredForm } from "./text.ts";

/** What is told; every text may be shown to anybody. */
export interface Told {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** Asked for credentials: as registries' clients know them (true), or a bearer token alone. */
  readonly challenge?: boolean | "bearer";
  readonly allow?: string;
  readonly retryAfterSeconds?: number | null;
  /** What is wrong of what was sent, where that is known. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/** RFC 9457 where JSON is asked for (or `form` says so), else one line of text. Never kept. */
export function sayProblem(request: Request, told: Told, form?: "json"): Response {
  const { status, code, message, errors } = told;
  const isJson = form === "json" || preferredForm(request.headers.get("accept")) === "json";
  const headers = problemHeaders(told);
  putHeader(headers, "cache-control", "no-store");
  putHeader(headers, "content-type", isJson ? "application/problem+json" : "text/plain; charset=utf-8");
  putHeader(headers, "vary", "accept");
  const body = isJson
    ? JSON.stringify({ ...problemDetails(status, message), code, error: message, errors })
    : `${message}\n`;
  return respondText(request, { status, headers, body });
}

/** RFC 9457, 4.2.1: a problem without a type of its own has its status's phrase as title; the sentence is the detail. */
export function problemDetails(status: number, detail: string) {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
}

/** What an error says in headers whatever its form is. */
export function problemHeaders(told: Pick<Told, "challenge" | "allow" | "retryAfterSeconds">): Headers {
  return responseHeaders({
    allow: told.allow,
    "content-security-policy": "sandbox; default-src 'none'",
    "retry-after": told.retryAfterSeconds === null || told.retryAfterSeconds === undefined
      ? null
      : String(Math.max(1, Math.ceil(told.retryAfterSeconds))),
    "www-authenticate": challengeOf(told.challenge),
    "x-content-type-options": "nosniff",
  });
}

function challengeOf(challenge: Told["challenge"]): string | null {
  if (challenge === "bearer") return 'Bearer realm="sluice"';
  return challenge === true ? 'Basic realm="sluice", charset="UTF-8"' : null;
}
