/** Somebody who signed in at the pages, and what their role lets them do in each organisation. */
import type { Principal, Scope } from "../../storage/tokens.ts";

/** Each holds what the one before it holds. */
export const ROLES = ["viewer", "approver", "editor", "operator", "owner"] as const;
export type Role = (typeof ROLES)[number];

/** Roles are sets of the scopes that tokens have. */
export const ROLE_SCOPES: Readonly<Record<Role, readonly Scope[]>> = {
  viewer: ["read", "audit"],
  approver: ["read", "audit", "approve"],
  editor: ["read", "audit", "approve", "policy"],
  operator: ["read", "audit", "approve", "policy", "operate"],
  owner: ["admin"],
};

/** Each role in words, for people who choose. */
export const ROLE_MEANINGS: Readonly<Record<Role, string>> = {
  viewer: "sees everything, changes nothing",
  approver: "also grants and declines waivers",
  editor: "also changes policy, freezes and lists",
  operator: "also purges, prefetches and looks after the cache",
  owner: "all of it, tokens and members",
};

/** Verified with every request; a role that was taken away is gone with the next. */
export interface SignedIn {
  /** Of the session, not its secret; for logs and the audit trail. */
  readonly sessionId: string;
  /** What history and logs call them: the login at the provider. */
  readonly user: string;
  readonly provider: "github" | "oidc" | "local";
  /** What a form of this session must bring along where the browser does not say where it comes from. */
  readonly formToken: string;
  /** Owner of the whole instance: named in the environment, or the operator on the machine itself. */
  readonly isInstanceOwner: boolean;
  /** By organisation; of an instance's owner only those that a rule names. */
  readonly roles: ReadonlyMap<string, Role>;
}

/** null: nobody is signed in, or no longer. Throws StorageError where no store can say. */
export type ReadSession = (request: Request, info: Deno.ServeHandlerInfo) => Promise<SignedIn | null>;

/** The greater of two roles, where there are any. */
export function greaterRole(a: Role | null, b: Role | null): Role | null {
  if (a === null || b === null) return a ?? b;
  return ROLES.indexOf(a) >= ROLES.indexOf(b) ? a : b;
}

export function roleIn(member: SignedIn, organisation: string): Role | null {
  return member.isInstanceOwner ? "owner" : member.roles.get(organisation) ?? null;
}

/** Who the API takes them for at one organisation's pages; null: they have no role there. */
export function principalOf(member: SignedIn, organisation: string): Principal | null {
  const role = roleIn(member, organisation);
  if (role === null) return null;
  return {
    id: `session:${member.sessionId}`,
    user: member.user,
    organisation: member.isInstanceOwner ? null : organisation,
    scopes: new Set(ROLE_SCOPES[role]),
    ecosystems: null,
  };
}
