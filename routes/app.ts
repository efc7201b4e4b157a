/** A request's way through Sluice: admitted, its organisation found, its caller let in, answered, written down. */
import type { Caller, ClientRequest, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Outcome, RegistryRequest } from "../ecosystems/outcome.ts";
import type { WhyAnswer, WhyQuery } from "../ecosystems/why.ts";
import type { EpochMs } from "../policy/types.ts";
import type { OrganisationViews } from "../storage/organisations.ts";
import type { Clock, Log, Timers } from "../storage/runtime.ts";
import type { UpstreamClient } from "../storage/upstream/upstream.ts";
import { type Answered, createAccessLog } from "./access.ts";
import { readBody } from "./body.ts";
import { authorise, callerOf } from "./caller.ts";
import { clientOf, clientRequest } from "./client.ts";
import { createHealth, type HealthCheck } from "./health.ts";
import { createResolver } from "./organisations.ts";
import { problemOf } from "./problem.ts";
import { createOutcomeSender, registryFailure } from "./registry.ts";
import { problemHeaders, sayProblem, type Told } from "./say_problem.ts";
import { createSite } from "./site.tsx";
import { admit, createPlace, type RegistryTarget, type Target } from "./target.ts";

/** All that routes/ is given: it reads no configuration and opens nothing itself. */
export interface AppDeps {
  /** What clients are told; every link begins with it. */
  readonly base: URL;
  /** Further authorities that are ours: `loopbackHosts(hostname, port)`. */
  readonly hosts: readonly string[];
  readonly ecosystems: readonly Ecosystem[];
  readonly views: OrganisationViews;
  readonly unknownOrganisation: "refuse" | "default";
  /** The one way to bytes. */
  readonly serve: (request: RegistryRequest) => Promise<Outcome>;
  readonly explain: (query: WhyQuery) => Promise<WhyAnswer | null>;
  readonly policySchema: unknown;
  readonly checks: readonly HealthCheck[];
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
  /** Never rejects. */
  fetch(request: Request, info: Deno.ServeHandlerInfo): Promise<Response>;
}

/** What is found out about a request while it is answered, for the access log and the form of an error. */
interface Journey {
  target: Target | null;
  caller: Caller | null;
  ecosystem: Ecosystem | null;
  refusedBy: string | null;
}

/** Throws TypeError if two ecosystems share a mount, or one would shadow a path of ours. */
export function createApp(deps: AppDeps): App {
  const { ecosystems, views, clock, timers, log } = deps;
  const byId = new Map(ecosystems.map((ecosystem) => [ecosystem.id, ecosystem]));
  if (byId.size !== ecosystems.length) throw new TypeError("Cannot mount two ecosystems at one path");
  const place = createPlace({ base: deps.base, hosts: deps.hosts, ecosystems: byId.keys() });
  const resolve = createResolver({ views, base: deps.base, unknown: deps.unknownOrganisation });
  const sendOutcome = createOutcomeSender(clock);
  const logAccess = createAccessLog({ log, verbose: deps.logRequests, clock });
  const health = createHealth({ ...deps, upstreams: deps.upstreamHealth });
  const site = createSite({ ...deps, resolve, health });

  return {
    async fetch(request, info) {
      const startedAt = clock();
      const journey: Journey = { target: null, caller: null, ecosystem: null, refusedBy: null };
      const response = await answer(request, info, journey).catch((error: unknown) =>
        broken(request, journey, error)
      );
      const { target, caller, refusedBy } = journey;
      const answered: Answered = {
        method: request.method,
        target,
        caller,
        status: response.status,
        refusedBy,
        startedAt,
      };
      logAccess(answered);
      return response;
    },
  };

  async function answer(request: Request, info: Deno.ServeHandlerInfo, journey: Journey): Promise<Response> {
    const target = admit(request, place);
    if (target.kind === "rejection") {
      return sayProblem(
        request,
        target.status === 405 ? { ...target, allow: "GET, HEAD, POST, PUT, DELETE" } : target,
      );
    }
    journey.target = target;
    return target.kind === "site"
      ? await site(request, { target, info })
      : await registry(request, info, target, journey);
  }

  async function registry(
    request: Request,
    info: Deno.ServeHandlerInfo,
    target: RegistryTarget,
    journey: Journey,
  ): Promise<Response> {
    const asked = clientRequest(request, target);
    const ecosystem = await ecosystemOf(target, asked);
    if (ecosystem === null) return sayProblem(request, NO_ROUTE);
    journey.ecosystem = ecosystem;
    const resolved = await resolve(target);
    if (resolved === null) return told(request, ecosystem, NO_ORGANISATION);
    const { view, site: address } = resolved;
    const identified = callerOf(request, info, view.id);
    if (!identified.ok) return told(request, ecosystem, identified.denial);
    journey.caller = identified.caller;
    const denial = authorise(view, identified.caller);
    if (denial !== null) return told(request, ecosystem, denial);

    const outcome = await deps.serve({
      ecosystem,
      request: asked,
      caller: identified.caller,
      organisation: view,
      mount: `${address}/${ecosystem.id}`,
      site: address,
      atRoot: target.atRoot,
      body: (maxBytes) => readBody(request, maxBytes, timers),
    });
    if (outcome.kind === "refused") journey.refusedBy = outcome.trace.decisionId ?? "";
    return await sendOutcome(request, outcome);
  }

  /** At the root of the host only where it is certain whose request it is: a label says so, or there is but one. */
  async function ecosystemOf(target: RegistryTarget, asked: ClientRequest): Promise<Ecosystem | null> {
    if (target.ecosystem !== null) return byId.get(target.ecosystem) ?? null;
    const claims = ecosystems.find((ecosystem) => (ecosystem.parseAtRoot?.(asked) ?? null) !== null);
    if (claims === undefined) return null;
    return target.by === "label" || await views.count() === 1 ? claims : null;
  }

  /** The only catch-all: an exception becomes the table's answer, and is written down once. */
  function broken(request: Request, journey: Journey, error: unknown): Response {
    const problem = problemOf(error);
    const id = crypto.randomUUID().slice(0, 8);
    const isOurs = problem.status === 500;
    log(problem.logAs, isOurs ? `Request failed (${id})` : problem.message, {
      "error.id": isOurs ? id : undefined,
      "error.code": problem.code,
      "error.stack": isOurs && error instanceof Error ? error.stack : undefined,
      error: error instanceof Error ? error : String(error),
      ecosystem: journey.ecosystem?.id,
      organisation: journey.caller?.organisation,
    });
    const shown: Told = isOurs ? { ...problem, message: `${problem.message} (${id})` } : problem;
    return journey.ecosystem === null ? sayProblem(request, shown) : told(request, journey.ecosystem, shown);
  }
}

const NO_ROUTE: Told = {
  status: 404,
  code: "no-such-route",
  message: "There is nothing here. GET / lists what is.",
};
const NO_ORGANISATION: Told = {
  status: 404,
  code: "no-such-organisation",
  message: "There is no such organisation. Ask whoever runs this Sluice for your address.",
};

/** An error in the client's own form. */
function told(request: Request, ecosystem: Ecosystem, error: Told): Response {
  const { status, code, message } = error;
  const headers = problemHeaders(error);
  return registryFailure(request, {
    ecosystem,
    client: clientOf(request.headers),
    status,
    code,
    message,
    headers,
  });
}
