/** Tokens: who somebody is, in which organisation, and what they may do there. Kept hashed, shown once. */
import type { DurationMs, EpochMs } from "../policy/types.ts";

/** What a token may do. `admin` is all of them, and tokens and members. Roles of people are sets of these. */
export const SCOPES = ["read", "publish", "approve", "policy", "operate", "audit", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Each scope in words, for people who choose. */
export const SCOPE_MEANINGS: Readonly<Record<Scope, string>> = {
  read: "install packages",
  publish: "publish packages",
  approve: "grant waivers",
  policy: "change policy, freezes and lists",
  operate: "purge, prefetch, cache and alerts",
  audit: "read the install log and export it",
  admin: "all of it, tokens and members",
};

/** Who is at the other end, once their credentials were verified. */
export interface Principal {
  /** The token's id; `admin-token` for the environment's, `local` for the command line on the machine itself. */
  readonly id: string;
  readonly user: string;
  /** null: the whole instance, every organisation. */
  readonly organisation: string | null;
  readonly scopes: ReadonlySet<Scope>;
  /** null: all of them. Only of tokens that read and publish: nothing else belongs to one ecosystem. */
  readonly ecosystems: readonly string[] | null;
}

/** True where `scope` is held, by itself or as a part of `admin`. */
export function holds(principal: Principal, scope: Scope): boolean {
  return principal.scopes.has(scope) || principal.scopes.has("admin");
}

/** A token without its secret. */
export interface TokenInfo {
  readonly id: string;
  readonly user: string;
  readonly organisation: string | null;
  readonly scopes: readonly Scope[];
  readonly ecosystems: readonly string[] | null;
  readonly description: string;
  /** `path`: may stand in an address (`/t/{token}/`), for clients that can send no header. */
  readonly kind: "header" | "path";
  readonly createdAt: EpochMs;
  readonly createdBy: string;
  /** null: it does not end by itself. */
  readonly expiresAt: EpochMs | null;
  /** To the hour; null: never. */
  readonly lastUsedAt: EpochMs | null;
}

export interface NewToken {
  readonly user: string;
  readonly organisation: string | null;
  readonly scopes: readonly Scope[];
  readonly ecosystems: readonly string[] | null;
  readonly description: string;
  readonly kind: "header" | "path";
  /** null: never; of kind `path`: as late as it may. */
  readonly expiresAt: EpochMs | null;
  readonly createdBy: string;
}

/** Path tokens live no longer: they stand in addresses, and addresses are written down in many places. */
export const MAX_PATH_TOKEN_MS = 86_400_000 as DurationMs;
export const MAX_TOKENS_PER_OWNER = 5_000;

export type Verified =
  | { readonly ok: true; readonly principal: Principal; readonly kind: "header" | "path" }
  /** `unknown` is also what was revoked: its record is gone. */
  | { readonly ok: false; readonly why: "unknown" | "expired" };

/** A token that cannot be made as asked for; the message says which part, and what was expected. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  constructor(
    readonly code:
      | "too-many"
      | "path-token"
      | "expired"
      | "unknown-organisation"
      | "no-scope"
      | "ecosystems-of-scope",
    readonly field: "organisation" | "scopes" | "expiresAt",
    message: string,
  ) {
    super(message);
  }
}

/** All throw StorageError where KV fails. */
export interface Tokens {
  /** The secret is in the answer and nowhere else. Throws TokenError. */
  create(token: NewToken): Promise<{ readonly info: TokenInfo; readonly secret: string }>;
  /**
   * By time of creation, the newest first. `undefined`: every organisation's, and the instance's. With those that
   * expired within the last 30 days, so that somebody can see what became of them.
   */
  list(organisation?: string | null): Promise<readonly TokenInfo[]>;
  get(id: string): Promise<TokenInfo | null>;
  /** false: there is no such token. In force everywhere within a second. */
  revoke(id: string): Promise<boolean>;
  /** From memory for a second; throws StorageError once KV could not confirm it for five. */
  verify(secret: string): Promise<Verified>;
  /** Whether it was good when it was last looked up here: known callers are not held up by strangers' failures. */
  isKnown(secret: string): boolean;
  /** Writes down when tokens were last used, at most once an hour for each. */
  flushUses(): Promise<void>;
}

/** The text with every token in it hidden, mistyped ones too: for what is written down somewhere. */
export function withoutTokens(text: string): string {
  return text.includes("slu_") ? text.replaceAll(/slu_[A-Za-z0-9_-]+/g, "slu_(hidden)") : text;
}

/** True where a whole token of ours is part of the text. */
export function holdsToken(text: string): boolean {
  return text.includes("slu_") && /slu_[a-z0-9]{12}_[A-Za-z0-9_-]{43}/.test(text);
}

/** True for what may be one of our tokens; the rest of a credential's forms is somebody else's. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith("slu_");
}
