/** Every organisation of the instance: made and deleted here, by its owners. */
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "./page.ts";
import { Empty, Form, Notice, Table, TextField, Time } from "./ui.tsx";

interface Organisation {
  readonly id: string;
  readonly revision: number;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
}

interface Sent {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

/** There from the first start; the API does not delete it. */
const ALWAYS = "default";

export const ORGANISATIONS: AdminPage = {
  path: "organisations",
  title: "Organisations",
  scope: "admin",
  isForInstance: true,
  isInMenu: true,
  show: (context) => page(context, null),
  notices: {
    made: "The organisation was made, with every default.",
    deleted: "The organisation was deleted; its install log stays.",
  },
  actions: {
    create: {
      scope: "admin",
      async run(context, form) {
        const body = { id: form.get("id")?.trim() ?? "" };
        const called = await context.call("createOrganisation", { body });
        if (!called.ok) return await page(context, { form, problem: called.problem });
        return { kind: "redirect", to: context.path(["organisations"], { done: "made" }) };
      },
    },
    delete: {
      scope: "admin",
      async run(context, form) {
        const organisation = form.get("id") ?? "";
        if (form.get("confirmed")?.trim() !== organisation) {
          const title = `To delete ${JSON.stringify(organisation)}, write its name`;
          const errors = [{ field: "confirmed", message: "this is not its name" }];
          return await page(context, {
            form,
            problem: { status: 400, code: "not-confirmed", title, errors },
          });
        }
        const called = await context.call("deleteOrganisation", { params: { organisation } });
        if (!called.ok) return await page(context, { form, problem: called.problem });
        const place = context.organisation.id === organisation ? ALWAYS : context.organisation.id;
        return {
          kind: "redirect",
          to: `${context.prefix}/-/admin/${encodeURIComponent(place)}/organisations?done=deleted`,
        };
      },
    },
  },
};

async function page(context: PageContext, sent: Sent | null): Promise<View> {
  const { organisations } = await context.must<{ readonly organisations: readonly Organisation[] }>(
    "listOrganisations",
  );
  const making = sent?.form.get("action") === "create" ? sent : null;
  const body = (
    <>
      <p class="lead">
        Each has a policy, tokens, members and an install log of its own. Its registry is below{" "}
        <code>/o/NAME/</code>, the default one's at the base address.
      </p>
      {sent === null ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
      <Table
        caption="Organisations"
        rows={organisations}
        columns={[
          {
            title: "Organisation",
            cell: ({ id }) => <a href={`${context.prefix}/-/admin/${encodeURIComponent(id)}`}>{id}</a>,
          },
          { title: "Made", cell: (each) => <Made context={context} organisation={each} /> },
          { title: "Policy changed", cell: ({ updatedAt }) => <Time at={updatedAt} now={context.now} /> },
          { title: "Revision", isNumber: true, cell: ({ revision }) => String(revision) },
          {
            title: "Delete",
            cell: ({ id }) =>
              id === ALWAYS
                ? <span class="quiet">always there</span>
                : <Delete context={context} id={id} sent={sent} />,
          },
        ]}
      />
      {organisations.length === 1 ? <Empty>One is enough for many. Make another below.</Empty> : null}
      <h2>Make an organisation</h2>
      <Form context={context} action="create" label="Make an organisation">
        <TextField
          name="id"
          label="Name"
          help="1 to 63 of a to z, 0 to 9 and -, as in a host name. It cannot be changed."
          value={making?.form.get("id") ?? ""}
          error={making === null ? null : errorOf(making.problem, "id") ?? making.problem.title}
          isRequired
        />
        <div class="buttons">
          <button type="submit">Make it</button>
        </div>
      </Form>
    </>
  );
  return { kind: "page", status: sent?.problem.status ?? 200, body };
}

function Made({ context, organisation: { createdAt, createdBy } }: {
  readonly context: PageContext;
  readonly organisation: Organisation;
}) {
  return (
    <>
      <Time at={createdAt} now={context.now} />
      <div class="quiet">by {createdBy}</div>
    </>
  );
}

/** What goes does not come back: its name is asked for once more. */
function Delete({ context, id, sent }: {
  readonly context: PageContext;
  readonly id: string;
  readonly sent: Sent | null;
}) {
  const mine = sent?.form.get("action") === "delete" && sent.form.get("id") === id ? sent : null;
  return (
    <details open={mine !== null}>
      <summary aria-label={`Delete ${id}`}>Delete</summary>
      <Form context={context} action="delete" label={`Delete ${id}`}>
        <input type="hidden" name="id" value={id} />
        <TextField
          name="confirmed"
          id={`confirmed-${id}`}
          label={`Write ${id} to confirm`}
          help="Its policy, history, waivers, freezes and tokens go, and do not come back."
          value={mine?.form.get("confirmed") ?? ""}
          error={mine === null ? null : errorOf(mine.problem, "confirmed")}
          isRequired
        />
        <div class="buttons">
          <button class="danger" type="submit">Delete {id}</button>
        </div>
      </Form>
    </details>
  );
}
