/** `/-/auth/callback`: where a provider sends the browser back to. */
import { createTally } from "../../ecosystems/_pipeline/tally.ts";
import type { IdentityProvider, Known } from "../../storage/identity/provider.ts";
import type { Members, Trait } from "../../storage/members.ts";
import type { Clock, Log } from "../../storage/runtime.ts";
import { networkOf, type PeerOf } from "../peer.ts";
import type { SiteBindings } from "../site.tsx";
import { type CookieNames, readCookie } from "./cookies.ts";
import { type Entrance, FIRST_PAGE } from "./entrance.ts";
import { readFlow } from "./flow.ts";
import { ownPath } from "./own_path.ts";
import { type Setup, troublePage } from "./pages.tsx";

/** Sign-ins of one address that come to nothing: each costs the provider a question. */
const FAILURES = 30;
const WINDOW_MS = 10 * 60_000;
const MAX_ADDRESSES = 20_000;

/** Throws what is not the fault of whoever signs in, nor the provider's. */
export function createCallback(deps: {
  readonly base: URL;
  readonly cookies: CookieNames | null;
  readonly members: Members;
  readonly providers: readonly IdentityProvider[];
  readonly owners: readonly Trait[];
  readonly entrance: Entrance;
  readonly setup: Setup;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
  readonly log: Log;
}) {
  const { base, cookies, members, providers, setup, clock, log } = deps;
  const { enter, forget, providerTrouble, trouble } = deps.entrance;
  const owners = new Set(deps.owners);
  const failures = createTally({ clock, windowMs: WINDOW_MS, limit: FAILURES, maxKeys: MAX_ADDRESSES });

  return async function callback(request: Request, { target, info }: SiteBindings): Promise<Response> {
    const flow = cookies === null ? null : readFlow(readCookie(request.headers, cookies.flow), {
      state: target.query.get("state"),
      now: clock(),
    });
    const provider = providers.find(({ id }) => id === flow?.provider);
    if (flow === null || provider === undefined || target.method === "HEAD") {
      return await trouble(
        400,
        "This sign-in was begun in another browser, or more than ten minutes ago: begin again.",
      );
    }
    const network = networkOf(deps.peerOf(info, request.headers));
    if (!failures.allows(network)) {
      return await trouble(429, "Too many sign-ins from here came to nothing: try again in ten minutes.");
    }
    let known: Known;
    try {
      known = await provider.finish(target.query, flow);
    } catch (error) {
      failures.count(network);
      return forget(await providerTrouble(error));
    }
    const { identity, grant } = known;
    const roles = (await members.current()).rolesOf(identity.traits);
    if (roles.size === 0 && !identity.traits.some((trait) => owners.has(trait))) {
      log("info", "Somebody without a role wanted to sign in", { user: identity.user });
      return forget(await troublePage({ ...setup, status: 403, identity, title: "No role for you here" }));
    }
    const to = ownPath(flow.to, base, `${setup.prefix}${FIRST_PAGE}`);
    return forget(await enter(request, identity, { grant, to }));
  };
}
