/** Everything of ours: `/`, `/health`, and what is under `/-/`. Later pages are mounted here. */
import { Hono } from "hono";
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { WhyAnswer, WhyQuery } from "../ecosystems/why.ts";
import type { Endpoint } from "./api/endpoint.ts";
import { type ApiRoute, type Identify, isApiAddress, isApiPath } from "./api/http.ts";
import { openApiOf } from "./api/openapi.ts";
import { apiPage } from "./api/page.tsx";
import type { Clock, Timers } from "../storage/runtime.ts";
import { principalOf, type ReadSession } from "./auth/signed_in.ts";
import { authorise, type Callers } from "./caller.ts";
import type { HealthReport } from "./health.ts";
import { DEFAULT_ORGANISATION, type Resolved, type Resolver } from "./organisations.ts";
import { jsonPage, pageResponse } from "./page.tsx";
import { createOperationPages, type Operations } from "./operations.ts";
import { respond } from "./headers.ts";
import { sayProblem } from "./say_problem.ts";
import type { OwnTokensAt, SignInBy } from "./sign_in_by.ts";
import type { EpochMs } from "../policy/types.ts";
import type { Scope } from "../storage/tokens.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import type { Admin } from "./admin/admin.tsx";
import { ADMIN_STYLE } from "./admin/style.ts";
import type { AuthPages } from "./auth/auth.tsx";
import { createSetupPages } from "./setup/pages.ts";
import { SETUP_STYLE } from "./setup/style.ts";
import { STYLE } from "./style.ts";
import type { SiteTarget } from "./target.ts";
import { createTurnAway } from "./turn_away.tsx";
import { welcome } from "./welcome.tsx";
import { createWhyRoute, type WhyDeps } from "./why_route.ts";

/** What the pages need; a part of the app's own dependencies. */
export interface SiteDeps {
  readonly base: URL;
  readonly ecosystems: readonly Ecosystem[];
  readonly version: string;
  /** The policy's JSON Schema, as policy/config.ts publishes it. */
  readonly policySchema: unknown;
  readonly resolve: Resolver;
  readonly health: () => Promise<HealthReport>;
  readonly callers: Callers;
  readonly identify: Identify;
  readonly operations: Operations;
  readonly upstreamHealth: UpstreamClient["health"];
  /** Requests that are being answered. */
  readonly inFlight: () => number;
  readonly startedAt: EpochMs;
  readonly clock: Clock;
  /** What the API's page describes. */
  readonly endpoints: readonly Endpoint[];
  /** Everything below `/-/api/v1/`. */
  readonly api: ApiRoute;
  /** Everything below `/-/admin`. */
  readonly admin: Admin;
  /** Everything below `/-/auth`. */
  readonly auth: AuthPages;
  /** Null: nothing is known of that package. From cached facts only. */
  readonly explain: (query: WhyQuery) => Promise<WhyAnswer | null>;
  /** Who is signed in at the pages. */
  readonly readSession: ReadSession;
  readonly signInBy: SignInBy;
  readonly ownTokensAt: OwnTokensAt | null;
  /** Where exceptions are asked for. */
  readonly waivers: WhyDeps["waivers"];
  readonly timers: Timers;
}

/** What travels with a request to the pages: the one parse of it, and the peer. */
export interface SiteBindings {
  readonly target: SiteTarget;
  readonly info: Deno.ServeHandlerInfo;
}

/** Hono routes by the target that was admitted; it never reads the URL. */
export type Site = (request: Request, bindings: SiteBindings) => Promise<Response>;

/**
 * Every page, as the router knows it, and who may see it: null is everybody; else whoever the organisation lets in,
 * and of a token or a session that scope.
 */
export const SITE_ACCESS = {
  "/": null,
  "/health": null,
  "/-/health": null,
  "/-/ready": null,
  // With `metrics: token` it asks for the scope operate itself.
  "/-/metrics": null,
  "/stats": "read",
  "/-/stats": "read",
  "/-/style.css": null,
  "/-/schema/policy.json": null,
  "/-/api/v1": null,
  "/-/api/v1/": null,
  "/-/why/*": "read",
  // How clients are pointed here: whoever has none yet needs it first, and there is no secret in it.
  "/-/setup": null,
  "/-/setup.sh": null,
  "/-/setup.ps1": null,
  // Whoever signed in, with the role that each page asks for.
  "/-/admin": null,
  "/-/admin/*": null,
  // Whoever wants to sign in, is about to, or goes.
  "/-/auth/sign-in": null,
  "/-/auth/callback": null,
  "/-/auth/sign-out": null,
} as const satisfies Readonly<Record<string, Scope | null>>;

type SitePath = keyof typeof SITE_ACCESS;

/** Tests go over them all. */
export const SITE_PATHS = Object.keys(SITE_ACCESS) as readonly SitePath[];

/** Those that forms are sent to: they see to it themselves that it is a page of ours that sends one. */
const FORM_PATHS: readonly SitePath[] = ["/-/admin/*", "/-/why/*", "/-/auth/sign-out"];

/** Those that let in by themselves whom SITE_ACCESS says: somebody who signed in among them, and by ecosystem. */
const SEE_TO_IT: readonly SitePath[] = ["/-/why/*"];

type Page = (request: Request, bindings: SiteBindings) => Promise<Response> | Response;

export function createSite(deps: SiteDeps): Site {
  const { resolve, ecosystems, version } = deps;
  const prefix = deps.base.pathname.replace(/\/+$/, "");
  const byPurlType = new Map(ecosystems.map((ecosystem) => [ecosystem.purlType, ecosystem]));
  const turnAway = createTurnAway(deps);
  const whyRoute = createWhyRoute({ ...deps, byPurlType, turnAway });
  const app = new Hono<{ Bindings: SiteBindings }>({
    getPath: (_request, options) => (options?.env as SiteBindings).target.path,
  });

  const operations = createOperationPages(deps);
  const setup = createSetupPages({ ecosystems, prefix, ownTokensAt: deps.ownTokensAt });
  const pages: Readonly<Record<SitePath, Page>> = {
    "/": async (request, { target }) => {
      const resolved = await resolve(target);
      if (resolved === null) return noOrganisation(request);
      return await welcome(request.headers.get("accept"), {
        ecosystems,
        site: resolved.site,
        prefix,
        version,
      });
    },
    "/health": healthPage,
    "/-/health": healthPage,
    "/-/ready": (request, bindings) => operations.ready(request, bindings),
    "/-/metrics": (request, bindings) => operations.metrics(request, bindings),
    "/stats": stats,
    "/-/stats": stats,
    "/-/style.css": stylesheet,
    "/-/schema/policy.json": () => jsonPage(deps.policySchema, 200, "application/schema+json"),
    "/-/api/v1": describeApi,
    "/-/api/v1/": describeApi,
    "/-/why/*": why,
    "/-/setup": (request, { target }) =>
      forOrganisation(request, target, (resolved) => setup.page(request, { resolved, query: target.query })),
    "/-/setup.sh": (request, { target }) => forOrganisation(request, target, setup.sh),
    "/-/setup.ps1": (request, { target }) => forOrganisation(request, target, setup.ps1),
    "/-/admin": deps.admin,
    "/-/admin/*": deps.admin,
    "/-/auth/sign-in": deps.auth,
    "/-/auth/callback": deps.auth,
    "/-/auth/sign-out": deps.auth,
  };
  for (const path of FORM_PATHS) app.post(path, async ({ req, env }) => await pages[path](req.raw, env));
  for (const path of SITE_PATHS) {
    app.get(path, async ({ req, env }) => await letIn(path, req.raw, env) ?? await pages[path](req.raw, env));
    app.all(path, ({ req }) => methodNotAllowed(req.raw, FORM_PATHS.includes(path)));
  }
  app.notFound(({ req }) =>
    sayProblem(req.raw, {
      status: 404,
      code: "no-such-page",
      message: "There is no such page. GET / lists what is here.",
    })
  );
  app.onError((error) => {
    throw error;
  });

  return async function site(request, bindings) {
    if (isApiPath(bindings.target.segments)) return await deps.api(request, bindings);
    if (request.method !== "HEAD") return await app.fetch(request, bindings);
    // Hono would run GET and leave the body open. The address of this Request is read by nobody.
    const asGet = new Request("http://sluice.invalid/", { headers: request.headers });
    const answer = await app.fetch(asGet, bindings);
    await answer.body?.cancel();
    return respond({ status: answer.status, headers: answer.headers, body: null });
  };

  async function describeApi(request: Request, { target }: SiteBindings): Promise<Response> {
    const resolved = await resolve(target);
    if (resolved === null) return noOrganisation(request);
    const { site } = resolved;
    const document = openApiOf(deps.endpoints, { site, version });
    return await apiPage(request.headers.get("accept"), { document, prefix, site });
  }

  async function forOrganisation(
    request: Request,
    target: SiteTarget,
    page: (resolved: Resolved) => Promise<Response> | Response,
  ): Promise<Response> {
    const resolved = await resolve(target);
    return resolved === null ? noOrganisation(request) : await page(resolved);
  }

  async function healthPage(): Promise<Response> {
    return jsonPage(await deps.health());
  }

  async function stats(request: Request, { target }: SiteBindings): Promise<Response> {
    const resolved = await resolve(target);
    return resolved === null ? noOrganisation(request) : await operations.stats(request, resolved, prefix);
  }

  async function why(request: Request, bindings: SiteBindings): Promise<Response> {
    const resolved = await resolve(bindings.target);
    return resolved === null ? noOrganisation(request) : await whyRoute(request, bindings, resolved);
  }

  /** null: let in. */
  async function letIn(
    path: SitePath,
    request: Request,
    { target, info }: SiteBindings,
  ): Promise<Response | null> {
    const scope = SITE_ACCESS[path];
    if (scope === null || SEE_TO_IT.includes(path)) return null;
    const resolved = await resolve(target);
    if (resolved === null) return noOrganisation(request);
    const { view } = resolved;
    const identified = await deps.callers(request, info, { organisation: view.id });
    const away = { target, organisation: view.id, member: null };
    if (!identified.ok) return await turnAway(request, { ...away, denial: identified.denial });
    const { caller: { user }, principal } = identified;
    const asked = { user, scope, ownTokensAt: deps.ownTokensAt };
    const denial = authorise(view, { ...asked, principal });
    if (denial === null) return null;
    // Whoever sends credentials is who they say; a session is looked for where there are none.
    const member = user === null && principal === null ? await deps.readSession(request, info) : null;
    const role = member === null ? null : principalOf(member, view.id);
    const stands = role === null ? denial : authorise(view, { ...asked, principal: role });
    return stands === null ? null : await turnAway(request, { ...away, denial: stands, member });
  }
}

function stylesheet(): Response {
  return pageResponse({
    status: 200,
    contentType: "text/css; charset=utf-8",
    body: STYLE + ADMIN_STYLE + SETUP_STYLE,
    cacheControl: "private, max-age=3600, no-transform",
  });
}

function noOrganisation(request: Request): Response {
  const message = `There is no such organisation. The default one is "${DEFAULT_ORGANISATION}".`;
  return sayProblem(request, { status: 404, code: "no-such-organisation", message });
}

function methodNotAllowed(request: Request, takesForms: boolean): Response {
  return sayProblem(request, {
    status: 405,
    code: "method-not-allowed",
    message: takesForms ? "This page is read, and takes forms." : "This page is only read.",
    allow: takesForms ? "GET, HEAD, POST" : "GET, HEAD",
  }, isApiAddress(request.url) ? "json" : undefined);
}
