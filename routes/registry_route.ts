/** A request to a registry: its organisation found, its caller let in, and only then the pipeline asked. */
import type { ClientRequest, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Outcome, RegistryRequest } from "../ecosystems/outcome.ts";
import type { OrganisationViews } from "../storage/organisations.ts";
import type { Clock, Timers } from "../storage/runtime.ts";
import type { Journey } from "./access.ts";
import { readBody } from "./body.ts";
import { authorise, callerOf } from "./caller.ts";
import { clientOf, clientRequest } from "./client.ts";
import type { Resolver } from "./organisations.ts";
import { createOutcomeSender, registryFailure } from "./registry.ts";
import { problemHeaders, sayProblem, type Told } from "./say_problem.ts";
import type { RegistryTarget } from "./target.ts";

/** Rejects with what `serve`, `views` or an outcome's `open` rejects with. */
export type RegistryRoute = (
  request: Request,
  info: Deno.ServeHandlerInfo,
  target: RegistryTarget,
  journey: Journey,
) => Promise<Response>;

export function createRegistryRoute(deps: {
  readonly ecosystems: readonly Ecosystem[];
  readonly byId: ReadonlyMap<string, Ecosystem>;
  readonly views: OrganisationViews;
  readonly resolve: Resolver;
  readonly serve: (request: RegistryRequest) => Promise<Outcome>;
  readonly clock: Clock;
  readonly timers: Timers;
}): RegistryRoute {
  const { ecosystems, byId, views, resolve, timers } = deps;
  const sendOutcome = createOutcomeSender(deps.clock);

  return async function registry(
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
    if (resolved === null) return tellClient(request, ecosystem, NO_ORGANISATION);
    const { view, site: address } = resolved;
    const identified = callerOf(request, info, view.id);
    if (!identified.ok) return tellClient(request, ecosystem, identified.denial);
    journey.caller = identified.caller;
    const denial = authorise(view, identified.caller);
    if (denial !== null) return tellClient(request, ecosystem, denial);

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
  };

  /** At the root of the host only where it is certain whose request it is: a label says so, or there is but one. */
  async function ecosystemOf(target: RegistryTarget, asked: ClientRequest): Promise<Ecosystem | null> {
    if (target.ecosystem !== null) return byId.get(target.ecosystem) ?? null;
    const claims = ecosystems.find((ecosystem) => (ecosystem.parseAtRoot?.(asked) ?? null) !== null);
    if (claims === undefined) return null;
    return target.by === "label" || await views.count() === 1 ? claims : null;
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
export function tellClient(request: Request, ecosystem: Ecosystem, error: Told): Response {
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
