/** Who may come in at the pages: roles, and the rules of an organisation that give them to people. */
import type { EpochMs } from "../policy/types.ts";
import type { Scope } from "./tokens.ts";

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
  viewer:
    "sees overview, policy, packages, waivers, installs and audit trail; makes own tokens to install with",
  approver: "also grants, declines and revokes waivers",
  editor: "also changes policy, lists, freezes, snapshots and webhooks",
  operator:
    "also acknowledges alerts and prefetches; the cache is the instance's, which its owners look after",
  owner: "all of it, tokens and members",
};

/** The greater of two roles, where there are any. */
export function greaterRole(a: Role | null, b: Role | null): Role | null {
  if (a === null || b === null) return a ?? b;
  return ROLES.indexOf(a) >= ROLES.indexOf(b) ? a : b;
}

/**
 * What a provider says of somebody, in its one written form: `github:octocat`, `github:id/583231`,
 * `github:org/acme`, `github:team/acme/security`, `oidc:email=ada@example.org`, `oidc:groups=platform`.
 */
export type Trait = string;

/** Whoever has the trait that `id` is has the role. */
export interface MemberRule {
  readonly id: Trait;
  readonly role: Role;
  readonly createdAt: EpochMs;
  readonly createdBy: string;
  /** It stays until it is removed. */
  readonly until: null;
}

/** Of one organisation. */
export const MAX_MEMBER_RULES = 1_000;

/** All throw StorageError where KV fails. */
export interface Members {
  /** By id. Throws OrganisationError `unknown`. */
  list(organisation: string): Promise<readonly MemberRule[]>;
  /** One for the same trait is replaced. In force with the next request. Throws OrganisationError. */
  add(organisation: string, rule: MemberRule): Promise<void>;
  /** false: there was none for that trait. In force with the next request. */
  remove(organisation: string, trait: Trait): Promise<boolean>;
  /** Every organisation's rules, as they are in KV at this moment. */
  current(): Promise<MemberRules>;
}

export interface MemberRules {
  /** By organisation; the greatest where several rules fit. */
  rolesOf(traits: readonly Trait[]): ReadonlyMap<string, Role>;
}

export const TRAIT_FORM =
  "github:LOGIN, github:id/NUMBER, github:org/NAME, github:team/ORG/TEAM, oidc:EMAIL or oidc:CLAIM=VALUE";

const LOGIN = "[a-z0-9](?:[a-z0-9_-]{0,98}[a-z0-9_])?";
const GITHUB = new RegExp(`^(?:${LOGIN}|id/[0-9]{1,20}|org/${LOGIN}|team/${LOGIN}/[a-z0-9._-]{1,100})$`);
const CLAIM = /^[^=\s]{1,200}$/;
const EMAIL = /^[^\s=@]{1,100}@[^\s=@]{1,150}$/;

/** From how people write it to its one form; null: it is none. */
export function parseTrait(text: string): Trait | null {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(":");
  const rest = trimmed.slice(colon + 1);
  switch (trimmed.slice(0, Math.max(0, colon))) {
    case "github":
      // GitHub's names are one in every case.
      return GITHUB.test(rest.toLowerCase()) ? `github:${rest.toLowerCase()}` : null;
    case "oidc":
      if (EMAIL.test(rest)) return claimTrait("email", rest);
      return claimTrait(rest.slice(0, Math.max(0, rest.indexOf("="))), rest.slice(rest.indexOf("=") + 1));
    default:
      return null;
  }
}

/** null: no such claim or value can be kept. */
export function claimTrait(claim: string, value: string): Trait | null {
  const isFit = CLAIM.test(claim) && value !== "" && value.length <= 500 && value.trim() === value &&
    value.isWellFormed() && !/\p{Cc}/u.test(value);
  if (!isFit || !claim.isWellFormed()) return null;
  return `oidc:${claim}=${claim === "email" ? value.toLowerCase() : value}`;
}
