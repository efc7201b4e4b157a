/** Tokens in KV: a record for each, under its public id, with the SHA-256 of its secret. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import {
  MAX_PATH_TOKEN_MS,
  MAX_TOKENS_PER_OWNER,
  type NewToken,
  type Principal,
  type Scope,
  SCOPES,
  TokenError,
  type TokenInfo,
  type Tokens,
  type Verified,
} from "../tokens.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";

/** `slu_`, twelve characters that name it, `_`, and 32 random bytes: too many to guess, so one hash is enough. */
const FORM = /^slu_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;
const FRESH_MS = 1_000;
const LOST_MS = 5_000;
const USE_MS = 3_600_000;
const MAX_CACHED = 20_000;
const KEPT_AFTER_END_MS = 30 * 86_400_000;

interface TokenRecord {
  readonly v: 1;
  readonly hash: Uint8Array;
  readonly info: Omit<TokenInfo, "lastUsedAt">;
}

interface Held {
  readonly record: TokenRecord | null;
  readonly principal: Principal | null;
  readonly confirmedAt: EpochMs;
}

export interface TokensDeps {
  readonly clock: Clock;
  /** SLUICE_ADMIN_TOKEN; null: there is none. */
  readonly adminToken?: string | null;
}

/** One for the process. */
export function createTokens(kv: Deno.Kv, { clock, adminToken = null }: TokensDeps): Tokens {
  const held = new LRUCache<string, Held>({ max: MAX_CACHED });
  const uses = new Map<string, EpochMs>();
  const written = new LRUCache<string, EpochMs>({ max: MAX_CACHED });
  const admin = adminToken === null ? null : hashOf(adminToken);

  function isWithin(since: EpochMs, ms: number): boolean {
    const age = clock() - since;
    return age >= 0 && age < ms;
  }

  async function create(wanted: NewToken) {
    check(wanted);
    if ((await list(wanted.organisation)).length >= MAX_TOKENS_PER_OWNER) {
      throw new TokenError(
        "too-many",
        "organisation",
        `Cannot make another token: there are ${MAX_TOKENS_PER_OWNER}. Revoke some first`,
      );
    }
    const owner = await ownerOf(wanted.organisation);
    const id = [...randomBytes(12)].map((byte) => (byte % 36).toString(36)).join("");
    const secret = `slu_${id}_${randomBytes(32).toString("base64url")}`;
    const info = { id, ...wanted, createdAt: clock() };
    const record: TokenRecord = { v: 1, hash: hashOf(secret), info };
    const key = keys.token(id);
    const done = await attempt("write a token", () =>
      kv.atomic()
        .check({ key, versionstamp: null }, ...owner)
        .set(key, record, expiry(info.expiresAt))
        .commit());
    if (!done.ok) throw new StorageError("Cannot write a token: its organisation was changed meanwhile");
    return { info: { ...info, lastUsedAt: null }, secret };
  }

  /** WARNING: checked with the write, so that no token outlives its organisation and is good for a namesake. */
  async function ownerOf(organisation: string | null): Promise<readonly Deno.AtomicCheck[]> {
    if (organisation === null) return [];
    const key = keys.organisation(organisation);
    const { versionstamp } = await attempt("read an organisation", () => kv.get(key));
    if (versionstamp !== null) return [{ key, versionstamp }];
    throw new TokenError(
      "unknown-organisation",
      "organisation",
      `There is no organisation ${JSON.stringify(organisation)}`,
    );
  }

  /** Kept for a month after its end, so that the list can say what became of it. */
  function expiry(expiresAt: EpochMs | null): { expireIn?: number } {
    return expiresAt === null ? {} : { expireIn: expiresAt - clock() + KEPT_AFTER_END_MS };
  }

  function check({ scopes, kind, expiresAt, ecosystems }: NewToken): void {
    const now = clock();
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
      throw new TokenError("path-token", "expiresAt", "A token for addresses ends within 24 hours");
    }
  }

  async function list(organisation?: string | null): Promise<readonly TokenInfo[]> {
    const found: TokenInfo[] = [];
    await attempt("list the tokens", async () => {
      for await (const { value } of kv.list<TokenRecord>({ prefix: keys.tokens() }, { batchSize: 500 })) {
        if (organisation !== undefined && value.info.organisation !== organisation) continue;
        // KV removes what has expired when it comes to it.
        if ((expiry(value.info.expiresAt).expireIn ?? 1) <= 0) continue;
        found.push({ ...value.info, lastUsedAt: null });
      }
    });
    const used = await usedAt();
    return found
      .map((info) => ({ ...info, lastUsedAt: uses.get(info.id) ?? used.get(info.id) ?? null }))
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1));
  }

  async function usedAt(): Promise<ReadonlyMap<string, EpochMs>> {
    const found = new Map<string, EpochMs>();
    await attempt("list the tokens' uses", async () => {
      for await (const { key, value } of kv.list<EpochMs>({ prefix: keys.tokenUses() }, { batchSize: 500 })) {
        found.set(String(key.at(-1)), value);
      }
    });
    return found;
  }

  async function get(id: string): Promise<TokenInfo | null> {
    const [token, use] = await attempt(
      "read a token",
      () => kv.getMany<[TokenRecord, EpochMs]>([keys.token(id), keys.tokenUse(id)]),
    );
    if (token.value === null) return null;
    return { ...token.value.info, lastUsedAt: uses.get(id) ?? use.value };
  }

  async function revoke(id: string): Promise<boolean> {
    const key = keys.token(id);
    const entry = await attempt("read a token", () => kv.get<TokenRecord>(key));
    if (entry.value === null) return false;
    await attempt("revoke a token", () => kv.atomic().delete(key).delete(keys.tokenUse(id)).commit());
    held.delete(id);
    return true;
  }

  async function verify(secret: string): Promise<Verified> {
    const hash = hashOf(secret);
    if (admin !== null && timingSafeEqual(hash, admin)) return ADMIN;
    const id = FORM.exec(secret)?.[1];
    if (id === undefined) return UNKNOWN;
    const { record, principal } = await recordOf(id);
    if (record === null || principal === null || !timingSafeEqual(hash, record.hash)) return UNKNOWN;
    const { expiresAt, kind } = record.info;
    const now = clock();
    if (expiresAt !== null && now >= expiresAt) return { ok: false, why: "expired" };
    uses.set(id, now);
    return { ok: true, principal, kind };
  }

  /** What is held is used for a second; without KV for five, and then for nobody. */
  async function recordOf(id: string): Promise<Held> {
    const known = held.get(id);
    if (known !== undefined && isWithin(known.confirmedAt, FRESH_MS)) return known;
    const asked = clock();
    try {
      const { value } = await attempt("look a token up", () => kv.get<TokenRecord>(keys.token(id)));
      const principal = value === null
        ? null
        : known?.record?.info.id === id && known.principal !== null
        ? known.principal
        : principalOf(value);
      const next: Held = { record: value, principal, confirmedAt: asked };
      // What nobody has is looked up again each time, so that strangers' inventions push nobody out.
      if (value !== null) held.set(id, next);
      else held.delete(id);
      return next;
    } catch (error) {
      if (known !== undefined && isWithin(known.confirmedAt, LOST_MS)) return known;
      throw error;
    }
  }

  function isKnown(secret: string): boolean {
    const known = held.get(FORM.exec(secret)?.[1] ?? "");
    return known?.record !== null && known?.record !== undefined &&
      timingSafeEqual(hashOf(secret), known.record.hash);
  }

  async function flushUses(): Promise<void> {
    for (const [id, at] of [...uses]) {
      if (!isWithin(written.get(id) ?? 0 as EpochMs, USE_MS)) await writeUse(id, at);
      // Used again meanwhile: that is written the next time.
      if (uses.get(id) === at) uses.delete(id);
    }
  }

  async function writeUse(id: string, at: EpochMs): Promise<void> {
    const entry = await attempt("read a token", () => kv.get<TokenRecord>(keys.token(id)));
    if (entry.value === null) return;
    const { expiresAt } = entry.value.info;
    await attempt("write a token's last use", () =>
      // Checked: a use that is written after the token was revoked would stay for ever.
      kv.atomic().check(entry).set(keys.tokenUse(id), at, expiry(expiresAt)).commit());
    written.set(id, at);
  }

  return { create, list, get, revoke, verify, isKnown, flushUses };
}

/** Deletes what an organisation's tokens are known by, and by that revokes them. Throws as KV does. */
export async function deleteTokensOf(kv: Deno.Kv, organisation: string): Promise<void> {
  for await (const { value } of kv.list<TokenRecord>({ prefix: keys.tokens() }, { batchSize: 500 })) {
    const { id, organisation: owner } = value.info;
    if (owner === organisation) await kv.atomic().delete(keys.token(id)).delete(keys.tokenUse(id)).commit();
  }
}

/** The scopes of registries; the others are of an organisation, whichever ecosystems it uses. */
const OF_AN_ECOSYSTEM: ReadonlySet<Scope> = new Set(["read", "publish"]);

const UNKNOWN: Verified = { ok: false, why: "unknown" };
const ADMIN: Verified = {
  ok: true,
  kind: "header",
  principal: {
    id: "admin-token",
    user: "admin",
    organisation: null,
    scopes: new Set(SCOPES),
    ecosystems: null,
  },
};

function hashOf(secret: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(secret).digest());
}

function principalOf({ info }: TokenRecord): Principal {
  const { id, user, organisation, scopes, ecosystems } = info;
  return { id, user, organisation, scopes: new Set(scopes), ecosystems };
}
