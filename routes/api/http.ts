/** `/-/api/v1/…` over HTTP: a request becomes an ApiRequest; credentials come in headers alone, never in cookies. */
import type { OrganisationViews } from "../../storage/organisations.ts";
import type { Timers } from "../../storage/runtime.ts";
import type { Authenticator } from "../authenticate.ts";
import { readBody, streamBody } from "../body.ts";
import type { Principal } from "../../storage/tokens.ts";
import type { Denial } from "../caller.ts";
import { bearerOf, credentialsOf } from "../credentials.ts";
import type { Resolver } from "../organisations.ts";
import type { PeerOf } from "../peer.ts";
import { BodyTooLargeError, problemOf, RequestError } from "../problem.ts";
import type { Told } from "../say_problem.ts";
import type { SiteBindings } from "../site.tsx";
import type { Rejection } from "../target.ts";
import { type Api, sayApiError } from "./api.ts";
import { ApiError } from "./error.ts";

/** True for what is the API's, but for the page about it; its errors are problem details whatever was asked for. */
export function isApiPath([first, second, version, ...rest]: readonly string[]): boolean {
  const isPage = version === "v1" && (rest.length === 0 || (rest.length === 1 && rest[0] === ""));
  return first === "-" && second === "api" && !isPage;
}

/** Of an address that could not be read: whether it is the API's that was meant. */
export function isApiAddress(url: string): boolean {
  return /\/-\/api(?:\/|$)/.test(url.split("?", 1)[0]!);
}

/** Which part of an address is wrong, for who asked the API. */
export function rejectedField({ code, message }: Rejection): Pick<Told, "errors"> {
  const field = FIELDS[code];
  return field === undefined ? {} : { errors: [{ field, message }] };
}

const FIELDS: Readonly<Record<string, string>> = {
  "malformed-query": "query",
  "malformed-path": "path",
  "no-such-organisation": "path",
  "organisations-disagree": "path",
};

export type ApiRoute = (request: Request, bindings: SiteBindings) => Promise<Response>;

/** Whose bearer token it is, ours of any form among them; null: there is none. */
export type Identify = (request: Request, info: Deno.ServeHandlerInfo) => Promise<
  | { readonly ok: true; readonly principal: Principal | null }
  | { readonly ok: false; readonly denial: Denial }
>;

export function createIdentify(deps: {
  readonly authenticator: Authenticator;
  readonly peerOf: PeerOf;
}): Identify {
  return async function identify(request, info) {
    const authorization = request.headers.get("authorization");
    const credentials = credentialsOf(authorization);
    const secret = credentials.kind === "token" ? credentials.secret : bearerOf(authorization);
    if (secret === null) return { ok: true, principal: null };
    const address = deps.peerOf(info, request.headers);
    return await deps.authenticator.verify(secret, { address, inPath: false });
  };
}

/** Rejects with what is not the caller's fault. */
export function createApiRoute(deps: {
  readonly api: Api;
  readonly identify: Identify;
  readonly peerOf: PeerOf;
  readonly resolve: Resolver;
  readonly views: Pick<OrganisationViews, "count">;
  readonly timers: Timers;
}): ApiRoute {
  const { api, peerOf, resolve, views, timers } = deps;

  return async function apiRoute(request, { target, info }) {
    if (target.segments[2] !== "v1") {
      return sayApiError(new ApiError(404, "no-such-version", "There is one version of this API: /-/api/v1"));
    }
    if (isFromElsewhere(target.method, request.headers)) return sayApiError(CROSS_SITE);
    // A restore that has ended is taken up before credentials are looked up; what else is wrong is told by who needs it.
    await views.count().catch(() => {});
    return await api.call({
      method: target.method,
      segments: target.segments.slice(3),
      query: target.query,
      body: (maxBytes) => readBody(request, maxBytes, timers),
      bytes: () => streamBody(request, timers),
      identify: () => identified(request, info),
      address: () => resolve(target),
      isNamed: target.organisation !== null,
      from: peerOf(info, request.headers),
    });
  };

  async function identified(request: Request, info: Deno.ServeHandlerInfo) {
    const verified = await deps.identify(request, info);
    if (verified.ok) return verified.principal;
    const { status, code, message, challenge, retryAfterSeconds } = verified.denial;
    throw new ApiError(status, code, message, {
      challenge,
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }
}

/**
 * WARNING: a browser that was once asked for Basic credentials sends them along whatever page makes it ask. Pages of
 * elsewhere change nothing here: a browser names them in Origin, every other client sends none.
 */
function isFromElsewhere(method: string, headers: Headers): boolean {
  const origin = headers.get("origin");
  if (origin === null || method === "GET" || method === "HEAD") return false;
  return !URL.canParse(origin) || new URL(origin).host !== headers.get("host")?.toLowerCase();
}

const CROSS_SITE = new ApiError(403, "cross-site", "A page of another site may not change anything here");

/** What broke, as problem details. */
export function sayApiProblem(error: unknown, id: string | null): Response {
  const { status, code, message, retryAfterSeconds } = problemOf(error);
  const shown = id === null ? message : `${message} (${id})`;
  const isOfBody = error instanceof BodyTooLargeError || error instanceof RequestError;
  return sayApiError(
    new ApiError(status as ApiError["status"], code, shown, {
      ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
      ...(isOfBody ? { errors: [{ field: "body", message }] } : {}),
    }),
  );
}
