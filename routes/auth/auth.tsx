/** `/-/auth/…`: signing in with a provider or the link that was printed; the steps behind it are files of their own. */
import type { IdentityProvider } from "../../storage/identity/provider.ts";
import type { Members, Trait } from "../../storage/members.ts";
import type { Clock, Log, Timers } from "../../storage/runtime.ts";
import type { Identity, Sessions } from "../../storage/sessions.ts";
import { redirect } from "../admin/admin.tsx";
import { addCookie } from "../headers.ts";
import type { PeerOf } from "../peer.ts";
import type { SiteBindings } from "../site.tsx";
import { createCallback } from "./callback.ts";
import { cookieNames, cookieText } from "./cookies.ts";
import { createEntrance, FIRST_PAGE } from "./entrance.ts";
import { FLOW_SECONDS, newFlow, writeFlow } from "./flow.ts";
import type { LocalLink } from "./local_link.ts";
import { ownPath } from "./own_path.ts";
import { type Setup, type SignInPage, signInPage } from "./pages.tsx";
import { createReadSession } from "./read_session.ts";
import { createSignOut } from "./sign_out.ts";
import type { ReadSession } from "./signed_in.ts";

/** Everything below `/-/auth`. */
export type AuthPages = (request: Request, bindings: SiteBindings) => Promise<Response>;

export interface AuthDeps {
  readonly base: URL;
  readonly sessions: Sessions;
  readonly members: Members;
  /** In the order of their buttons; none: the page says how to set one up. */
  readonly providers: readonly IdentityProvider[];
  readonly owners: readonly Trait[];
  /** null: not on loopback, or there are providers. */
  readonly localLink: LocalLink | null;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** Of an address that this host was come to from another one of ours. */
const MOVED = "moved";

/** The operator on the machine itself. */
const OPERATOR: Identity = {
  provider: "local",
  subject: "operator",
  user: "operator@localhost",
  traits: [],
};

/** `readSession` is for every page, `auth` for those below `/-/auth`. */
export function createAuth(deps: AuthDeps): {
  readonly readSession: ReadSession;
  readonly auth: AuthPages;
} {
  const { base, sessions, providers, localLink, clock, log } = deps;
  const prefix = base.pathname.replace(/\/+$/, "");
  const root = `${base.origin}${prefix}`;
  const cookies = cookieNames(base);
  const readSession = createReadSession({ ...deps, isLocal: localLink !== null });
  const setup: Setup = {
    prefix,
    callback: callbackOf(base),
    providers,
    isSafe: cookies !== null,
    hasLocalLink: localLink !== null,
    hasOwners: deps.owners.length > 0,
  };
  const entrance = createEntrance({ cookies, sessions, setup, log });
  const { enter, providerTrouble, trouble } = entrance;
  const callback = createCallback({ ...deps, cookies, entrance, setup });
  const signOut = createSignOut({ ...deps, prefix, cookies, readSession });

  async function auth(request: Request, bindings: SiteBindings): Promise<Response> {
    const { target } = bindings;
    if (target.organisation !== null || !isOurHost(request)) return await elsewhere(bindings);
    switch (target.segments[2]) {
      case "sign-in":
        return await signIn(request, bindings);
      case "callback":
        return await callback(request, bindings);
      default:
        return await signOut(request, bindings);
    }
  }

  /** One host, one cookie, one address to come back to. */
  async function elsewhere({ target }: SiteBindings): Promise<Response> {
    if (target.method === "POST") return await trouble(403, "This form belongs to another address.");
    if (target.organisation === null && target.query.has(MOVED)) {
      return await trouble(
        400,
        `Sluice is asked for at another host than its base address, ${root}: let the proxy before it pass the Host header on.`,
      );
    }
    const query = new URLSearchParams([...target.query, [MOVED, ""]]);
    return redirect(`${root}${target.path}?${query}`);
  }

  async function signIn(request: Request, { target, info }: SiteBindings): Promise<Response> {
    const { query, method } = target;
    const to = ownPath(query.get("to"), base, `${prefix}${FIRST_PAGE}`);
    const page: SignInPage = { ...setup, to, isSignedOut: query.get("done") === "signed-out" };
    // Hono would run a GET for it.
    if (cookies === null || method === "HEAD") return await signInPage(page);
    const link = query.get("link");
    if (link !== null) return await redeem(request, link);
    const provider = providers.find(({ id }) => id === query.get("with"));
    if (provider === undefined) {
      const isIn = !query.has("set-up") && await readSession(request, info) !== null;
      return isIn ? redirect(to) : await signInPage(page);
    }
    const flow = newFlow({ provider: provider.id, to, begunAt: clock() });
    try {
      const response = redirect((await provider.begin(flow)).href);
      const options = { maxAgeSeconds: FLOW_SECONDS, isSecure: cookies.isSecure };
      addCookie(response.headers, cookieText(cookies.flow, writeFlow(flow), options));
      return response;
    } catch (error) {
      return await providerTrouble(error);
    }
  }

  async function redeem(request: Request, link: string): Promise<Response> {
    if (localLink === null || !localLink.redeem(link)) {
      return await trouble(
        403,
        "This link is of no use any more: it signs in once, within an hour of the start. Start Sluice anew for another.",
      );
    }
    return await enter(request, OPERATOR, { grant: null, to: `${prefix}${FIRST_PAGE}` });
  }

  /** The base address has the cookie; `localhost` beside `127.0.0.1` has not. */
  function isOurHost(request: Request): boolean {
    const host = request.headers.get("host") ?? new URL(request.url).host;
    return URL.canParse(`${base.protocol}//${host}`) &&
      new URL(`${base.protocol}//${host}`).host === base.host;
  }

  return { readSession, auth };
}

/** The one address that a provider is told to send browsers to. */
export function callbackOf(base: URL): string {
  return `${base.origin}${base.pathname.replace(/\/+$/, "")}/-/auth/callback`;
}
