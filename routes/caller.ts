/** Who asks, resolved once, and whether this organisation lets them in. */
import type { Caller } from "../ecosystems/ecosystem.ts";
import type { OrganisationView } from "../storage/organisations.ts";
import { holds, type Principal, type Scope } from "../storage/tokens.ts";
import type { Authenticator } from "./authenticate.ts";
import { createClientReader } from "./client.ts";
import { createCredentialsReader, UNREADABLE_CREDENTIALS } from "./credentials.ts";
import type { PeerOf } from "./peer.ts";
import type { OwnTokensAt } from "./sign_in_by.ts";

/** Why somebody is not let in. `challenge`: credentials would help, so the client is asked for some. */
export interface Denial {
  readonly status: 401 | 403 | 429;
  readonly code: string;
  readonly message: string;
  readonly challenge: boolean;
  readonly retryAfterSeconds?: number;
}

export type Identified =
  /** `principal`: whom a token was verified for; its user is the caller's. */
  | { readonly ok: true; readonly caller: Caller; readonly principal: Principal | null }
  | { readonly ok: false; readonly denial: Denial };

/**
 * A request's caller. `pathToken`: what stood in the address; it counts before any header. `address`: where it came
 * from, where that was looked up already.
 */
export type Callers = (
  request: Request,
  info: Deno.ServeHandlerInfo,
  asked: {
    readonly organisation: string;
    readonly pathToken?: string | null;
    readonly address?: string | null;
  },
) => Promise<Identified> | Identified;

/** Answers at once where there is no token: no promise stands in a hot request's way. */
export function createCallers(deps: {
  readonly authenticator: Authenticator;
  readonly peerOf: PeerOf;
}): Callers {
  const { authenticator, peerOf } = deps;
  const clientOf = createClientReader();
  const credentialsOf = createCredentialsReader();
  return function callerOf(request, info, { organisation, pathToken = null, address: known = null }) {
    const credentials = pathToken === null
      ? credentialsOf(request.headers.get("authorization"))
      : { kind: "token" as const, secret: pathToken };
    if (credentials.kind === "unreadable") {
      return {
        ok: false,
        denial: challenge(deny(401, "unreadable-credentials", UNREADABLE_CREDENTIALS)),
      };
    }
    const address = known ?? peerOf(info, request.headers);
    const client = clientOf(request.headers);
    if (credentials.kind === "token") {
      return authenticated(credentials.secret, { organisation, address, client }, pathToken !== null);
    }
    const user = credentials.kind === "name" ? credentials.user : null;
    return { ok: true, caller: { organisation, user, address, client }, principal: null };
  };

  async function authenticated(
    secret: string,
    caller: Omit<Caller, "user">,
    inPath: boolean,
  ): Promise<Identified> {
    const verified = await authenticator.verify(secret, { address: caller.address, inPath });
    if (!verified.ok) return verified;
    const { principal } = verified;
    return { ok: true, caller: { ...caller, user: principal.user, isVerified: true }, principal };
  }
}

/** What is to be done, and by whom. */
export interface Asked {
  readonly user: string | null;
  readonly principal: Principal | null;
  /** What a token needs for it. */
  readonly scope: Scope;
  /** Absent: a page, which is no ecosystem's. */
  readonly ecosystem?: string;
  /** null or absent: no member can sign in to make a token of their own. */
  readonly ownTokensAt?: OwnTokensAt | null;
}

/**
 * null: let in. What the organisation's policy says of `callers`, before anything else is answered; a token that
 * was sent must be good for this, whether one is asked for or not. WARNING: without a token a `publish` passes
 * where anyone may read, since there is nothing here to publish into and the pipeline says so; once there is, it is
 * 401 (tests/system/access_matrix_test.ts fails until then).
 */
export function authorise(view: OrganisationView, asked: Asked): Denial | null {
  const { policy } = view;
  if (policy.closed) {
    return deny(
      403,
      "organisation-closed",
      `Organisation "${view.id}" is closed: use the address of your own organisation.`,
    );
  }
  const { principal } = asked;
  if (principal !== null) return unfit(view, principal, asked);
  switch (policy.callers) {
    case "anyone":
      return null;
    case "named":
      if (asked.user !== null) return null;
      return challenge(deny(
        401,
        "name-required",
        `Organisation "${view.id}" lets in callers with a name only: put a user name into the registry's credentials.`,
      ));
    case "token":
      return challenge(deny(
        401,
        "token-required",
        `Organisation "${view.id}" lets in callers with a token only: ${
          whence(asked.ownTokensAt?.(view.id))
        }, and put it into the registry's credentials.`,
      ));
  }
}

/** A clause that npm and others print within one line. */
function whence(ownTokens: string | undefined): string {
  const others = "ask whoever runs this Sluice for one";
  return ownTokens === undefined ? others : `make one of your own at ${ownTokens} or ${others}`;
}

/** Why a token that holds is not good for this. */
function unfit(view: OrganisationView, principal: Principal, { scope, ecosystem }: Asked): Denial | null {
  if (principal.organisation !== null && principal.organisation !== view.id) {
    return deny(403, "not-yours", `This token is not for organisation "${view.id}".`);
  }
  if (!holds(principal, scope)) {
    return deny(403, "scope-missing", `This token does not have the scope "${scope}".`);
  }
  const { ecosystems } = principal;
  if (ecosystem === undefined || ecosystems === null || ecosystems.includes(ecosystem)) return null;
  return deny(
    403,
    "ecosystem-missing",
    `This token is not for ${ecosystem}: it is for ${ecosystems.join(", ")}.`,
  );
}

function deny(status: Denial["status"], code: string, message: string): Denial {
  return { status, code, message, challenge: false };
}

function challenge(denial: Denial): Denial {
  return { ...denial, challenge: true };
}
