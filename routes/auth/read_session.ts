/** From a cookie to somebody with roles: looked up, and what the provider says of them read again each hour. */
import { LRUCache } from "lru-cache";
import { type IdentityProvider, IdentityProviderError } from "../../storage/identity/provider.ts";
import type { Members, Trait } from "../../storage/members.ts";
import { formTokenOf } from "../../storage/kv/session_secret.ts";
import type { Clock, Log, Timers } from "../../storage/runtime.ts";
import type { OpenSession, Sessions } from "../../storage/sessions.ts";
import { cookieNames, readCookie } from "./cookies.ts";
import type { ReadSession } from "./signed_in.ts";

/** From then on the provider is asked again; what it last said counts for the rest of the hour at most. */
const READ_AGAIN_MS = 50 * 60_000;
const GOOD_FOR_MS = 60 * 60_000;
/** After a failure the provider is left alone for so long. */
const PAUSE_MS = 30_000;
/** Two processes may ask at once, and a provider take one of them only: until the other has written. */
const OTHER_WRITES_MS = 500;

export interface ReadSessionDeps {
  readonly base: URL;
  readonly sessions: Sessions;
  readonly members: Members;
  readonly providers: readonly IdentityProvider[];
  /** Whoever has one of these owns the whole instance. */
  readonly owners: readonly Trait[];
  /** The operator may sign in on the machine itself. */
  readonly isLocal: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

/** One for the process: it keeps providers from being asked twice at once. */
export function createReadSession(deps: ReadSessionDeps): ReadSession {
  const { sessions, members, clock, timers, log } = deps;
  const cookies = cookieNames(deps.base);
  const owners = new Set(deps.owners);
  const asking = new Map<string, Promise<OpenSession | null>>();
  const failures = new LRUCache<string, { readonly at: number; readonly error: IdentityProviderError }>({
    max: 10_000,
  });

  return async function readSession(request) {
    if (cookies === null || !request.headers.has("cookie")) return null;
    const secret = readCookie(request.headers, cookies.session);
    if (secret === null) return null;
    const [found, rules] = await Promise.all([sessions.find(secret), members.current()]);
    if (found === null || (found.session.provider === "local" && !deps.isLocal)) return null;
    const open = await asOfThisHour(secret, found);
    if (open === null) return null;
    const { session } = open;
    await sessions.use(session);
    const { id, user, provider, traits } = session;
    return {
      sessionId: id,
      user,
      provider,
      formToken: formTokenOf(secret),
      isInstanceOwner: provider === "local" || traits.some((trait) => owners.has(trait)),
      roles: rules.rolesOf(traits),
    };
  };

  async function asOfThisHour(secret: string, open: OpenSession): Promise<OpenSession | null> {
    const { id, provider, readAt } = open.session;
    const age = clock() - readAt;
    if (provider === "local" || (age >= 0 && age < READ_AGAIN_MS)) return open;
    const isGood = age >= 0 && age < GOOD_FOR_MS;
    const failed = failures.get(id);
    if (failed !== undefined && Math.abs(clock() - failed.at) < PAUSE_MS) {
      if (isGood) return open;
      throw failed.error;
    }
    try {
      let answer = asking.get(id);
      if (answer === undefined) {
        answer = readAgain(secret, open).finally(() => asking.delete(id));
        asking.set(id, answer);
      }
      return await answer;
    } catch (error) {
      if (!(error instanceof IdentityProviderError)) throw error;
      failures.set(id, { at: clock(), error });
      if (!isGood) throw error;
      log("warn", `Cannot read again what ${provider} says of a member: ${error.message}`, {
        "session.id": id,
      });
      return open;
    }
  }

  /** null: whoever it was is known no more, and the session has ended. */
  async function readAgain(secret: string, open: OpenSession): Promise<OpenSession | null> {
    const { session, grant } = open;
    const provider = deps.providers.find(({ id }) => id === session.provider);
    const known = provider === undefined || grant === null ? null : await provider.again(grant);
    if (known !== null && known.identity.subject === session.subject) {
      const isRenewed = await sessions.renew(secret, known.identity, known.grant);
      return isRenewed ? await sessions.find(secret) : null;
    }
    if (provider !== undefined && grant !== null) await timers.sleep(OTHER_WRITES_MS);
    const now = await sessions.find(secret);
    if (now !== null && now.session.readAt > session.readAt) return now;
    await sessions.end(session.id);
    log("info", `A session ended: ${session.provider} does not say any more who it is`, {
      "session.id": session.id,
      user: session.user,
    });
    return null;
  }
}
