/** Tokens in KV: a record for each, under its public id, with the SHA-256 of its secret. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import { RestoringError, StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import {
  MAX_TOKENS_PER_OWNER,
  type NewToken,
  type Principal,
  SCOPES,
  TokenError,
  type TokenInfo,
  type Tokens,
  type Verified,
} from "../tokens.ts";
import { attempt } from "./call.ts";
import { keys } from "./keys.ts";
import type { OnRestored } from "./fence.ts";
import { checkNewToken, tokenExpiry, type TokenRecord, withEnd } from "./token_record.ts";
import { createTokenUses } from "./token_uses.ts";

/** `slu_`, twelve characters that name it, `_`, and 32 random bytes: too many to guess, so one hash is enough. */
const FORM = /^slu_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$/;
const FRESH_MS = 1_000;
const LOST_MS = 5_000;
const MAX_CACHED = 20_000;

interface Held {
  readonly record: TokenRecord | null;
  readonly principal: Principal | null;
  readonly confirmedAt: EpochMs;
}

export interface TokensDeps {
  readonly clock: Clock;
  /** SLUICE_ADMIN_TOKEN; null: there is none. */
  readonly adminToken?: string | null;
  readonly onRestored?: OnRestored;
}

/** One for the process. */
export function createTokens(kv: Deno.Kv, { clock, adminToken = null, onRestored }: TokensDeps): Tokens {
  const held = new LRUCache<string, Held>({ max: MAX_CACHED });
  onRestored?.(() => held.clear());
  const uses = createTokenUses(kv, clock);
  const admin = adminToken === null ? null : hashOf(adminToken);

  function isWithin(since: EpochMs, ms: number): boolean {
    const age = clock() - since;
    return age >= 0 && age < ms;
  }

  async function create(given: NewToken) {
    const wanted = withEnd(given, clock());
    checkNewToken(wanted, clock());
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
        .set(key, record, tokenExpiry(info.expiresAt, info.createdAt))
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

  async function list(organisation?: string | null): Promise<readonly TokenInfo[]> {
    const found: TokenInfo[] = [];
    await attempt("list the tokens", async () => {
      for await (const { value } of kv.list<TokenRecord>({ prefix: keys.tokens() }, { batchSize: 500 })) {
        if (organisation !== undefined && value.info.organisation !== organisation) continue;
        // KV removes what has expired when it comes to it.
        if ((tokenExpiry(value.info.expiresAt, clock()).expireIn ?? 1) <= 0) continue;
        found.push({ ...value.info, lastUsedAt: null });
      }
    });
    const used = await uses.written();
    return found
      .map((info) => ({ ...info, lastUsedAt: uses.noted(info.id) ?? used.get(info.id) ?? null }))
      .sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? -1 : 1));
  }

  async function get(id: string): Promise<TokenInfo | null> {
    const [token, use] = await attempt(
      "read a token",
      () => kv.getMany<[TokenRecord, EpochMs]>([keys.token(id), keys.tokenUse(id)]),
    );
    if (token.value === null) return null;
    return { ...token.value.info, lastUsedAt: uses.noted(id) ?? use.value };
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
    uses.note(id, now);
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
      if (error instanceof RestoringError) throw error;
      if (known !== undefined && isWithin(known.confirmedAt, LOST_MS)) return known;
      throw error;
    }
  }

  function isKnown(secret: string): boolean {
    const known = held.get(FORM.exec(secret)?.[1] ?? "");
    return known?.record !== null && known?.record !== undefined &&
      timingSafeEqual(hashOf(secret), known.record.hash);
  }

  return { create, list, get, revoke, verify, isKnown, flushUses: uses.flush };
}

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
