/** Requests that are passed on, within bounds: audits and public keys. No package's bytes are among the answers. */
import type { ForwardAsk } from "../ecosystem.ts";
import type { Outcome, RegistryRequest } from "../outcome.ts";
import { failed, notOffered, PLAIN_TRACE } from "./answers.ts";
import { createEntity } from "./entity.ts";
import { grantFixes } from "./grants.ts";
import type { Services } from "./services.ts";
import { chooseUpstream } from "./upstream.ts";

export async function serveForward(
  services: Services,
  request: RegistryRequest,
  ask: ForwardAsk,
): Promise<Outcome> {
  const { ecosystem } = request;
  const upstream = chooseUpstream(services, request, { key: ask.upstream, name: null });
  if (upstream === null) return notOffered(request, "No upstream is configured for this");
  const asked = await bodyFor(services, request, ask);
  if (asked === "unreadable") {
    return failed(request, {
      status: 400,
      code: "bad-request",
      message: `Cannot read the body of this ${ask.variant} request`,
    });
  }
  const answer = await services.upstream.forward(upstream, {
    method: ask.method,
    path: ask.path,
    accept: "application/json",
    maxBytes: ask.maxBytes,
    ...(asked ?? {}),
  });
  if (answer.status >= 200 && answer.status < 300 && ecosystem.forwarding !== undefined) {
    await grantFixes(services, request, ecosystem.forwarding.advisories(ask, answer.body));
  }
  const entity = await createEntity({
    status: answer.status,
    contentType: answer.contentType,
    headers: {},
    body: [answer.body],
    withheld: () => 0,
  }, services.timers);
  const forwarded = { why: "bypass", status: answer.status, stored: false } as const;
  return { kind: "document", entity, trace: { ...PLAIN_TRACE, cache: "fetched", forwarded } };
}

/** The body for upstream, without the names of packages that are not its business; null for a GET. */
async function bodyFor(services: Services, request: RegistryRequest, ask: ForwardAsk) {
  const { ecosystem } = request;
  if (ask.method === "GET" || ecosystem.forwarding === undefined) return null;
  const isPrivate = (name: string) =>
    chooseUpstream(services, request, { key: ask.upstream, name })?.isDefault !== true;
  const body = await request.body(ask.maxBytes);
  try {
    const { body: passedOn, contentType } = ecosystem.forwarding.request(ask, body, isPrivate);
    return { body: passedOn, contentType };
  } catch (error) {
    if (error instanceof SyntaxError) return "unreadable";
    throw error;
  }
}
