/** A request to a registry: its organisation found, its caller let in, and only then the pipeline asked. */
import type { ClientRequest, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Outcome, RegistryRequest } from "../ecosystems/outcome.ts";
import { RestoringError } from "../storage/errors.ts";
import type { OrganisationViews } from "../storage/organisations.ts";
import type { Clock, Timers } from "../storage/runtime.ts";
import type { Journey } from "./access.ts";
import { readBody } from "./body.ts";
import { NOW, readAsOf } from "./as_of.ts";
import { authorise, type Callers } from "./caller.ts";
import { clientOf, clientRequest } from "./client.ts";
import type { Resolver } from "./organisations.ts";
import { createOutcomeSender, registryFailure } from "./registry.ts";
import { registryScope } from "./registry_access.ts";
import { problemHeaders, sayProblem, type Told } from "./say_problem.ts";
import type { OwnTokensAt } from "./sign_in_by.ts";
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
  /** Those that answer at the root of a host too. */
  readonly root: readonly Ecosystem[];
  /** Ids of those that are switched off. */
  readonly disabled?: readonly string[];
  readonly views: OrganisationViews;
  readonly resolve: Resolver;
  readonly callers: Callers;
  readonly ownTokensAt: OwnTokensAt | null;
  readonly serve: (request: RegistryRequest) => Promise<Outcome>;
  /** How many restores this process has taken up. */
  readonly restores?: () => number;
  readonly clock: Clock;
  readonly timers: Timers;
}): RegistryRoute {
  const { ecosystems, byId, root, views, resolve, callers, ownTokensAt, timers, restores = () => 0 } = deps;
  const sendOutcome = createOutcomeSender(deps.clock);

  return async function registry(
    request: Request,
    info: Deno.ServeHandlerInfo,
    target: RegistryTarget,
    journey: Journey,
  ): Promise<Response> {
    const asked = clientRequest(request, target);
    const found = findMount(request, target, asked) ?? await lostPrefix(target, asked);
    if (found === null) return sayProblem(request, NO_ROUTE);
    const { ecosystem, path, atRoot } = found;
    journey.ecosystem = ecosystem;
    if (deps.disabled?.includes(ecosystem.id)) return tellClient(request, ecosystem, switchedOff(ecosystem));
    const resolved = await resolve(target);
    if (resolved === null) return tellClient(request, ecosystem, NO_ORGANISATION);
    const { view } = resolved;
    const before = restores();
    const { pathToken } = target;
    if (pathToken !== null && ecosystem.pathTokens !== "allowed") {
      return tellClient(request, ecosystem, { ...PATH_TOKEN, message: ecosystem.pathTokens.refused });
    }
    const identifying = callers(request, info, {
      organisation: view.id,
      pathToken,
      address: journey.address,
    });
    const identified = identifying instanceof Promise ? await identifying : identifying;
    if (!identified.ok) return tellClient(request, ecosystem, identified.denial);
    const { caller, principal } = identified;
    journey.caller = caller;
    const scope = registryScope(ecosystem, found.asked);
    const denial = authorise(view, {
      user: caller.user,
      principal,
      scope,
      ecosystem: ecosystem.id,
      ownTokensAt,
    });
    if (denial !== null) return tellClient(request, ecosystem, denial);

    const reading = target.at === null ? NOW : readAsOf(target.at, view, deps.clock());
    if (!reading.ok) return tellClient(request, ecosystem, reading.problem);
    const { at } = reading;
    const address = at === undefined ? resolved.site : `${resolved.site}/at/${at.text}`;
    const outcome = await deps.serve({
      ecosystem,
      request: found.asked,
      caller,
      organisation: view,
      ...(at === undefined ? {} : { at }),
      mount: `${address}${path}`,
      site: address,
      atRoot,
      body: (maxBytes) => readBody(request, maxBytes, timers),
    });
    // WARNING: decided in part before a restore and in part after it: no decision, and nothing is opened on it.
    if (restores() !== before) throw new RestoringError("restored");
    journey.kind = outcome.kind;
    journey.cache = outcome.trace.cache;
    if (outcome.kind === "refused") journey.refusedBy = outcome.trace.decisionId ?? "";
    return sendOutcome(request, outcome);
  };

  /** Which ecosystem is asked, and where it is mounted. What a mount does not know is asked of those at the root. */
  function findMount(request: Request, target: RegistryTarget, asked: ClientRequest): Mount | null {
    const named = target.ecosystem === null ? null : byId.get(target.ecosystem) ?? null;
    const mounted = named === null ? null : { ecosystem: named, asked, path: `/${named.id}`, atRoot: false };
    if (mounted !== null && (target.rootSegments === null || named!.parse(asked) !== null)) return mounted;
    const atRoot = target.rootSegments === null ? null : rootMount(request, target, target.rootSegments);
    return atRoot ?? mounted;
  }

  /** Of those at the root that know the path: the one whose client asks, else the first as configured. */
  function rootMount(request: Request, target: RegistryTarget, segments: readonly string[]): Mount | null {
    const asked = clientRequest(request, { ...target, segments });
    const know = root.filter((ecosystem) => ecosystem.parse(asked) !== null);
    const { name } = clientOf(request.headers);
    const ecosystem = know.find((candidate) => candidate.clients.includes(name)) ?? know[0];
    return ecosystem === undefined ? null : { ecosystem, asked, path: "", atRoot: false };
  }

  /** A prefix that a client lost: only where it is certain whose request it is, by a label or as there is but one. */
  async function lostPrefix(target: RegistryTarget, asked: ClientRequest): Promise<Mount | null> {
    const claims = ecosystems.find((ecosystem) => (ecosystem.parseAtRoot?.(asked) ?? null) !== null);
    if (claims === undefined || target.ecosystem !== null) return null;
    const isCertain = target.by === "label" || await views.count() === 1;
    return isCertain ? { ecosystem: claims, asked, path: `/${claims.id}`, atRoot: true } : null;
  }
}

/** An ecosystem as a request reached it. */
interface Mount {
  readonly ecosystem: Ecosystem;
  readonly asked: ClientRequest;
  /** Below the organisation's address: `/npm`, or `` at the root. */
  readonly path: string;
  readonly atRoot: boolean;
}

const NO_ROUTE: Told = {
  status: 404,
  code: "no-such-route",
  message: "There is nothing here. GET / lists what is.",
};
const PATH_TOKEN = { status: 403, code: "token-in-address" } as const;
const NO_ORGANISATION: Told = {
  status: 404,
  code: "no-such-organisation",
  message: "There is no such organisation. Ask whoever runs this Sluice for your address.",
};

function switchedOff({ id, title }: Ecosystem): Told {
  const message = `${title} is switched off here (ecosystems.${id}.enabled). GET / lists what is served.`;
  return { status: 404, code: "ecosystem-off", message };
}

/** Of our own limits; pip (urllib3) waits as long as it is told, without a word, five times over. */
const LONGEST_WAIT_SECONDS = 30;

/** An error in the client's own form. */
export function tellClient(request: Request, ecosystem: Ecosystem, error: Told): Response {
  const { status, code, message } = error;
  const client = clientOf(request.headers);
  const challenge = error.challenge === true && (ecosystem.challenges?.(client) ?? true);
  const asked = error.retryAfterSeconds ?? null;
  const retryAfterSeconds = status === 429 && (asked ?? 0) > LONGEST_WAIT_SECONDS ? null : asked;
  const headers = problemHeaders({ ...error, challenge, retryAfterSeconds });
  return registryFailure(request, {
    ecosystem,
    client,
    status,
    code,
    message,
    headers,
  });
}
