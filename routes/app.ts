/** A request's way through Sluice: admitted, answered by a page or a registry, written down. */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Outcome, RegistryRequest } from "../ecosystems/outcome.ts";
import type { WhyAnswer, WhyQuery } from "../ecosystems/why.ts";
import type { EpochMs } from "../policy/types.ts";
import type { OrganisationViews } from "../storage/organisations.ts";
import type { Clock, Log, Timers } from "../storage/runtime.ts";
import type { RequestKind } from "../storage/metrics.ts";
import type { Tokens } from "../storage/tokens.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import { createAdmin } from "./admin/admin.tsx";
import { ADMIN_PAGES } from "./admin/mod.ts";
import type { AuthPages } from "./auth/auth.tsx";
import type { ReadSession } from "./auth/signed_in.ts";
import { createAccessLog, type Journey } from "./access.ts";
import type { Api } from "./api/api.ts";
import {
  createApiRoute,
  createIdentify,
  isApiAddress,
  isApiPath,
  rejectedField,
  sayApiProblem,
} from "./api/http.ts";
import { createAuthenticator } from "./authenticate.ts";
import { createCallers } from "./caller.ts";
import { createHealth, type HealthCheck } from "./health.ts";
import type { Operations } from "./operations.ts";
import { createInFlight, type InFlightLimits } from "./in_flight.ts";
import { createResolver } from "./organisations.ts";
import { createPeerOf } from "./peer.ts";
import { problemOf } from "./problem.ts";
import { createRegistryRoute, tellClient } from "./registry_route.ts";
import { sayProblem, type Told } from "./say_problem.ts";
import { createOwnTokensAt, type SignInBy } from "./sign_in_by.ts";
import { createSite } from "./site.tsx";
import type { WhyDeps } from "./why_route.ts";
import { createAdmission, createPlace, type Target } from "./target.ts";

/** All that routes/ is given: it reads no configuration and opens nothing itself. */
export interface AppDeps {
  /** What clients are told; every link begins with it. */
  readonly base: URL;
  /** Further authorities that are ours: `loopbackHosts(hostname, port)`. */
  readonly hosts: readonly string[];
  readonly ecosystems: readonly Ecosystem[];
  /** Ids of those that answer at the root of a host too, in the order in which they are asked. */
  readonly root?: readonly string[];
  /** Ids of those that are switched off: 404 in words, and not among what is listed. */
  readonly disabled?: readonly string[];
  readonly views: OrganisationViews;
  readonly unknownOrganisation: "refuse" | "default";
  /** The one way to bytes. */
  readonly serve: (request: RegistryRequest) => Promise<Outcome>;
  readonly explain: (query: WhyQuery) => Promise<WhyAnswer | null>;
  readonly policySchema: unknown;
  readonly tokens: Tokens;
  /** Addresses and ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly api: Api;
  /** Who is signed in at the pages. */
  readonly readSession: ReadSession;
  /** Where exceptions are asked for. */
  readonly waivers: WhyDeps["waivers"];
  /** The pages below `/-/auth`, with which they sign in and out. */
  readonly auth: AuthPages;
  /** How anybody signs in at all; absent: nobody does. */
  readonly signInBy?: SignInBy;
  readonly inFlight: InFlightLimits;
  readonly checks: readonly HealthCheck[];
  readonly operations: Operations;
  /** How many restores this process has taken up. */
  readonly restores?: () => number;
  readonly upstreamHealth: UpstreamClient["health"];
  readonly version: string;
  readonly startedAt: EpochMs;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** A debug line for every request: `isLogged("debug", level)`. */
  readonly logRequests: boolean;
}

export interface App {
  /** Requests that are being answered. */
  inFlight(): number;
  /** Never rejects. */
  fetch(request: Request, info: Deno.ServeHandlerInfo): Promise<Response>;
}

/** Throws TypeError if two ecosystems share a mount, or one would shadow a path of ours. */
export function createApp(deps: AppDeps): App {
  const { ecosystems, views, clock, log, operations: { metrics } } = deps;
  const byId = new Map(ecosystems.map((ecosystem) => [ecosystem.id, ecosystem]));
  if (byId.size !== ecosystems.length) throw new TypeError("Cannot mount two ecosystems at one path");
  const root = (deps.root ?? []).map((id) => byId.get(id)).filter((each) => each !== undefined);
  const admit = createAdmission(createPlace({
    base: deps.base,
    hosts: deps.hosts,
    ecosystems: byId.keys(),
    hasRootMounts: root.length > 0,
  }));
  const resolve = createResolver({ views, base: deps.base, unknown: deps.unknownOrganisation });
  const authenticator = createAuthenticator(deps);
  const peerOf = createPeerOf(deps.trustedProxies);
  const callers = createCallers({ authenticator, peerOf });
  const { signInBy = null } = deps;
  const ownTokensAt = createOwnTokensAt(deps.base, signInBy);
  const registry = createRegistryRoute({ ...deps, byId, root, resolve, callers, ownTokensAt });
  const logAccess = createAccessLog({ log, verbose: deps.logRequests, clock });
  const health = createHealth({ ...deps, upstreams: deps.upstreamHealth });
  const identify = createIdentify({ authenticator, peerOf });
  const api = createApiRoute({ ...deps, identify, peerOf, resolve });
  const inFlight = createInFlight(deps.inFlight, deps);
  const admin = createAdmin({ ...deps, peerOf, pages: ADMIN_PAGES });
  const site = createSite({
    ...deps,
    admin,
    ecosystems: ecosystems.filter(({ id }) => !deps.disabled?.includes(id)),
    resolve,
    health,
    callers,
    identify,
    api,
    signInBy,
    ownTokensAt,
    endpoints: deps.api.endpoints,
    inFlight: inFlight.count,
  });
  const ids = new WeakMap<Error, string>();

  return {
    inFlight: inFlight.count,
    async fetch(request, info) {
      const startedAt = clock();
      const journey: Journey = {
        target: null,
        address: null,
        caller: null,
        ecosystem: null,
        refusedBy: null,
        kind: null,
        cache: null,
      };
      const response = await answered(request, info, journey);
      const { status } = response;
      metrics.request({
        ecosystem: journey.ecosystem?.id ?? null,
        kind: kindOf(journey),
        cache: journey.cache,
        status,
        ms: clock() - startedAt,
      });
      logAccess({ ...journey, method: request.method, status, startedAt });
      return response;
    },
  };

  async function answered(
    request: Request,
    info: Deno.ServeHandlerInfo,
    journey: Journey,
  ): Promise<Response> {
    try {
      return await answer(request, info, journey);
    } catch (error) {
      return tellBroken(request, journey, error);
    }
  }

  function answer(
    request: Request,
    info: Deno.ServeHandlerInfo,
    journey: Journey,
  ): Promise<Response> | Response {
    const target = admit(request);
    if (target.kind === "rejection") {
      const told = target.status === 405 ? { ...target, allow: "GET, HEAD, POST, PUT, DELETE" } : target;
      return isApiAddress(request.url)
        ? sayProblem(request, { ...told, ...rejectedField(target) }, "json")
        : sayProblem(request, told);
    }
    journey.target = target;
    const address = journey.address = peerOf(info, request.headers);
    const told = isHealth(target) ? null : inFlight.enter(address, info);
    if (told !== null) return turnAway(request, target, told);
    return target.kind === "site"
      ? site(request, { target, info })
      : registry(request, info, target, journey);
  }

  /** In the client's form, where the address says whose it is. */
  function turnAway(request: Request, target: Target, told: Told): Response {
    const ecosystem = target.kind === "registry" && target.ecosystem !== null
      ? byId.get(target.ecosystem)
      : undefined;
    if (ecosystem !== undefined) return tellClient(request, ecosystem, told);
    const isApi = target.kind === "site" && isApiPath(target.segments);
    return sayProblem(request, told, isApi ? "json" : undefined);
  }

  /** What a client can quote; the same for all who waited for what failed, since it is written down once. */
  function idOf(error: unknown): string {
    const id = (error instanceof Error ? ids.get(error) : undefined) ?? crypto.randomUUID().slice(0, 8);
    if (error instanceof Error) ids.set(error, id);
    return id;
  }

  function tellBroken(request: Request, journey: Journey, error: unknown): Response {
    try {
      return broken(request, journey, error);
    } catch (second) {
      // A plugin that cannot even word an error: what broke it first was written down already.
      return sayProblem(request, problemOf(second));
    }
  }

  /** The only catch-all: an exception becomes the table's answer, and is written down once. */
  function broken(request: Request, journey: Journey, error: unknown): Response {
    const problem = problemOf(error);
    const id = idOf(error);
    const isOurs = problem.status === 500;
    log(problem.logAs, isOurs ? `Request failed (${id})` : problem.message, {
      "error.id": isOurs ? id : undefined,
      "error.code": problem.code,
      "error.stack": isOurs && error instanceof Error ? error.stack : undefined,
      error: error instanceof Error ? error : String(error),
      ecosystem: journey.ecosystem?.id,
      organisation: journey.caller?.organisation,
    });
    if (journey.target?.kind === "site" && isApiPath(journey.target.segments)) {
      return sayApiProblem(error, isOurs ? id : null);
    }
    const shown: Told = isOurs ? { ...problem, message: `${problem.message} (${id})` } : problem;
    return journey.ecosystem === null
      ? sayProblem(request, shown)
      : tellClient(request, journey.ecosystem, shown);
  }
}

/** Whoever watches over this process must hear of it while it is full. */
function isHealth(target: Target): boolean {
  return target.kind === "site" && PROBES.has(target.path);
}

const PROBES: ReadonlySet<string> = new Set(["/-/health", "/health", "/-/ready", "/-/metrics"]);

/** As it is counted. An ask that ended before the pipeline was asked has failed. */
function kindOf({ target, kind }: Journey): RequestKind {
  if (kind !== null) return kind;
  if (target === null) return "rejected";
  return target.kind === "site" ? "site" : "failed";
}
