/** Refusals, errors and local answers as Cargo shows them. */
import type { Ask, Caller, Explanation, Failure, Links, LocalAsk, Refusal, Rendered } from "../ecosystem.ts";

/** Cargo prints the body of whatever failed; `errors` is its API's form (The Cargo Book, "Web API"). */
export function refuse(_ask: Ask, explanation: Explanation): Refusal {
  return {
    kind: "body",
    status: 403,
    contentType: "application/json",
    body: errors(`${explanation.sentence} ${explanation.link}`),
    headers: {},
  };
}

export function fail(failure: Failure): { readonly contentType: string; readonly body: string } {
  return { contentType: "application/json", body: errors(failure.message) };
}

function errors(detail: string): string {
  return JSON.stringify({ errors: [{ detail }] });
}

/**
 * `config.json`. Cargo sends a token with downloads only where `auth-required` says so. Where it does not, a name
 * that came in the index's own address is put into that of the downloads, or they would be nobody's: it is no secret,
 * and Cargo writes it nowhere.
 */
export function local(_ask: LocalAsk, caller: Caller, links: Links): Rendered {
  const downloads = new URL(links.base);
  if (caller.user !== null && !links.authRequired) downloads.username = caller.user;
  const config = {
    dl: `${downloads.href.replace(/\/$/, "")}/api/v1/crates`,
    api: links.base,
    ...(links.authRequired ? { "auth-required": true } : {}),
  };
  return {
    status: 200,
    contentType: "application/json",
    headers: {},
    body: [new TextEncoder().encode(JSON.stringify(config))],
    withheld: () => 0,
  };
}
