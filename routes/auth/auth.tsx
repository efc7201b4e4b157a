/** `/-/auth/…`: signing in, with a provider or the link that was printed; coming back; signing out. */
import {
  type IdentityProvider,
  IdentityProviderError,
  type Known,
  SignInError,
} from "../../storage/identity/provider.ts";
import { createTally } from "../../ecosystems/_pipeline/tally.ts";
import type { Members, Trait } from "../../storage/members.ts";
import type { Clock, Log, Timers } from "../../storage/runtime.ts";
import type { Identity, Sessions } from "../../storage/sessions.ts";
import { redirect } from "../admin/admin.tsx";
import { mustBeOurs, readForm } from "../admin/forms.ts";
import { addCookie } from "../headers.ts";
import { networkOf, type PeerOf } from "../peer.ts";
import type { SiteBindings } from "../site.tsx";
import { cookieNames, cookieText, noCookie, readCookie } from "./cookies.ts";
import { FLOW_SECONDS, newFlow, readFlow, writeFlow } from "./flow.ts";
import type { LocalLink } from "./local_link.ts";
import { ownPath } from "./own_path.ts";
import { createReadSession } from "./read_session.ts";
import { goodbyePage, type Setup, type SignInPage, signInPage, troublePage } from "./pages.tsx";
import type { ReadSession } from "./signed_in.ts";
import { ABSOLUTE_MS } from "../../storage/sessions.ts";

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

/** The operator on the machine itself. */
const OPERATOR: Identity = {
  provider: "local",
  subject: "operator",
  user: "operator@localhost",
  traits: [],
};

/** Sign-ins of one address that come to nothing: each costs the provider a question. */
const FAILURES = 30;
const WINDOW_MS = 10 * 60_000;
const MAX_ADDRESSES = 20_000;

/** Where a sign-in leads that nobody was sent to. */
const FIRST_PAGE = "/-/admin";

export function createAuth(deps: AuthDeps): {
  readonly readSession: ReadSession;
  readonly auth: AuthPages;
} {
  const { base, sessions, members, providers, localLink, clock, timers, log } = deps;
  const prefix = base.pathname.replace(/\/+$/, "");
  const root = `${base.origin}${prefix}`;
  const cookies = cookieNames(base);
  const owners = new Set(deps.owners);
  const failures = createTally({ clock, windowMs: WINDOW_MS, limit: FAILURES, maxKeys: MAX_ADDRESSES });
  const readSession = createReadSession({ ...deps, isLocal: localLink !== null });
  const setup: Setup = {
    prefix,
    callback: callbackOf(base),
    providers,
    isSafe: cookies !== null,
    hasLocalLink: localLink !== null,
    hasOwners: owners.size > 0,
  };

  async function auth(request: Request, bindings: SiteBindings): Promise<Response> {
    const { target } = bindings;
    // One host, one cookie, one address to come back to.
    if (target.organisation !== null || !isOurHost(request)) {
      if (target.method === "POST") return await trouble(403, "This form belongs to another address.");
      return redirect(`${root}${target.path}${searchOf(target.query)}`);
    }
    switch (target.segments[2]) {
      case "sign-in":
        return await signIn(request, bindings);
      case "callback":
        return await callback(request, bindings);
      default:
        return await signOut(request, bindings);
    }
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

  async function callback(request: Request, { target, info }: SiteBindings): Promise<Response> {
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
    const to = ownPath(flow.to, base, `${prefix}${FIRST_PAGE}`);
    return forget(await enter(request, identity, { grant, to }));
  }

  /** Always a new session: one that somebody else put into this browser is worth nothing. */
  async function enter(
    request: Request,
    identity: Identity,
    { grant, to }: { readonly grant: string | null; readonly to: string },
  ): Promise<Response> {
    const { session: name, isSecure } = cookies!;
    const before = readCookie(request.headers, name);
    const old = before === null ? null : await sessions.find(before);
    if (old !== null) await sessions.end(old.session.id);
    const { secret, session } = await sessions.begin(identity, grant);
    log("info", "Somebody signed in", {
      user: session.user,
      "session.id": session.id,
      provider: session.provider,
    });
    const response = redirect(to);
    const options = { maxAgeSeconds: ABSOLUTE_MS / 1_000, isSecure };
    addCookie(response.headers, cookieText(name, secret, options));
    return response;
  }

  async function signOut(request: Request, { target, info }: SiteBindings): Promise<Response> {
    const member = await readSession(request, info);
    const secret = cookies === null ? null : readCookie(request.headers, cookies.session);
    if (member === null || cookies === null || secret === null) {
      return redirect(`${prefix}/-/auth/sign-in?done=signed-out`);
    }
    if (target.method !== "POST") {
      return await goodbyePage({
        prefix,
        member,
        sessions: await sessions.of(member.sessionId),
        now: clock(),
      });
    }
    const form = await readForm(request, timers);
    mustBeOurs(request, { base, form, member });
    const everywhere = form.get("everywhere") === "yes";
    if (everywhere) await sessions.endAll(member.sessionId);
    else await sessions.end(member.sessionId);
    log("info", everywhere ? "Somebody signed out everywhere" : "Somebody signed out", {
      user: member.user,
      "session.id": member.sessionId,
    });
    const response = redirect(`${prefix}/-/auth/sign-in?done=signed-out`);
    addCookie(response.headers, noCookie(cookies.session, cookies.isSecure));
    return response;
  }

  async function providerTrouble(error: unknown): Promise<Response> {
    if (error instanceof SignInError) return await trouble(403, error.message);
    if (!(error instanceof IdentityProviderError)) throw error;
    log("warn", `Cannot sign somebody in: ${error.message}`);
    return await trouble(503, error.message);
  }

  async function trouble(status: number, text: string): Promise<Response> {
    return await troublePage({ ...setup, status, text, title: "You are not signed in" });
  }

  function forget(response: Response): Response {
    if (cookies !== null) addCookie(response.headers, noCookie(cookies.flow, cookies.isSecure));
    return response;
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

function searchOf(query: URLSearchParams): string {
  const search = query.toString();
  return search === "" ? "" : `?${search}`;
}
