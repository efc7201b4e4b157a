/** Who vouches for people: GitHub, or a provider that speaks OpenID Connect. */
import type { Identity } from "../sessions.ts";

/** Where GitHub is unless a person says otherwise. */
export const GITHUB_URL = "https://github.com";

/** What ties an answer of the provider's to the browser that asked; each is random, and used once. */
export interface FlowSecrets {
  readonly state: string;
  /** RFC 7636. */
  readonly verifier: string;
  readonly nonce: string;
}

/** Somebody as the provider knows them now, and what it is asked again with. */
export interface Known {
  readonly identity: Identity;
  /** Tokens; whoever has it is that person to the provider. */
  readonly grant: string;
}

export interface IdentityProvider {
  readonly id: "github" | "oidc";
  /** For people: `GitHub`, `login.example.org`. */
  readonly title: string;
  /** Where the browser goes. Throws IdentityProviderError. */
  begin(flow: FlowSecrets): Promise<URL>;
  /** `query`: of the address that the provider sent the browser to. Throws SignInError, IdentityProviderError. */
  finish(query: URLSearchParams, flow: FlowSecrets): Promise<Known>;
  /** null: the provider takes the grant no more, or knows them no more. Throws IdentityProviderError. */
  again(grant: string): Promise<Known | null>;
}

/** `denied`: the person did not agree; `refused`: the provider's answer is not good. The message may be shown. */
export class SignInError extends Error {
  override readonly name = "SignInError";
  constructor(readonly code: "denied" | "refused", message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** The provider does not answer, or not as it should: nobody's fault who signs in. The message may be shown. */
export class IdentityProviderError extends Error {
  override readonly name = "IdentityProviderError";
}
