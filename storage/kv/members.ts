/** The rules that give people roles, in KV: under their organisation's life, so that no namesake inherits them. */
import type { EpochMs } from "../../policy/types.ts";
import {
  greaterRole,
  MAX_MEMBER_RULES,
  type MemberRule,
  type MemberRules,
  type Members,
} from "../members.ts";
import type { Role, Trait } from "../members.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { createHeldEntries, type EntryKind } from "./held_entries.ts";
import { keys } from "./keys.ts";
import { OrganisationError } from "./organisation_error.ts";
import type { OrganisationRecord } from "./organisation_types.ts";

interface RuleRecord {
  readonly v: 1;
  readonly role: Role;
  readonly trait: Trait;
  readonly createdAt: EpochMs;
  readonly createdBy: string;
}

const MEMBER_RULES: EntryKind<MemberRule, RuleRecord> = {
  what: "member rule",
  max: MAX_MEMBER_RULES,
  all: ({ id, life }) => keys.memberRules(id, life),
  one: ({ id, life }, trait) => keys.memberRule(id, life, trait),
  count: ({ id, life }) => keys.memberRuleCount(id, life),
  toRecord: ({ id, role, createdAt, createdBy }) => ({ v: 1, trait: id, role, createdAt, createdBy }),
  fromRecord: ({ trait, role, createdAt, createdBy }) => ({
    id: trait,
    role,
    createdAt,
    createdBy,
    until: null,
  }),
};

/** One for the process; several processes may share the store. */
export function createMembers(kv: Deno.Kv, deps: { readonly clock: Clock }): Members {
  let known: { readonly stamps: string; readonly rules: MemberRules } | null = null;

  async function holder(id: string) {
    const entry = await attempt(
      `read organisation "${id}"`,
      () => kv.get<OrganisationRecord>(keys.organisation(id)),
    );
    if (entry.versionstamp === null) {
      throw new OrganisationError(`There is no organisation "${id}"`, "unknown");
    }
    return { id, life: entry.value.life, versionstamp: entry.versionstamp };
  }
  const entries = createHeldEntries({ kv, clock: deps.clock, holder }, MEMBER_RULES);

  /** The stamps change with every change of a rule or of an organisation: two keys say whether anything has. */
  async function current(): Promise<MemberRules> {
    const stamps = await attempt(
      "see whether members were changed",
      () => kv.getMany([keys.stamp(), keys.organisationsStamp()]),
    );
    const now = stamps.map(({ versionstamp }) => versionstamp).join("/");
    if (known?.stamps === now) return known.rules;
    const rules = await readAll(kv);
    known = { stamps: now, rules };
    return rules;
  }

  return {
    list: async (organisation) => await entries.list(await holder(organisation)),
    add: (organisation, rule) => entries.add(organisation, rule),
    remove: entries.remove,
    current,
  };
}

/** What was read after the stamps is at least as new as they are: at worst it is read once more. */
async function readAll(kv: Deno.Kv): Promise<MemberRules> {
  const byTrait = new Map<Trait, { readonly organisation: string; readonly role: Role }[]>();
  await attempt("read the members", async () => {
    const lives = new Map<string, string>();
    for await (const { value } of kv.list<OrganisationRecord>({ prefix: keys.organisations() })) {
      lives.set(value.id, value.life);
    }
    for await (const { key, value } of kv.list<RuleRecord>({ prefix: keys.memberRules() })) {
      const [, organisation, life] = key as [string, string, string];
      if (lives.get(organisation) !== life) continue;
      const same = byTrait.get(value.trait) ?? [];
      byTrait.set(value.trait, [...same, { organisation, role: value.role }]);
    }
  });
  return {
    rolesOf(traits) {
      const roles = new Map<string, Role>();
      for (const { organisation, role } of traits.flatMap((trait) => byTrait.get(trait) ?? [])) {
        roles.set(organisation, greaterRole(role, roles.get(organisation) ?? null) ?? role);
      }
      return roles;
    },
  };
}
