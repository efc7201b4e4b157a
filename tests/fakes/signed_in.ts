/** Somebody who is signed in at a Sluice's pages, without a provider: a session and a rule, written into its KV. */
import { cookieNames } from "../../routes/auth/cookies.ts";
import type { Role } from "../../routes/auth/signed_in.ts";
import { createMembers } from "../../storage/kv/members.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { createSessions } from "../../storage/kv/sessions.ts";
import { formTokenOf } from "../../storage/kv/session_secret.ts";
import type { TestSluice } from "./sluice.ts";

export interface SignedInTester {
  /** The cookie, and what a browser says of a form that it sends from the same page. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookie: string;
  /** For the field `token` of a form. */
  readonly formToken: string;
  readonly sessionId: string;
  /** What their rule is for: `github:octocat`. */
  readonly trait: string;
  /** GET of an admin page, such as `/-/admin/default/policy`; redirects are not followed. */
  get(path: string): Promise<Response>;
  /** POST of a form to such a page. */
  post(path: string, fields: Readonly<Record<string, string>>): Promise<Response>;
}

/** `role` null: a session, and no rule. The organisation must be there; `default` always is. */
export async function signIn(sluice: TestSluice, who: {
  readonly user: string;
  readonly role: Role | null;
  readonly organisation?: string;
}): Promise<SignedInTester> {
  const { user, role, organisation = "default" } = who;
  const clock = sluice.now;
  const trait = `github:${user.toLowerCase()}`;
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  try {
    if (role !== null) {
      const rule = { id: trait, role, createdAt: clock(), createdBy: "test", until: null };
      await createMembers(kv, { clock }).add(organisation, rule);
    }
    const identity = { provider: "github", subject: user, user, traits: [trait] } as const;
    const { secret, session } = await createSessions(kv, { clock }).begin(identity, null);
    const base = new URL(sluice.url);
    const cookie = `${cookieNames(base)!.session}=${secret}`;
    const headers = { cookie, "sec-fetch-site": "same-origin" };
    const address = (path: string) => `http://127.0.0.1:${sluice.port}${path}`;
    return {
      headers,
      cookie,
      formToken: formTokenOf(secret),
      sessionId: session.id,
      trait,
      get: (path) => fetch(address(path), { headers, redirect: "manual" }),
      post: (path, fields) =>
        fetch(address(path), {
          method: "POST",
          headers,
          body: new URLSearchParams({ token: formTokenOf(secret), ...fields }),
          redirect: "manual",
        }),
    };
  } finally {
    kv.close();
  }
}
