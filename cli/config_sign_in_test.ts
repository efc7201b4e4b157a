import assert from "node:assert/strict";
import { loadConfig } from "./config.ts";

function load(env: Readonly<Record<string, string>>) {
  return loadConfig({
    args: [],
    env,
    readTextFile: (path) => {
      if (path === "/run/secret") return "from-a-file\n";
      throw new Deno.errors.NotFound();
    },
    ecosystems: [{ id: "npm", upstreams: ["registry"] }],
  });
}

Deno.test("loadConfig: nobody can sign in unless a provider is named; secrets from files, owners in their one form", () => {
  const none = load({});
  assert.deepEqual(none.ok && none.config.signIn, { github: null, oidc: null, owners: [] });
  const both = load({
    SLUICE_GITHUB_CLIENT_ID: "id",
    SLUICE_GITHUB_CLIENT_SECRET_FILE: "/run/secret",
    SLUICE_GITHUB_URL: "https://github.example.org/",
    SLUICE_OIDC_ISSUER: "https://login.example.org/realms/acme/",
    SLUICE_OIDC_CLIENT_ID: "sluice",
    SLUICE_OIDC_SCOPES: "openid groups offline_access",
    SLUICE_OWNERS: "github:Octocat, oidc:Ada@example.org",
  });
  assert.deepEqual(both.ok && both.config.signIn, {
    github: { url: "https://github.example.org", clientId: "id", clientSecret: "from-a-file" },
    // An issuer is compared to the letter.
    oidc: {
      issuer: "https://login.example.org/realms/acme/",
      clientId: "sluice",
      clientSecret: null,
      scopes: "openid groups offline_access",
    },
    owners: ["github:octocat", "oidc:email=ada@example.org"],
  });
});

Deno.test("loadConfig: half a provider, plain HTTP and owners that are none are told, secrets never", () => {
  const rows: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ SLUICE_GITHUB_CLIENT_ID: "id" }, /SLUICE_GITHUB_CLIENT_SECRET.*githubClientId/],
    [{ SLUICE_GITHUB_CLIENT_SECRET: "hush" }, /SLUICE_GITHUB_CLIENT_ID.*githubClientSecret/],
    [{ SLUICE_OIDC_ISSUER: "https://a.example" }, /SLUICE_OIDC_CLIENT_ID.*oidcIssuer/],
    [{ SLUICE_OIDC_CLIENT_ID: "id" }, /SLUICE_OIDC_ISSUER.*oidcClientId/],
    [{ SLUICE_OIDC_CLIENT_ID: "id", SLUICE_OIDC_ISSUER: "http://a.example" }, /SLUICE_OIDC_ISSUER.*https/],
    [{ SLUICE_GITHUB_URL: "http://github.example" }, /SLUICE_GITHUB_URL.*https/],
    [{ SLUICE_GITHUB_URL: "https://a:b@github.example" }, /SLUICE_GITHUB_URL.*https/],
    [{ SLUICE_OIDC_SCOPES: "profile" }, /SLUICE_OIDC_SCOPES.*openid/],
    [{ SLUICE_OWNERS: "octocat" }, /SLUICE_OWNERS.*github:LOGIN/],
  ];
  for (const [env, words] of rows) {
    const loaded = load(env);
    assert.ok(!loaded.ok, JSON.stringify(env));
    const told = loaded.errors.map((mistake) => JSON.stringify(mistake)).join();
    assert.match(told, words);
    assert.ok(!told.includes("hush"));
  }
});
