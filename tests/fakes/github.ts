/**
 * A stand-in for GitHub, after its documentation: "Authorizing OAuth apps" (web application flow, PKCE), the errors
 * of both its steps, and of the REST API /user, /user/orgs, /user/memberships/orgs and /user/teams with their pages.
 * It is a GitHub Enterprise Server: the API is below /api/v3.
 */
import { createHash, randomBytes } from "node:crypto";

export interface GitHubPerson {
  readonly id: number;
  login: string;
  /** Login of the organisation → whether the invitation was accepted. */
  memberships: Record<string, "active" | "pending">;
  /** `acme/security` */
  teams: string[];
}

export interface FakeGitHub extends AsyncDisposable {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Registered with the OAuth app; every other `redirect_uri` is a mismatch. */
  callback: string;
  /** Who sits before the browser. */
  person: GitHubPerson;
  /** What the API answers whatever is asked; null: what it is asked for. */
  apiStatus: number | null;
  /** Instead of an answer to the code. */
  tokenError: string | null;
  /** Method and path of every request, and its User-Agent. */
  readonly requests: { readonly line: string; readonly userAgent: string; readonly cookie: string | null }[];
  /** As a GitHub App with tokens that end: eight hours, and a refresh token that is good once. */
  isExpiring: boolean;
  /** Access tokens are good no more; refresh tokens are. */
  endAccess(): void;
  /** Every token that was given is good no more. */
  revoke(): void;
}

interface Code {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly person: GitHubPerson;
}

export function startGitHub(): FakeGitHub {
  const codes = new Map<string, Code>();
  const tokens = new Map<string, GitHubPerson>();
  const refreshTokens = new Map<string, GitHubPerson>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    fake.requests.push({
      line: `${request.method} ${url.pathname}`,
      userAgent: request.headers.get("user-agent") ?? "",
      cookie: request.headers.get("cookie"),
    });
    if (url.pathname === "/login/oauth/authorize") return authorize(request, url);
    if (url.pathname === "/login/oauth/access_token") return await accessToken(request);
    if (url.pathname.startsWith("/api/v3/")) return api(request, url);
    return new Response("Not Found", { status: 404 });
  });
  const fake: FakeGitHub = {
    url: `http://127.0.0.1:${server.addr.port}`,
    clientId: "Iv1.8a61f9b3a7aba766",
    clientSecret: "f6c5e5a4d3b2a1908f7e6d5c4b3a291807f6e5d4",
    callback: "",
    person: { id: 583_231, login: "Octocat", memberships: {}, teams: [] },
    apiStatus: null,
    tokenError: null,
    requests: [],
    isExpiring: false,
    endAccess: () => tokens.clear(),
    revoke: () => {
      tokens.clear();
      refreshTokens.clear();
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return fake;

  /** The page that asks; with `?decision=`, what its two buttons lead to. */
  function authorize(request: Request, url: URL): Response {
    const query = url.searchParams;
    if (query.get("client_id") !== fake.clientId) return new Response("Not Found", { status: 404 });
    const back = new URL(fake.callback);
    const state = query.get("state") ?? "";
    const redirectUri = query.get("redirect_uri") ?? fake.callback;
    const error = (code: string, description: string) => {
      back.search = new URLSearchParams({ error: code, error_description: description, state }).toString();
      return Response.redirect(back.href, 302);
    };
    if (redirectUri !== fake.callback) {
      return error(
        "redirect_uri_mismatch",
        "The redirect_uri MUST match the registered callback URL for this application.",
      );
    }
    if (query.get("code_challenge_method") !== "S256" || query.get("code_challenge")?.length !== 43) {
      return new Response("The challenge is not S256", { status: 400 });
    }
    const decision = query.get("decision");
    if (decision === null) {
      const inputs = [...query].map(([name, value]) =>
        `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`
      ).join("");
      const button = (value: string, label: string) =>
        `<button name="decision" value="${value}">${label}</button>`;
      return new Response(
        `<!DOCTYPE html><title>Authorize</title><h1>Authorize application</h1><form action="/login/oauth/authorize">${inputs}${
          button("agree", "Authorize")
        }${button("deny", "Cancel")}</form>`,
        { headers: { "content-type": "text/html; charset=utf-8" } },
      );
    }
    if (decision === "deny" || request.method !== "GET") {
      return error("access_denied", "The user has denied your application access.");
    }
    const code = randomBytes(10).toString("hex");
    codes.set(code, { challenge: query.get("code_challenge")!, redirectUri, person: fake.person });
    back.search = new URLSearchParams({ code, state }).toString();
    return Response.redirect(back.href, 302);
  }

  /** WARNING: as GitHub does, mistakes are told with status 200. */
  async function accessToken(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    if (!request.headers.get("accept")?.includes("application/json")) {
      return new Response("error=accept", { status: 200 });
    }
    const error = (code: string, description: string) =>
      Response.json({ error: code, error_description: description });
    if (fake.tokenError !== null) return error(fake.tokenError, "As the test wants it.");
    if (form.get("client_id") !== fake.clientId || form.get("client_secret") !== fake.clientSecret) {
      return error(
        "incorrect_client_credentials",
        "The client_id and/or client_secret passed are incorrect.",
      );
    }
    if (form.get("grant_type") === "refresh_token") {
      const person = refreshTokens.get(form.get("refresh_token") ?? "");
      refreshTokens.delete(form.get("refresh_token") ?? "");
      return person === undefined
        ? error("bad_refresh_token", "The refresh token passed is incorrect or expired.")
        : given(person);
    }
    const code = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    if (code === undefined || code.challenge !== challenge) {
      return error("bad_verification_code", "The code passed is incorrect or expired.");
    }
    if (form.get("redirect_uri") !== code.redirectUri) {
      return error("redirect_uri_mismatch", "The redirect_uri MUST match the registered callback URL.");
    }
    return given(code.person);
  }

  function given(person: GitHubPerson): Response {
    const token = `gho_${randomBytes(18).toString("hex")}`;
    tokens.set(token, person);
    const answer = { access_token: token, scope: "read:org", token_type: "bearer" };
    if (!fake.isExpiring) return Response.json(answer);
    const refresh = `ghr_${randomBytes(38).toString("hex")}`;
    refreshTokens.set(refresh, person);
    const ends = { expires_in: 28_800, refresh_token: refresh, refresh_token_expires_in: 15_897_600 };
    return Response.json({ ...answer, ...ends });
  }

  function api(request: Request, url: URL): Response {
    if (fake.apiStatus !== null) {
      return Response.json({ message: "As the test wants it" }, { status: fake.apiStatus });
    }
    if (!request.headers.has("user-agent")) return new Response("No User-Agent", { status: 403 });
    const token = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
    const person = tokens.get(token);
    if (person === undefined) return Response.json({ message: "Bad credentials" }, { status: 401 });
    const organisations = Object.entries(person.memberships);
    switch (url.pathname) {
      case "/api/v3/user":
        return Response.json({ login: person.login, id: person.id, type: "User", name: null });
      case "/api/v3/user/orgs":
        return paged(
          url,
          organisations.filter(([, state]) => state === "active").map(([login]) => ({ login })),
        );
      case "/api/v3/user/memberships/orgs": {
        const wanted = url.searchParams.get("state");
        return paged(
          url,
          organisations.filter(([, state]) => wanted === null || state === wanted)
            .map(([login, state]) => ({ state, role: "member", organization: { login } })),
        );
      }
      case "/api/v3/user/teams":
        return paged(
          url,
          person.teams.map((team) => {
            const [login, slug] = team.split("/");
            return { slug, name: slug, organization: { login } };
          }),
        );
      default:
        return Response.json({ message: "Not Found" }, { status: 404 });
    }
  }
}

function paged(url: URL, all: readonly unknown[]): Response {
  const size = Math.min(100, Number(url.searchParams.get("per_page") ?? 30));
  const page = Number(url.searchParams.get("page") ?? 1);
  const next = new URL(url);
  next.searchParams.set("page", String(page + 1));
  const link = page * size < all.length ? { link: `<${next.href}>; rel="next"` } : {};
  return Response.json(all.slice((page - 1) * size, page * size), { headers: link });
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
