/** From an OpenID provider's claims to an identity: whatever it says of somebody may give a role. */
import { claimTrait, type Trait } from "../members.ts";
import type { Identity } from "../sessions.ts";
import { SignInError } from "./provider.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Of the token, not of the person. */
const OF_THE_TOKEN: ReadonlySet<string> = new Set(
  "iss aud exp iat nbf nonce at_hash c_hash s_hash auth_time jti azp sid acr amr rat typ".split(" "),
);
const MAX_TRAITS = 1_000;
const MAX_DEPTH = 3;

/** Throws SignInError for claims without a subject. */
export function identityOf(claims: Claims): Identity {
  const { sub, preferred_username: name } = claims;
  if (typeof sub !== "string" || sub === "") {
    throw new SignInError(
      "refused",
      "The provider does not say who somebody is: its claims have no subject.",
    );
  }
  const email = verifiedEmail(claims);
  // OpenID Connect Core, 5.7: a name may become another's; the subject never does.
  const other = typeof name === "string" && name !== "" && name !== sub ? `${name}#${sub}` : sub;
  return { provider: "oidc", subject: sub, user: email ?? `oidc:${other}`, traits: traitsOf(claims) };
}

/** WARNING: anybody may write somebody else's address where nobody looks: an unverified one is as good as none. */
function verifiedEmail({ email, email_verified }: Claims): string | null {
  const isVerified = email_verified === true || email_verified === "true";
  return typeof email === "string" && email !== "" && isVerified ? email.toLowerCase() : null;
}

export function traitsOf(claims: Claims): readonly Trait[] {
  const email = verifiedEmail(claims);
  const found = new Set<Trait>();
  const add = (name: string, value: unknown, depth: number): void => {
    if (found.size >= MAX_TRAITS) return;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      const trait = claimTrait(name, String(value));
      if (trait !== null) found.add(trait);
    } else if (Array.isArray(value)) {
      for (const each of value) if (typeof each !== "object") add(name, each, depth);
    } else if (typeof value === "object" && value !== null && depth < MAX_DEPTH) {
      // Keycloak: realm_access.roles
      for (const [key, each] of Object.entries(value)) add(`${name}.${key}`, each, depth + 1);
    }
  };
  // The person's own before their groups, of which there may be too many.
  const first = ["email", "sub", "preferred_username"];
  for (const name of [...first, ...Object.keys(claims).filter((each) => !first.includes(each))]) {
    if (OF_THE_TOKEN.has(name) || name === "email_verified") continue;
    add(name, name === "email" ? email : Object.hasOwn(claims, name) ? claims[name] : undefined, 0);
  }
  return [...found];
}
