/** `/-/auth/sign-out`: one's own sessions, and the ways out. */
import type { Clock, Log, Timers } from "../../storage/runtime.ts";
import type { Sessions } from "../../storage/sessions.ts";
import { redirect } from "../admin/admin.tsx";
import { mustBeOurs, readForm } from "../admin/forms.ts";
import { addCookie } from "../headers.ts";
import type { SiteBindings } from "../site.tsx";
import { type CookieNames, noCookie } from "./cookies.ts";
import { goodbyePage } from "./goodbye.tsx";
import type { ReadSession } from "./signed_in.ts";

/** GET shows and asks, POST ends: a link alone signs nobody out. */
export function createSignOut(deps: {
  readonly base: URL;
  readonly prefix: string;
  readonly cookies: CookieNames | null;
  readonly sessions: Sessions;
  readonly readSession: ReadSession;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}) {
  const { base, prefix, cookies, sessions, readSession, clock, timers, log } = deps;

  return async function signOut(request: Request, { target, info }: SiteBindings): Promise<Response> {
    const member = await readSession(request, info);
    if (member === null || cookies === null) {
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
  };
}
