/** Who has which role in the organisation: rules, and the people who came in by them. */
import { ROLE_MEANINGS, ROLES } from "../auth/signed_in.ts";
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "./page.ts";
import { Badge, Empty, Form, Notice, Select, Table, TextField, Time } from "./ui.tsx";

interface Rule {
  readonly who: string;
  readonly role: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface Listed {
  readonly rules: readonly Rule[];
  readonly instanceOwners: readonly string[];
  readonly providers: readonly string[];
}

interface Person {
  readonly id: string;
  readonly user: string;
  readonly provider: string;
  readonly role: string;
  readonly ownsInstance: boolean;
  readonly signedInAt: string;
  readonly usedAt: string | null;
  readonly sessions: number;
}

interface Sent {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

const PROVIDERS: Readonly<Record<string, string>> = {
  github: "GitHub",
  oidc: "OpenID Connect",
  local: "the printed link",
};

export const MEMBERS: AdminPage = {
  path: "members",
  title: "Members",
  scope: "admin",
  isInMenu: true,
  show: (context) => page(context, null),
  notices: {
    added: "The role is given, with their next request.",
    removed: "The rule is taken away, with their next request.",
    "signed-out": "All of their sessions have ended.",
  },
  actions: {
    add: {
      scope: "admin",
      async run(context, form) {
        const body = { who: form.get("who") ?? "", role: form.get("role") ?? "" };
        const added = await context.call("addMember", { params: paramsOf(context), body });
        if (!added.ok) return await page(context, { form, problem: added.problem });
        return { kind: "redirect", to: context.path(["members"], { done: "added" }) };
      },
    },
    remove: {
      scope: "admin",
      async run(context, form) {
        await context.must("removeMember", {
          params: paramsOf(context),
          query: { who: form.get("who") ?? "" },
        });
        return { kind: "redirect", to: context.path(["members"], { done: "removed" }) };
      },
    },
    "sign-out": {
      scope: "admin",
      async run(context, form) {
        await context.must("endSessions", { params: { ...paramsOf(context), id: form.get("id") ?? "" } });
        return { kind: "redirect", to: context.path(["members"], { done: "signed-out" }) };
      },
    },
  },
};

function paramsOf({ organisation }: PageContext) {
  return { organisation: organisation.id };
}

async function page(context: PageContext, sent: Sent | null): Promise<View> {
  const params = paramsOf(context);
  const [listed, { people }] = await Promise.all([
    context.must<Listed>("listMembers", { params }),
    context.must<{ readonly people: readonly Person[] }>("listSignIns", { params }),
  ]);
  const body = (
    <>
      <p class="lead">
        Whoever signs in and fits a rule has its role here, the greatest where several fit. What GitHub or the
        OpenID provider says of them is read again within the hour.
      </p>
      {listed.providers.length > 0 ? null : (
        <Notice kind="note">
          Nobody can sign in yet but this machine's operator: the{" "}
          <a href={`${context.prefix}/-/auth/sign-in?set-up`}>sign-in page</a>{" "}
          says how to set up GitHub or OpenID Connect.
        </Notice>
      )}
      <div class="beside">
        <div>
          <h2>Rules</h2>
          <Rules context={context} rules={listed.rules} />
          <Owners owners={listed.instanceOwners} />
        </div>
        <div>
          <h2>Give a role</h2>
          <Give context={context} sent={sent} />
        </div>
      </div>
      <h2>Who signed in</h2>
      <People context={context} people={people} />
    </>
  );
  return { kind: "page", body, status: sent?.problem.status ?? 200 };
}

function Rules({ context, rules }: { readonly context: PageContext; readonly rules: readonly Rule[] }) {
  if (rules.length === 0) {
    return (
      <Empty>No rule gives anybody a role here yet. Begin with your team's GitHub organisation, below.</Empty>
    );
  }
  return (
    <Table
      caption="Rules that give roles"
      rows={rules}
      columns={[
        { title: "Who", cell: ({ who }) => <span class="mono">{who}</span> },
        { title: "Role", cell: ({ role }) => <Role role={role} /> },
        {
          title: "Given",
          cell: ({ createdAt, createdBy }) => (
            <>
              <Time at={createdAt} now={context.now} />
              <div class="quiet">by {createdBy}</div>
            </>
          ),
        },
        {
          title: "Take away",
          cell: ({ who }) => (
            <details>
              <summary>Remove…</summary>
              <p class="quiet">Whoever comes in by this rule alone loses the role at once.</p>
              <Form context={context} action="remove" isInline label={`Remove the rule for ${who}`}>
                <input type="hidden" name="who" value={who} />
                <button class="danger" type="submit">Remove the rule</button>
              </Form>
            </details>
          ),
        },
      ]}
    />
  );
}

function Role({ role }: { readonly role: string }) {
  return (
    <>
      <Badge tone={role === "owner" ? "warn" : "plain"}>{role}</Badge>
      <div class="quiet">{(ROLE_MEANINGS as Readonly<Record<string, string>>)[role]}</div>
    </>
  );
}

function Owners({ owners }: { readonly owners: readonly string[] }) {
  if (owners.length === 0) return null;
  return (
    <p class="quiet">
      Owners of the whole instance, named where Sluice is started (<code>SLUICE_OWNERS</code>):{" "}
      {owners.map((owner, index) => (
        <>
          {index === 0 ? "" : ", "}
          <span class="mono">{owner}</span>
        </>
      ))}
    </p>
  );
}

function Give({ context, sent }: { readonly context: PageContext; readonly sent: Sent | null }) {
  const problem = sent?.problem ?? null;
  const wrong = ["who", "role"].some((field) => errorOf(problem, field) !== null);
  return (
    <Form context={context} action="add">
      {problem === null || wrong ? null : <Notice kind="bad">{problem.title}</Notice>}
      <TextField
        name="who"
        label="Who"
        isRequired
        value={sent?.form.get("who") ?? ""}
        placeholder="github:org/acme"
        error={errorOf(problem, "who")}
        help={
          <>
            <code>github:octocat</code>, <code>github:org/acme</code>, <code>github:team/acme/security</code>,
            {" "}
            <code>oidc:ada@example.org</code>, <code>oidc:groups=platform</code>{" "}
            or any other claim and its value.
          </>
        }
      />
      <Select
        name="role"
        label="Role"
        value={sent?.form.get("role") ?? "viewer"}
        error={errorOf(problem, "role")}
        help={
          <>
            Each can do all that the ones above it can.
            {ROLES.map((role) => (
              <span class="does">
                <code>{role}</code> {ROLE_MEANINGS[role]}
              </span>
            ))}
          </>
        }
        options={ROLES.map((role) => ({ value: role, label: role }))}
      />
      <div class="buttons">
        <button type="submit">Give the role</button>
      </div>
    </Form>
  );
}

function People({ context, people }: { readonly context: PageContext; readonly people: readonly Person[] }) {
  if (people.length === 0) {
    return <Empty>Nobody with a role here has signed in within the last 90 days.</Empty>;
  }
  return (
    <Table
      caption="People who signed in within the last 90 days"
      rows={people}
      columns={[
        {
          title: "Who",
          cell: ({ user, provider }) => (
            <>
              {user}
              <div class="quiet">with {PROVIDERS[provider] ?? provider}</div>
            </>
          ),
        },
        {
          title: "Role now",
          cell: ({ role, ownsInstance }) => (
            <>
              {role}
              {ownsInstance ? <div class="quiet">of the whole instance</div> : null}
            </>
          ),
        },
        { title: "Signed in", cell: ({ signedInAt }) => <Time at={signedInAt} now={context.now} /> },
        { title: "Last used", cell: (person) => <Used person={person} context={context} /> },
        {
          title: "Sign out",
          cell: ({ id, user, sessions, ownsInstance }) =>
            sessions === 0 || (ownsInstance && !context.member.isInstanceOwner)
              ? <span class="quiet">-</span>
              : (
                <Form context={context} action="sign-out" isInline label={`Sign ${user} out everywhere`}>
                  <input type="hidden" name="id" value={id} />
                  <button class="danger" type="submit">Sign out everywhere</button>
                </Form>
              ),
        },
      ]}
    />
  );
}

function Used({ person: { usedAt, sessions }, context }: {
  readonly person: Person;
  readonly context: PageContext;
}) {
  if (usedAt === null) return <span class="quiet">no session is left</span>;
  return (
    <>
      <Time at={usedAt} now={context.now} />
      <div class="quiet">{sessions === 1 ? "one session" : `${sessions} sessions`}</div>
    </>
  );
}
