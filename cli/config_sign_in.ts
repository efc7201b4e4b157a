/** The configuration of the sign-in: what goes together, and what it becomes. */
import type { Trait } from "../storage/members.ts";
import type { configSchema } from "./config_schema.ts";
import type { Mistake } from "./config_sources.ts";

/** What goes together in the sign-in; told together with all other mistakes. */
export function missingHalves(raw: Record<string, unknown>): readonly Mistake[] {
  const pairs = [
    ["githubClientId", "githubClientSecret", "SLUICE_GITHUB_CLIENT_SECRET"],
    ["githubClientSecret", "githubClientId", "SLUICE_GITHUB_CLIENT_ID"],
    ["oidcIssuer", "oidcClientId", "SLUICE_OIDC_CLIENT_ID"],
    ["oidcClientId", "oidcIssuer", "SLUICE_OIDC_ISSUER"],
    ["oidcClientSecret", "oidcIssuer", "SLUICE_OIDC_ISSUER"],
  ] as const;
  return pairs.filter(([given, missing]) => raw[given] !== undefined && raw[missing] === undefined)
    .map(([given, , name]) => ({ key: name, value: null, expected: `to be given, as ${given} is` }));
}

/** Who may be asked who somebody is. */
export interface SignInConfig {
  /** null: not with GitHub. */
  readonly github: {
    readonly url: string;
    readonly clientId: string;
    readonly clientSecret: string;
  } | null;
  /** null: not with OpenID Connect. */
  readonly oidc: {
    readonly issuer: string;
    readonly clientId: string;
    readonly clientSecret: string | null;
    readonly scopes: string;
  } | null;
  /** Whoever has one of these owns the whole instance. */
  readonly owners: readonly Trait[];
}

export function signInOf(given: ReturnType<ReturnType<typeof configSchema>["parse"]>): SignInConfig {
  const { githubClientId, githubClientSecret, oidcIssuer, oidcClientId, oidcClientSecret } = given;
  return {
    github: githubClientId === undefined || githubClientSecret === undefined
      ? null
      : { url: given.githubUrl, clientId: githubClientId, clientSecret: githubClientSecret },
    oidc: oidcIssuer === undefined || oidcClientId === undefined ? null : {
      issuer: oidcIssuer,
      clientId: oidcClientId,
      clientSecret: oidcClientSecret ?? null,
      scopes: given.oidcScopes,
    },
    owners: given.owners ?? [],
  };
}
