/** Any provider that speaks OpenID Connect: discovery, code flow with PKCE, ID token, UserInfo, refresh. */
import * as oauth from "oauth4webapi";
import type { Clock } from "../runtime.ts";
import { type Claims, identityOf, traitsOf } from "./claims.ts";
import type { IdentityFetch } from "./fetch.ts";
import { type Grant, readGrant, writeGrant } from "./grant.ts";
import { type IdentityProvider, IdentityProviderError, type Known } from "./provider.ts";
import { asProviderTrouble, troubleOf } from "./trouble.ts";

/** What discovery said is asked again then. */
const DISCOVERED_MS = 3_600_000;
/** After a failure it is left alone for so long. */
const PAUSE_MS = 5_000;

export interface OidcOptions {
  /** As the provider calls itself, to the letter. */
  readonly issuer: string;
  readonly clientId: string;
  /** null: a public client. */
  readonly clientSecret: string | null;
  /** `openid profile email`, and what gives groups and refresh tokens there. */
  readonly scopes: string;
  /** Exactly as it is registered. */
  readonly callback: string;
  readonly fetch: IdentityFetch;
  readonly clock: Clock;
}

/** Asks nobody before somebody signs in; throws TypeError for an issuer that is no address. */
export function createOidc(options: OidcOptions): IdentityProvider {
  const { issuer, clientId, callback, clock } = options;
  const title = new URL(issuer).host;
  const client: oauth.Client = { client_id: clientId };
  const request = {
    [oauth.customFetch]: ask,
    // The configuration takes plain HTTP for loopback alone; what discovery names is looked at below.
    [oauth.allowInsecureRequests]: true,
  };
  let discovered: { readonly at: number; readonly server: oauth.AuthorizationServer } | null = null;
  let failed: { readonly at: number; readonly error: IdentityProviderError } | null = null;
  let asking: Promise<oauth.AuthorizationServer> | null = null;

  async function ask(
    address: string,
    { method, headers, body }: oauth.CustomFetchOptions<string, unknown>,
  ): Promise<Response> {
    mayBeAsked(address);
    const sent = body === null || body === undefined ? {} : { body: String(body) };
    return await options.fetch(address, { method, headers, ...sent });
  }

  /** Tokens and secrets go nowhere in the clear, unless the issuer itself is on this machine. */
  function mayBeAsked(address: string): void {
    const { protocol, origin } = new URL(address);
    if (protocol === "https:" || origin === new URL(issuer).origin) return;
    throw new IdentityProviderError(`${title} names an address that is not HTTPS: ${origin}.`);
  }

  /** Whoever comes while it is asked for waits for the same answer; strangers may come as often as they like. */
  async function serverNow(): Promise<oauth.AuthorizationServer> {
    if (discovered !== null && Math.abs(clock() - discovered.at) < DISCOVERED_MS) return discovered.server;
    if (failed !== null && Math.abs(clock() - failed.at) < PAUSE_MS) throw failed.error;
    return await (asking ??= discover().finally(() => asking = null));
  }

  async function discover(): Promise<oauth.AuthorizationServer> {
    try {
      const url = new URL(issuer);
      const server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, request));
      discovered = { at: clock(), server };
      return server;
    } catch (cause) {
      const error = undescribed(troubleOf(cause, title), cause);
      failed = { at: clock(), error };
      throw error;
    }
  }

  function undescribed(trouble: unknown, cause: unknown): IdentityProviderError {
    if (trouble instanceof IdentityProviderError) return trouble;
    const why = trouble instanceof Error ? trouble.message : String(trouble);
    return new IdentityProviderError(`${title} does not describe itself as ${issuer}: ${why}`, { cause });
  }

  function authentication({ token_endpoint_auth_methods_supported: methods }: oauth.AuthorizationServer) {
    if (options.clientSecret === null) return oauth.None();
    const isBasic = methods === undefined || methods.includes("client_secret_basic");
    return isBasic
      ? oauth.ClientSecretBasic(options.clientSecret)
      : oauth.ClientSecretPost(options.clientSecret);
  }

  /** null: there is no such endpoint, or it takes the token no more. */
  async function userInfo(
    server: oauth.AuthorizationServer,
    { access, subject }: { readonly access: string; readonly subject: string | null },
  ): Promise<Claims | null> {
    if (server.userinfo_endpoint === undefined || access === "") return null;
    const response = await oauth.userInfoRequest(server, client, access, request);
    if (response.status === 401 || response.status === 403) return null;
    return await oauth.processUserInfoResponse(server, client, subject ?? oauth.skipSubjectCheck, response);
  }

  async function knownBy(
    server: oauth.AuthorizationServer,
    answer: oauth.TokenEndpointResponse,
    before: Grant | null,
  ): Promise<Known | null> {
    const told = oauth.getValidatedIdTokenClaims(answer) as Claims | undefined;
    const subject = typeof told?.sub === "string" ? told.sub : null;
    const asked = await userInfo(server, { access: answer.access_token, subject });
    if (told === undefined && asked === null) return null;
    const claims = joined(told, asked);
    const identity = identityOf(claims);
    const again = new Set(asked === null ? [] : traitsOf(asked));
    const grant: Grant = {
      access: answer.access_token,
      refresh: answer.refresh_token ?? before?.refresh ?? null,
      endsAt: answer.expires_in === undefined ? null : clock() + answer.expires_in * 1_000,
      isWhole: identity.traits.every((trait) => again.has(trait)),
    };
    return { identity, grant: writeGrant(grant) };
  }

  async function refreshed(server: oauth.AuthorizationServer, grant: Grant): Promise<Known | null> {
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      authentication(server),
      grant.refresh!,
      request,
    );
    try {
      const answer = await oauth.processRefreshTokenResponse(server, client, response);
      if (answer.id_token !== undefined) {
        await oauth.validateApplicationLevelSignature(server, response, request);
      } else if (!grant.isWhole) {
        // What only an ID token says would be missing now.
        return null;
      }
      return await knownBy(server, answer, grant);
    } catch (error) {
      // RFC 6749, 5.2: invalid, ended, revoked.
      if (error instanceof oauth.ResponseBodyError && error.error === "invalid_grant") return null;
      throw error;
    }
  }

  /** Without a refresh token: good only where UserInfo says all that the sign-in did. */
  async function askedAgain(server: oauth.AuthorizationServer, grant: Grant): Promise<Known | null> {
    if (!grant.isWhole) return null;
    const claims = await userInfo(server, { access: grant.access, subject: null });
    return claims === null ? null : { identity: identityOf(claims), grant: writeGrant(grant) };
  }

  return {
    id: "oidc",
    title,
    async begin({ state, verifier, nonce }) {
      const server = await serverNow();
      const address = server.authorization_endpoint;
      if (address === undefined || !URL.canParse(address)) {
        throw new IdentityProviderError(`${title} names no address to sign in at.`);
      }
      mayBeAsked(address);
      const url = new URL(address);
      const params = {
        client_id: clientId,
        redirect_uri: callback,
        response_type: "code",
        scope: options.scopes,
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      };
      for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
      return url;
    },
    async finish(query, { state, verifier, nonce }) {
      try {
        const server = await serverNow();
        const params = oauth.validateAuthResponse(server, client, query, state);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication(server),
          params,
          callback,
          verifier,
          request,
        );
        const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
          expectedNonce: nonce,
          requireIdToken: true,
        });
        await oauth.validateApplicationLevelSignature(server, response, request);
        const found = await knownBy(server, answer, null);
        if (found !== null) return found;
      } catch (error) {
        throw troubleOf(error, title);
      }
      throw new IdentityProviderError(`${title} does not say who signed in.`);
    },
    async again(text) {
      try {
        const grant = readGrant(text);
        if (grant === null) return null;
        const server = await serverNow();
        return grant.refresh === null ? await askedAgain(server, grant) : await refreshed(server, grant);
      } catch (error) {
        throw asProviderTrouble(troubleOf(error, title));
      }
    },
  };
}

/** WARNING: an address and whether it was verified come from one and the same source. */
function joined(told: Claims | undefined, asked: Claims | null): Claims {
  if (asked === null || !Object.hasOwn(asked, "email")) return { ...told, ...asked };
  const { email: _email, email_verified: _verified, ...rest } = told ?? {};
  return { ...rest, ...asked };
}
