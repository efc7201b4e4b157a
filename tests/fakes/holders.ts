/** Everybody who may stand before a route: each scope in each place, and whoever has no token that holds. */
import { type Scope, SCOPES } from "../../storage/tokens.ts";
import type { TestSluice } from "./sluice.ts";

export const ADMIN_TOKEN = "an-admin-token-of-more-than-32-characters";
/** Every request comes from an address of its own, so that nobody's wrong tokens are another's. */
export const HOLDERS_ENV = { SLUICE_ADMIN_TOKEN: ADMIN_TOKEN, SLUICE_TRUSTED_PROXIES: "127.0.0.1" } as const;

export interface Holder {
  /** For messages. */
  readonly title: string;
  readonly is: "good" | "none" | "expired" | "unknown";
  /** null: nobody. */
  readonly secret: string | null;
  /** null: the whole instance. */
  readonly organisation: string | null;
  readonly scopes: readonly Scope[];
  readonly ecosystems: readonly string[] | null;
}

export interface NewHolder {
  readonly organisation: string | null;
  readonly scopes: readonly Scope[];
  readonly ecosystems?: readonly string[];
  readonly kind?: "header" | "path";
  /** In so many seconds. */
  readonly expires?: number;
}

/** Made by the API itself, which is asked as the instance's admin. */
export async function makeToken(
  sluice: TestSluice,
  now: number,
  { expires, ...given }: NewHolder,
): Promise<{ readonly id: string; readonly secret: string }> {
  const expiresAt = expires === undefined ? null : new Date(now + expires * 1_000).toISOString();
  const response = await fetch(`${sluice.url}/-/api/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({ user: "jane", expiresAt, ...given }),
  });
  const made = await response.json();
  if (response.status !== 201) throw new Error(JSON.stringify(made));
  return { id: made.token.id, secret: made.secret };
}

/** One for each scope of each owner, then those whose tokens do not hold; the clock is moved on by a minute. */
export async function allHolders(
  sluice: TestSluice,
  now: number,
  owners: readonly (string | null)[],
): Promise<readonly Holder[]> {
  const holders: Holder[] = [];
  for (const organisation of owners) {
    for (const scope of SCOPES) {
      const { secret } = await makeToken(sluice, now, { organisation, scopes: [scope] });
      const title = `${organisation ?? "the instance"}'s ${scope}`;
      holders.push({ title, is: "good", secret, organisation, scopes: [scope], ecosystems: null });
    }
  }
  const whole = { organisation: null, scopes: SCOPES, ecosystems: null } as const;
  const revoked = await makeToken(sluice, now, { organisation: null, scopes: SCOPES });
  const expired = await makeToken(sluice, now, { organisation: null, scopes: SCOPES, expires: 60 });
  const { status } = await fetch(`${sluice.url}/-/api/v1/tokens/${revoked.id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  if (status !== 204) throw new Error(`Cannot revoke: ${status}`);
  sluice.advance(61_000);
  const mistyped = `${revoked.secret.slice(0, -3)}AAA`;
  return [
    ...holders,
    { ...whole, title: "nobody", is: "none", secret: null },
    { ...whole, title: "a revoked token", is: "unknown", secret: revoked.secret },
    { ...whole, title: "a mistyped token", is: "unknown", secret: mistyped },
    { ...whole, title: "an expired token", is: "expired", secret: expired.secret },
  ];
}

/** As this holder, from an address that hardly anybody else has. */
export function headersOf({ secret }: Pick<Holder, "secret">): Record<string, string> {
  const address = `10.${crypto.getRandomValues(new Uint8Array(3)).join(".")}`;
  return {
    "x-forwarded-for": address,
    ...(secret === null ? {} : { authorization: `Bearer ${secret}` }),
  };
}

/** Of what is not let in: status and the stable code. null: this one is let in. */
export function denialFor(
  holder: Holder,
  route: {
    readonly scope: Scope;
    /** Whoever has this one may as well. */
    readonly orScope?: Scope | undefined;
    /** null: the whole instance. */
    readonly organisation: string | null;
    readonly ecosystem?: string;
  },
): 401 | 403 | null {
  if (holder.is !== "good") return 401;
  const isTheirs = holder.organisation === null || holder.organisation === route.organisation;
  const fit: readonly (Scope | undefined)[] = [route.scope, route.orScope, "admin"];
  const holds = holder.scopes.some((scope) => fit.includes(scope));
  const isForIt = route.ecosystem === undefined || holder.ecosystems === null ||
    holder.ecosystems.includes(route.ecosystem);
  return isTheirs && holds && isForIt ? null : 403;
}
