/** Members: the rules that give people roles in an organisation, and who signed in by them. */
import * as z from "zod";
import {
  greaterRole,
  type MemberRule,
  type Members,
  parseTrait,
  type Role,
  ROLE_MEANINGS,
  ROLES,
  type Trait,
  TRAIT_FORM,
} from "../../storage/members.ts";
import type { Clock } from "../../storage/runtime.ts";
import type { ProviderId, Session, Sessions, Visitor } from "../../storage/sessions.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { instant, instantText } from "./schemas.ts";
import { told } from "./told.ts";

const AREA = "Members";
/** Of those with a role, so many with the latest sign-ins are told. */
const MAX_PEOPLE = 200;

export interface MemberApiDeps {
  readonly members: Members;
  readonly sessions: Sessions;
  /** Whoever has one of these owns the whole instance. */
  readonly owners: readonly Trait[];
  /** Those that are set up. */
  readonly providers: readonly ProviderId[];
  readonly clock: Clock;
}

const role = z.enum(ROLES).meta({
  description: ROLES.map((each) => `${each}: ${ROLE_MEANINGS[each]}`).join("; "),
});
const who = z.string().max(500, "at most 500 characters").meta({ description: TRAIT_FORM });
const rule = z.object({
  who: z.string(),
  role,
  createdAt: instant,
  createdBy: z.string(),
}).meta({ id: "MemberRule" });
const person = z.object({
  id: z.string(),
  user: z.string(),
  provider: z.string(),
  role,
  ownsInstance: z.boolean(),
  signedInAt: instant,
  usedAt: instant.nullable().meta({ description: "To five minutes; null: no session is left" }),
  sessions: z.number().int(),
}).meta({ id: "SignedInPerson" });
const params = z.object({ organisation: z.string() });

export function memberEndpoints(deps: MemberApiDeps): readonly Endpoint[] {
  const { members, sessions } = deps;
  const common = { scope: "admin", whose: "parameter", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listMembers",
      method: "GET",
      path: "/organisations/{organisation}/members",
      summary: "The rules that give people roles, and who owns the whole instance.",
      params,
      answer: z.object({
        rules: z.array(rule),
        instanceOwners: z.array(z.string()),
        providers: z.array(z.string()).meta({ description: "Those with which people can sign in" }),
      }),
      handle: async ({ organisation }) => {
        const rules = await told(() => members.list(organisation.id));
        const { owners, providers } = deps;
        return { body: { rules: rules.map(shown), instanceOwners: owners, providers } };
      },
    }),
    endpoint({
      ...common,
      id: "addMember",
      method: "POST",
      path: "/organisations/{organisation}/members",
      summary: "Gives a role to whoever fits, with their next request; a rule for the same is replaced.",
      params,
      body: z.strictObject({ who, role }),
      answer: rule,
      handle: (call) => add(deps, call),
    }),
    endpoint({
      ...common,
      id: "removeMember",
      method: "DELETE",
      path: "/organisations/{organisation}/members",
      summary: "Takes a rule away, in force with the next request.",
      params,
      query: z.strictObject({ who }),
      handle: async (call) => {
        const { organisation, query } = call;
        const trait = traitOf(query.who, "query.who");
        const before = (await told(() => members.list(organisation.id))).find(({ id }) => id === trait);
        if (before === undefined || !await told(() => members.remove(organisation.id, trait))) {
          throw notFound("no-such-member", `There is no rule for ${JSON.stringify(trait)}`);
        }
        call.note({ subject: trait, before: { role: before.role } });
        return { status: 204 };
      },
    }),
    endpoint({
      ...common,
      id: "listSignIns",
      method: "GET",
      path: "/organisations/{organisation}/sign-ins",
      summary: "Who signed in within the last 90 days and has a role there now, the latest 200.",
      params,
      answer: z.object({ people: z.array(person) }),
      handle: async (call) => {
        const latest = (await peopleOf(deps, call)).slice(0, MAX_PEOPLE);
        const people = latest.map(async (each) => shownPerson(each, await sessions.of(each.visitor.id)));
        return { body: { people: await Promise.all(people) } };
      },
    }),
    endpoint({
      ...common,
      id: "endSessions",
      method: "DELETE",
      path: "/organisations/{organisation}/sign-ins/{id}",
      summary: "Ends all of one person's sessions; whoever still has a role can sign in anew.",
      params: params.extend({ id: z.string() }),
      handle: async (call) => {
        const { id } = call.params;
        const found = (await peopleOf(deps, call)).find(({ visitor }) => visitor.id === id);
        // An organisation's owner has no say about the instance's.
        const isTheirs = found !== undefined &&
          (!found.ownsInstance || call.principal.organisation === null);
        if (!isTheirs) throw notFound("no-such-person", `Nobody here has the id ${JSON.stringify(id)}`);
        const ended = await sessions.endAll(id);
        call.note({ subject: found.visitor.user, before: { sessions: ended }, after: { sessions: 0 } });
        return { status: 204 };
      },
    }),
  ];
}

async function add(
  { members, clock }: MemberApiDeps,
  call: Call<z.output<typeof params>, unknown, { readonly who: string; readonly role: Role }>,
) {
  const { organisation, body, principal } = call;
  const trait = traitOf(body.who, "body.who");
  const before = (await told(() => members.list(organisation.id))).find(({ id }) => id === trait);
  const made: MemberRule = {
    id: trait,
    role: body.role,
    createdAt: clock(),
    createdBy: principal.user,
    until: null,
  };
  await told(() => members.add(organisation.id, made));
  call.note({
    subject: trait,
    ...(before === undefined ? {} : { before: { role: before.role } }),
    after: { role: made.role },
  });
  return { status: 201, body: shown(made) } as const;
}

/** Throws ApiError, which names the field. */
function traitOf(text: string, field: string): Trait {
  const trait = parseTrait(text);
  if (trait === null) throw wrongField(field, `${JSON.stringify(text)} is none of ${TRAIT_FORM}`);
  return trait;
}

interface Person {
  readonly visitor: Visitor;
  readonly role: Role;
  readonly ownsInstance: boolean;
}

/** Whoever has a role there by the rules of now: nobody else is any business of theirs. */
async function peopleOf(
  { members, sessions, owners }: MemberApiDeps,
  { organisation }: Pick<Call, "organisation">,
): Promise<readonly Person[]> {
  const [visitors, rules] = await Promise.all([sessions.visitors(), members.current()]);
  return visitors.flatMap((visitor) => {
    const ownsInstance = visitor.provider === "local" ||
      visitor.traits.some((trait) => owners.includes(trait));
    const given = rules.rolesOf(visitor.traits).get(organisation.id) ?? null;
    const role = greaterRole(given, ownsInstance ? "owner" : null);
    return role === null ? [] : [{ visitor, role, ownsInstance }];
  });
}

function shownPerson({ visitor, role, ownsInstance }: Person, sessions: readonly Session[]) {
  const { id, user, provider, signedInAt } = visitor;
  return {
    id,
    user,
    provider,
    role,
    ownsInstance,
    signedInAt: instantText(signedInAt),
    usedAt: instantText(sessions[0]?.usedAt ?? null),
    sessions: sessions.length,
  };
}

function shown({ id, role, createdAt, createdBy }: MemberRule) {
  return { who: id, role, createdAt: instantText(createdAt), createdBy };
}
