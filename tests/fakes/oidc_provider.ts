/** A real OpenID provider (`oidc-provider`) on a free loopback port, with one client and its own development pages. */
import type { AddressInfo } from "node:net";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import UntypedProvider from "oidc-provider";

/** As much of it as is used here; the package brings no types along. */
const Provider = UntypedProvider as new (issuer: string, configuration: unknown) => {
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
};

export interface TestOidcProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Of whoever signs in, by the name that they type in at its page. */
  readonly claims: Map<string, Record<string, unknown>>;
  /** The one redirect address that is registered; set before anybody signs in. */
  redirectTo(address: string): void;
  /** Whoever's tokens there are: they are good no more. */
  revoke(): void;
}

export async function startOidcProvider(
  options: { readonly withRefresh?: boolean } = {},
): Promise<TestOidcProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const claims = new Map<string, Record<string, unknown>>();
  const client = { client_id: "sluice", client_secret: "a-secret-of-the-test-that-is-long-enough" };
  let redirectUri = "http://127.0.0.1:1/unset";
  let provider: InstanceType<typeof Provider> | null = null;
  const gone = new Set<string>();

  function make() {
    return new Provider(issuer, {
      clients: [{
        ...client,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code", "refresh_token"],
        application_type: "native",
      }],
      cookies: { keys: ["of the test"] },
      claims: { openid: ["sub", "groups", "preferred_username"], email: ["email", "email_verified"] },
      scopes: ["openid", "email", "profile", "offline_access"],
      conformIdTokenClaims: false,
      ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600, RefreshToken: 600 },
      issueRefreshToken: () => Promise.resolve(options.withRefresh === true),
      findAccount: (_context: unknown, id: string) => {
        if (gone.has(id)) return Promise.resolve(undefined);
        return Promise.resolve({
          accountId: id,
          claims: () => Promise.resolve({ sub: id, ...claims.get(id) }),
        });
      },
    });
  }
  server.on("request", (request, response) => {
    provider ??= make();
    provider.callback()(request, response);
  });

  return {
    issuer,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    claims,
    redirectTo(address) {
      redirectUri = address;
    },
    revoke: () => {
      for (const id of claims.keys()) gone.add(id);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
