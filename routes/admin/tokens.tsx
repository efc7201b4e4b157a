/** Tokens: everybody makes and revokes their own to install with; an owner sees and makes all. */
import { SCOPE_MEANINGS, SCOPES } from "../../storage/tokens.ts";
import {
  type Action,
  type AdminPage,
  type CallProblem,
  errorOf,
  type PageContext,
  type View,
} from "./page.ts";
import { Badge, Empty, Field, Form, Notice, Select, Table, TextField, Time } from "./ui.tsx";

interface Token {
  readonly id: string;
  readonly user: string;
  readonly organisation: string | null;
  readonly scopes: readonly string[];
  readonly description: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

interface Made {
  readonly secret: string;
  readonly token: Token;
}

/** What was sent and did not do, or what it made. */
interface Sent {
  readonly form: URLSearchParams;
  readonly problem: CallProblem | null;
  readonly made: Made | null;
}

const ENDS = [
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
];
const OWNERS_ENDS = [...ENDS, { value: "", label: "not by itself" }];
const DAY_MS = 86_400_000;

export const TOKENS: AdminPage = {
  path: "tokens",
  title: "Tokens",
  scope: "audit",
  isInMenu: true,
  show: (context) => page(context, null),
  notices: { revoked: "The token was revoked: it is good for nothing within a second." },
  actions: {
    "make-own": making("createOwnToken", (form) => ({
      description: form.get("description") ?? "",
      days: Number(form.get("days") ?? "90"),
    })),
    "revoke-own": revoking("revokeOwnToken", "audit"),
    "make": {
      ...making("createToken", (form, context) => ({
        user: form.get("user") ?? "",
        description: form.get("description") ?? "",
        scopes: form.getAll("scopes"),
        expiresAt: form.get("days") === ""
          ? null
          : new Date(context.now + Number(form.get("days") ?? "90") * DAY_MS).toISOString(),
      })),
      scope: "admin",
    },
    "revoke": revoking("revokeToken", "admin"),
  },
};

function making(id: string, bodyOf: (form: URLSearchParams, context: PageContext) => unknown): Action {
  return {
    scope: "audit",
    async run(context, form) {
      const made = await context.call<Made>(id, { body: bodyOf(form, context) });
      return await page(context, {
        form,
        problem: made.ok ? null : made.problem,
        made: made.ok ? made.body : null,
      });
    },
  };
}

function revoking(id: string, scope: Action["scope"]): Action {
  return {
    scope,
    async run(context, form) {
      await context.must(id, { params: { id: form.get("id") ?? "" } });
      return { kind: "redirect", to: context.path(["tokens"], { done: "revoked" }) };
    },
  };
}

async function page(context: PageContext, sent: Sent | null): Promise<View> {
  const own = await context.must<{ readonly tokens: readonly Token[] }>("listOwnTokens");
  const all = context.can("admin")
    ? await context.must<{ readonly tokens: readonly Token[] }>("listTokens")
    : null;
  const body = (
    <>
      {sent?.made === null || sent?.made === undefined ? null : <Secret made={sent.made} />}
      {sent?.problem === null || sent?.problem === undefined
        ? null
        : <Notice kind="bad">{sent.problem.title}</Notice>}
      <h2>Your own</h2>
      <div class="beside">
        <div>
          <p>
            To install packages with, where this organisation asks for a token. Put it into your client as
            {" "}
            <a href={`${context.site}/-/setup`}>the set-up page</a> says.
          </p>
          <TokenTable context={context} tokens={own.tokens} action="revoke-own" caption="Your own tokens" />
        </div>
        <MakeOwn context={context} sent={sent} />
      </div>
      {all === null ? null : (
        <>
          <h2>All of this organisation</h2>
          <TokenTable context={context} tokens={all.tokens} action="revoke" caption="All tokens" />
          <MakeAny context={context} sent={sent} />
        </>
      )}
    </>
  );
  return { kind: "page", body, status: sent?.problem?.status ?? 200 };
}

/** The only time that it is seen. */
function Secret({ made: { secret, token } }: { readonly made: Made }) {
  return (
    <Notice kind="good">
      <p>
        A token for <b>{token.user}</b>. Copy it now: it is shown this once, and kept nowhere.
      </p>
      <pre class="mono" tabindex={0}>{secret}</pre>
    </Notice>
  );
}

function TokenTable({ context, tokens, action, caption }: {
  readonly context: PageContext;
  readonly tokens: readonly Token[];
  readonly action: string;
  readonly caption: string;
}) {
  if (tokens.length === 0) return <Empty>There is no token. Make one here: its secret is shown once.</Empty>;
  const { now } = context;
  return (
    <Table
      caption={caption}
      rows={tokens}
      columns={[
        {
          title: "Token",
          cell: (token) => (
            <>
              {token.description === "" ? token.user : token.description}
              <div class="quiet mono">{token.id}</div>
            </>
          ),
        },
        { title: "For", cell: (token) => <Holder token={token} /> },
        { title: "Made", cell: (token) => <MadeAt token={token} now={now} /> },
        { title: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} now={now} /> },
        { title: "Ends", cell: (token) => <Ends token={token} now={now} /> },
        {
          title: "Revoke",
          cell: ({ id, description, user }) => (
            <Form context={context} action={action} isInline label={`Revoke ${description || user}`}>
              <input type="hidden" name="id" value={id} />
              <button class="danger" type="submit">Revoke</button>
            </Form>
          ),
        },
      ]}
    />
  );
}

function Holder({ token: { user, organisation, scopes } }: { readonly token: Token }) {
  return (
    <>
      {user}
      <div class="quiet">
        {scopes.join(", ")}
        {organisation === null ? " on the whole instance" : ""}
      </div>
    </>
  );
}

function MadeAt(
  { token: { createdAt, createdBy }, now }: { readonly token: Token; readonly now: PageContext["now"] },
) {
  return (
    <>
      <Time at={createdAt} now={now} />
      <div class="quiet">by {createdBy}</div>
    </>
  );
}

function Ends({ token: { expiresAt }, now }: { readonly token: Token; readonly now: PageContext["now"] }) {
  if (expiresAt === null) return <span class="quiet">not by itself</span>;
  const left = Date.parse(expiresAt) - now;
  if (left <= 0) return <Badge tone="bad">expired</Badge>;
  return (
    <>
      <Time at={expiresAt} now={now} />
      {left < 14 * DAY_MS ? <Badge tone="warn">soon</Badge> : null}
    </>
  );
}

function MakeOwn({ context, sent }: { readonly context: PageContext; readonly sent: Sent | null }) {
  const mine = sent?.form.get("action") === "make-own" && sent.problem !== null ? sent : null;
  const value = (name: string) => mine?.form.get(name) ?? "";
  const error = (name: string) => errorOf(mine?.problem ?? null, name);
  return (
    <Form context={context} action="make-own" label="Make a token of your own">
      <TextField
        name="description"
        label="What it is for"
        help="So that you know later which to revoke: laptop, build server."
        value={value("description")}
        error={error("description")}
      />
      <Select name="days" label="Ends" options={ENDS} value={value("days") || "90"} error={error("days")} />
      <div class="buttons">
        <button type="submit">Make a token</button>
      </div>
    </Form>
  );
}

function MakeAny({ context, sent }: { readonly context: PageContext; readonly sent: Sent | null }) {
  const theirs = sent?.form.get("action") === "make" && sent.problem !== null ? sent : null;
  const chosen = theirs?.form.getAll("scopes") ?? ["read"];
  const error = (name: string) => errorOf(theirs?.problem ?? null, name);
  return (
    <details open={theirs !== null} class="card">
      <summary>Make a token for somebody else, or for a machine</summary>
      <Form context={context} action="make" label="Make a token for somebody else">
        <TextField
          name="user"
          label="User"
          help="Whom the install log names: a person, or a machine such as ci."
          value={theirs?.form.get("user") ?? ""}
          error={error("user")}
          isRequired
        />
        <TextField
          name="description"
          label="Description"
          value={theirs?.form.get("description") ?? ""}
          error={error("description")}
          id="any-description"
        />
        <Field name="scopes" label="What it may do" error={error("scopes")} isGroup>
          {SCOPES.map((scope) => (
            <label class="choice">
              <input type="checkbox" name="scopes" value={scope} checked={chosen.includes(scope)} />
              <span>
                {scope} <span class="quiet">{SCOPE_MEANINGS[scope]}</span>
              </span>
            </label>
          ))}
        </Field>
        <Select
          name="days"
          label="Ends"
          options={OWNERS_ENDS}
          value={theirs?.form.get("days") ?? "90"}
          error={error("expiresAt")}
          id="any-days"
        />
        <div class="buttons">
          <button type="submit">Make the token</button>
        </div>
      </Form>
    </details>
  );
}
