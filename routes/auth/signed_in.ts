/** Somebody who signed in at the pages, and what their role lets them do in each organisation. */
import { type Role, ROLE_SCOPES } from "../../storage/members.ts";
import type { Principal } from "../../storage/tokens.ts";

export { greaterRole, type Role, ROLE_MEANINGS, ROLE_SCOPES, ROLES } from "../../storage/members.ts";

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
