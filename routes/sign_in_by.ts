/** What other pages and clients' errors need to know of the sign-in: whether there is one, and where tokens are made. */

/** `printed-link`: the operator alone, by the link that was printed at the start; null: nobody. */
export type SignInBy = "provider" | "printed-link" | null;

/** The address at which a member of an organisation makes tokens of their own. */
export type OwnTokensAt = (organisation: string) => string;

/** null: no member can sign in to make one. */
export function createOwnTokensAt(base: URL, by: SignInBy): OwnTokensAt | null {
  if (by !== "provider") return null;
  const root = `${base.origin}${base.pathname.replace(/\/+$/, "")}`;
  return (organisation) => `${root}/-/admin/${organisation}/tokens`;
}
