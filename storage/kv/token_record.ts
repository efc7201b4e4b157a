/** A token as KV has it: what may be made, how long it stays, and what goes with an organisation. */
import type { EpochMs } from "../../policy/types.ts";
import {
  MAX_PATH_TOKEN_MS,
  type NewToken,
  type Scope,
  SCOPES,
  TokenError,
  type TokenInfo,
} from "../tokens.ts";
import { keys } from "./keys.ts";

const KEPT_AFTER_END_MS = 30 * 86_400_000;
/** The scopes of registries; the others are of an organisation, whichever ecosystems it uses. */
const OF_AN_ECOSYSTEM: ReadonlySet<Scope> = new Set(["read", "publish"]);

export interface TokenRecord {
  readonly v: 1;
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
  readonly info: Omit<TokenInfo, "lastUsedAt">;
}

/** Kept for a month after its end, so that the list can say what became of it. As KV's `set` takes it. */
export function tokenExpiry(expiresAt: EpochMs | null, now: EpochMs): { readonly expireIn?: number } {
  return expiresAt === null ? {} : { expireIn: expiresAt - now + KEPT_AFTER_END_MS };
}

/** Throws TokenError for what cannot be, whoever asks. */
export function checkNewToken({ scopes, kind, expiresAt, ecosystems }: NewToken, now: EpochMs): void {
  if (scopes.length === 0) {
    throw new TokenError("no-scope", "scopes", `Cannot make a token without scope: ${SCOPES.join(", ")}`);
  }
  if (expiresAt !== null && expiresAt <= now) {
    throw new TokenError("expired", "expiresAt", "Cannot make a token that has ended already");
  }
  const whole = ecosystems === null ? undefined : scopes.find((scope) => !OF_AN_ECOSYSTEM.has(scope));
  if (whole !== undefined) {
    throw new TokenError(
      "ecosystems-of-scope",
      "scopes",
      `Cannot make a token of "${whole}" for some ecosystems only: read and publish can be`,
    );
  }
  if (kind === "header") return;
  if (scopes.length !== 1 || scopes[0] !== "read") {
    throw new TokenError("path-token", "scopes", "A token for addresses may only read: scopes are [read]");
  }
  if (expiresAt === null || expiresAt - now > MAX_PATH_TOKEN_MS) {
    throw new TokenError(
      "path-token",
      "expiresAt",
      "A token for addresses ends within 24 hours: give an earlier end",
    );
  }
}

/** One for addresses ends as late as it may where no end was given. */
export function withEnd<T extends Pick<NewToken, "kind" | "expiresAt">>(wanted: T, now: EpochMs): T {
  if (wanted.kind === "header" || wanted.expiresAt !== null) return wanted;
  return { ...wanted, expiresAt: now + MAX_PATH_TOKEN_MS as EpochMs };
}

/** Deletes what an organisation's tokens are known by, and by that revokes them. Throws as KV does. */
export async function deleteTokensOf(kv: Deno.Kv, organisation: string): Promise<void> {
  for await (const { value } of kv.list<TokenRecord>({ prefix: keys.tokens() }, { batchSize: 500 })) {
    const { id, organisation: owner } = value.info;
    if (owner === organisation) await kv.atomic().delete(keys.token(id)).delete(keys.tokenUse(id)).commit();
  }
}
