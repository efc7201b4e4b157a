/** GitHub's OAuth web flow, on github.com, ghe.com or a GitHub Enterprise Server. */
import * as oauth from "oauth4webapi";
import * as z from "zod";
import type { Clock } from "../runtime.ts";
import type { IdentityFetch } from "./fetch.ts";
import { type Grant, readGrant, writeGrant } from "./grant.ts";
import { GITHUB_URL, type IdentityProvider, IdentityProviderError, type Known } from "./provider.ts";
import { asProviderTrouble, troubleOf } from "./trouble.ts";

const TITLE = "GitHub";
/** To see in which organisations and teams somebody is, where that is not public. */
const SCOPE = "read:org";
const PAGE_SIZE = 100;
const MAX_PAGES = 20;
/** A token that is about to end is refreshed. */
const ENDS_SOON_MS = 60_000;

export interface GitHubOptions {
  /** The base address, without a slash at its end. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Exactly as it is registered. */
  readonly callback: string;
  readonly fetch: IdentityFetch;
  readonly clock: Clock;
}

const user = z.object({ id: z.number().int(), login: z.string().min(1).max(100) });
const membership = z.object({ state: z.string(), organization: z.object({ login: z.string() }) });
const team = z.object({ slug: z.string(), organization: z.object({ login: z.string() }) });

/** Asks nobody before somebody signs in. */
export function createGitHub(options: GitHubOptions): IdentityProvider {
  const { url, clientId, callback, clock } = options;
  const api = apiOf(url);
  const server: oauth.AuthorizationServer = {
    issuer: url,
    authorization_endpoint: `${url}/login/oauth/authorize`,
    token_endpoint: `${url}/login/oauth/access_token`,
  };
  const client: oauth.Client = { client_id: clientId };
  const secret = oauth.ClientSecretPost(options.clientSecret);
  const request = {
    [oauth.customFetch]: askForToken,
    // The configuration takes plain HTTP for loopback alone.
    [oauth.allowInsecureRequests]: true,
  };

  /** WARNING: GitHub says what is wrong with status 200; a client that goes by the status would see no error. */
  async function askForToken(address: string, asked: oauth.CustomFetchOptions<"POST", URLSearchParams>) {
    const { method, headers } = asked;
    const response = await options.fetch(address, { method, headers, body: asked.body.toString() });
    if (response.status !== 200) return response;
    const text = await response.text();
    const status = /"error"\s*:/.test(text) && !/"access_token"\s*:/.test(text) ? 400 : 200;
    return new Response(text, { status, headers: { "content-type": "application/json" } });
  }

  async function get<T>(path: string, access: string, schema: z.ZodType<T>): Promise<T | null> {
    const response = await options.fetch(`${api}${path}`, {
      method: "GET",
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${access}`,
        "x-github-api-version": "2022-11-28",
      },
    });
    if (response.status === 401) return null;
    if (response.status !== 200) {
      throw new IdentityProviderError(
        `${TITLE} answers with status ${response.status} when asked who somebody is.`,
      );
    }
    const read = schema.safeParse(await response.json().catch(() => null));
    if (read.success) return read.data;
    throw new IdentityProviderError(`${TITLE} answers with something else when asked who somebody is.`);
  }

  async function all<T>(path: string, access: string, schema: z.ZodType<T>): Promise<readonly T[] | null> {
    const found: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const mark = path.includes("?") ? "&" : "?";
      const address = `${path}${mark}per_page=${PAGE_SIZE}&page=${page}`;
      const some = await get(address, access, z.array(schema));
      if (some === null) return null;
      found.push(...some);
      if (some.length < PAGE_SIZE) break;
    }
    return found;
  }

  /** null: the token is good no more. */
  async function known(grant: Grant): Promise<Known | null> {
    const { access } = grant;
    const person = await get("/user", access, user);
    const memberships = person && await all("/user/memberships/orgs", access, membership);
    const teams = memberships && await all("/user/teams", access, team);
    if (person === null || memberships === null || teams === null) return null;
    const own = [person.login, `id/${person.id}`];
    // Whoever was invited and has not agreed is no member.
    const organisations = memberships.filter(({ state }) => state === "active")
      .map(({ organization }) => `org/${organization.login}`);
    const traits = [
      ...own,
      ...organisations,
      ...teams.map(({ slug, organization }) => `team/${organization.login}/${slug}`),
    ].map((trait) => `github:${trait.toLowerCase()}`);
    const identity = {
      provider: "github",
      subject: String(person.id),
      user: person.login,
      traits: [...new Set(traits)],
    } as const;
    return { identity, grant: writeGrant(grant) };
  }

  function grantOf({ access_token, refresh_token, expires_in }: oauth.TokenEndpointResponse): Grant {
    return {
      access: access_token,
      refresh: refresh_token ?? null,
      endsAt: expires_in === undefined ? null : clock() + expires_in * 1_000,
      isWhole: true,
    };
  }

  /** null: GitHub takes the refresh token no more. */
  async function fresh(grant: Grant): Promise<Grant | null> {
    if (grant.endsAt === null || grant.endsAt > clock() + ENDS_SOON_MS) return grant;
    if (grant.refresh === null) return null;
    const response = await oauth.refreshTokenGrantRequest(server, client, secret, grant.refresh, request);
    try {
      return grantOf(await oauth.processRefreshTokenResponse(server, client, response));
    } catch (error) {
      if (error instanceof oauth.ResponseBodyError && error.error === "bad_refresh_token") return null;
      throw error;
    }
  }

  return {
    id: "github",
    title: TITLE,
    async begin({ state, verifier }) {
      const address = new URL(server.authorization_endpoint!);
      address.search = new URLSearchParams({
        client_id: clientId,
        redirect_uri: callback,
        scope: SCOPE,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        response_type: "code",
      }).toString();
      return address;
    },
    async finish(query, { state, verifier }) {
      try {
        const given = new URLSearchParams(query);
        // Which issuer it names is documented nowhere; the state is bound to this provider already.
        given.delete("iss");
        const params = oauth.validateAuthResponse(server, client, given, state);
        const response = await oauth.authorizationCodeGrantRequest(
          server,
          client,
          secret,
          params,
          callback,
          verifier,
          request,
        );
        const answer = await oauth.processAuthorizationCodeResponse(server, client, response);
        const found = await known(grantOf(answer));
        if (found !== null) return found;
      } catch (error) {
        throw troubleOf(error, TITLE);
      }
      throw new IdentityProviderError(`${TITLE} does not take the token that it has just given.`);
    },
    async again(text) {
      try {
        const grant = readGrant(text);
        const now = grant === null ? null : await fresh(grant);
        return now === null ? null : await known(now);
      } catch (error) {
        throw asProviderTrouble(troubleOf(error, TITLE));
      }
    },
  };
}

/** Where GitHub itself runs it, the API has a host of its own. */
function apiOf(url: string): string {
  const { protocol, host } = new URL(url);
  const isHosted = url === GITHUB_URL || host.endsWith(".ghe.com");
  return isHosted ? `${protocol}//api.${host}` : `${url}/api/v3`;
}
