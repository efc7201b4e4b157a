/** Follows redirects hop by hop; every hop passes all layers below anew. */
import { failure } from "./failures.ts";
import type { OriginRules } from "./origins.ts";
import { discard } from "./response.ts";
import type { Layer } from "./upstream.ts";

const MAX_HOPS = 5;
const FOLLOWED = [301, 302, 303, 307, 308];

/** What may go along to somebody else: nothing that is ours. Validators are of the document, wherever it is. */
const HARMLESS_HEADERS = ["accept", "accept-encoding", "user-agent", "if-none-match", "if-modified-since"];

/**
 * At most five hops, no address twice, never from https to http. A hop that leaves the place that credentials
 * belong to loses them and every header of ours, and does not get them back. Whether the next address may be
 * private is decided by the dispatcher. Only GET is followed.
 */
export function redirectsLayer(rules: OriginRules): Layer {
  return (next) => async (first) => {
    const seen = new Set([first.url]);
    let request = first;
    for (;;) {
      const response = await next(request);
      if (!FOLLOWED.includes(response.status)) return response;
      await discard(response);
      request = nextRequest(request, response, rules);
      if (seen.size > MAX_HOPS) throw refusal(request.url, `more than ${MAX_HOPS} redirects`);
      if (seen.has(request.url)) throw refusal(request.url, "it redirects in a loop");
      seen.add(request.url);
    }
  };
}

function nextRequest(request: Request, response: Response, rules: OriginRules): Request {
  if (request.method !== "GET") throw refusal(request.url, `it redirects a ${request.method} request`);
  const from = new URL(request.url);
  const to = target(response.headers.get("location"), from);
  const headers = rules.carriesCredentials(to) ? request.headers : harmless(request.headers, rules);
  return new Request(to, { method: "GET", headers, signal: request.signal });
}

function target(location: string | null, from: URL): URL {
  if (location === null) throw refusal(from.href, "it redirects without saying where to");
  if (!URL.canParse(location, from.href)) throw refusal(from.href, "it redirects to what is no address");
  const to = new URL(location, from);
  to.hash = "";
  if (to.protocol !== "https:" && to.protocol !== "http:") {
    throw refusal(from.href, "it redirects to what is neither http nor https");
  }
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw refusal(from.href, "it redirects from https to http");
  }
  if (to.username !== "" || to.password !== "") {
    throw refusal(from.href, "it redirects to an address with credentials");
  }
  return to;
}

function harmless(headers: Headers, rules: OriginRules): Headers {
  const secret = rules.credentialHeader?.[0];
  const kept = HARMLESS_HEADERS.filter((name) => name !== secret && headers.has(name));
  return new Headers(kept.map((name) => [name, headers.get(name)!]));
}

function refusal(url: string, reason: string): Error {
  return failure("redirect", reason, new URL(url).origin);
}
