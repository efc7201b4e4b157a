/** What the steps of a sign-in share: where things are, how somebody comes in, and how it is told that they do not. */
import { IdentityProviderError, SignInError } from "../../storage/identity/provider.ts";
import type { Log } from "../../storage/runtime.ts";
import { ABSOLUTE_MS, type Identity, type Sessions } from "../../storage/sessions.ts";
import { redirect } from "../admin/admin.tsx";
import { addCookie } from "../headers.ts";
import { type CookieNames, cookieText, noCookie, readCookie } from "./cookies.ts";
import { type Setup, troublePage } from "./pages.tsx";

/** Where a sign-in leads that nobody was sent to; below the prefix. */
export const FIRST_PAGE = "/-/admin";

export interface Entrance {
  /** A new session, its cookie, and the way to `to`. */
  enter(request: Request, identity: Identity, options: {
    readonly grant: string | null;
    readonly to: string;
  }): Promise<Response>;
  trouble(status: number, text: string): Promise<Response>;
  /** Rethrows what is none of a provider's. */
  providerTrouble(error: unknown): Promise<Response>;
  /** The same answer, and no sign-in is under way any more. */
  forget(response: Response): Response;
}

/** One for the process. */
export function createEntrance(deps: {
  /** null: nobody can come in. */
  readonly cookies: CookieNames | null;
  readonly sessions: Sessions;
  readonly setup: Setup;
  readonly log: Log;
}): Entrance {
  const { cookies, sessions, setup, log } = deps;

  /** Always a new session: one that somebody else put into this browser is worth nothing. */
  async function enter(
    request: Request,
    identity: Identity,
    { grant, to }: { readonly grant: string | null; readonly to: string },
  ): Promise<Response> {
    if (cookies === null) throw new TypeError("Nobody can come in here: there is no safe cookie");
    const { session: name, isSecure } = cookies;
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

  async function providerTrouble(error: unknown): Promise<Response> {
    if (error instanceof SignInError) return await trouble(403, error.message);
    if (!(error instanceof IdentityProviderError)) throw error;
    log("warn", `Cannot sign somebody in: ${error.message}`);
    return await trouble(503, error.message);
  }

  async function trouble(status: number, text: string): Promise<Response> {
    return await troublePage({ ...setup, status, text, title: "You are not signed in" });
  }

  return {
    enter,
    trouble,
    providerTrouble,
    forget(response) {
      if (cookies !== null) addCookie(response.headers, noCookie(cookies.flow, cookies.isSecure));
      return response;
    },
  };
}
