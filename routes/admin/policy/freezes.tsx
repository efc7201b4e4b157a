/** Freezes: packages held at what they were, listed, added and lifted. */
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "../page.ts";
import { packageAddress } from "../packages/shapes.ts";
import { Empty, Form, Notice, Table, TextField, Time } from "../ui.tsx";
import { Tabs } from "./frame.tsx";
import { pathOf, POLICY } from "./kinds.ts";

interface Freeze {
  readonly purl: string;
  readonly at: string;
  readonly reason: string | null;
  readonly owner: string | null;
  readonly until: string | null;
}

interface Sent {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

const PATH = "policy/freezes";
const FIELDS = ["purl", "at", "until", "reason"] as const;

export const POLICY_FREEZES: AdminPage = {
  path: PATH,
  title: "Policy",
  scope: "audit",
  show: (context) => page(context, null),
  notices: {
    frozen: "Frozen: within a second, newer releases are withheld.",
    lifted: "Lifted: within a second, newer releases are offered again.",
  },
  actions: {
    freeze: {
      scope: "policy",
      async run(context, form) {
        const given = FIELDS.flatMap((name) => {
          const value = form.get(name)?.trim() ?? "";
          return value === "" ? [] : [[name, value] as const];
        });
        const body = { purl: "", ...Object.fromEntries(given) };
        const called = await context.call("freezePackage", { body: { ...body, purl: purlOf(body.purl) } });
        if (!called.ok) return await page(context, { form, problem: called.problem });
        return { kind: "redirect", to: pathOf(context, PATH, { done: "frozen" }) };
      },
    },
    lift: {
      scope: "policy",
      async run(context, form) {
        await context.must("unfreezePackage", { body: { purl: form.get("purl") ?? "" } });
        return { kind: "redirect", to: pathOf(context, PATH, { done: "lifted" }) };
      },
    },
  },
};

/** `npm/left-pad` will do. */
function purlOf(written: string): string {
  return written === "" || written.startsWith("pkg:") ? written : `pkg:${written}`;
}

async function page(context: PageContext, sent: Sent | null): Promise<View> {
  const { frozen } = await context.must<{ readonly frozen: readonly Freeze[] }>("listFrozen");
  const mayEdit = context.can("policy");
  const body = (
    <>
      <Tabs context={context} kind={POLICY} path={PATH} />
      <p class="lead">
        A frozen package stays what it was at an instant: what came later is withheld, with your reason.
      </p>
      {frozen.length === 0
        ? (
          <Empty>
            Nothing is frozen.
            {mayEdit ? " Freeze a package below, as of now or of one of its releases." : ""}
          </Empty>
        )
        : <Frozen context={context} frozen={frozen} />}
      {mayEdit
        ? (
          <>
            <h2>Freeze a package</h2>
            {sent === null ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
            <Add context={context} sent={sent} />
          </>
        )
        : null}
    </>
  );
  return { kind: "page", status: sent?.problem.status ?? 200, body };
}

function Frozen({ context, frozen }: { readonly context: PageContext; readonly frozen: readonly Freeze[] }) {
  const { now } = context;
  return (
    <Table
      caption="Frozen packages"
      rows={frozen}
      columns={[
        {
          title: "Package",
          cell: ({ purl }) => <a class="mono" href={packageAddress(context, purl)}>{purl}</a>,
        },
        { title: "As of", cell: ({ at }) => <Time at={at} now={now} /> },
        {
          title: "Until",
          cell: ({ until }) => until === null ? "it is lifted" : <Time at={until} now={now} />,
        },
        { title: "By", cell: ({ owner }) => owner ?? "" },
        { title: "Reason", cell: ({ reason }) => reason ?? "" },
        ...(context.can("policy")
          ? [{
            title: "Lift",
            cell: ({ purl }: Freeze) => (
              <Form context={context} action="lift" isInline label={`Lift the freeze of ${purl}`}>
                <input type="hidden" name="purl" value={purl} />
                <button class="danger" type="submit" aria-label={`Lift the freeze of ${purl}`}>Lift</button>
              </Form>
            ),
          }]
          : []),
      ]}
    />
  );
}

function Add({ context, sent }: { readonly context: PageContext; readonly sent: Sent | null }) {
  const field = (name: (typeof FIELDS)[number]) => ({
    name,
    value: sent?.form.get(name) ?? "",
    error: errorOf(sent?.problem ?? null, name),
  });
  return (
    <Form context={context} action="freeze" label="Freeze a package">
      <TextField
        {...field("purl")}
        label="Package"
        help={
          <>
            Such as{" "}
            <code>npm/left-pad</code>; with a version (<code>npm/left-pad@1.3.0</code>) as of when that
            release was published.
          </>
        }
        isRequired
      />
      <TextField
        {...field("at")}
        label="As of"
        help="A day or an instant that is past, such as 2026-03-01 or 2026-03-01T12:00:00Z; empty: now."
      />
      <TextField {...field("until")} label="Until" help="A day or an instant; empty: until it is lifted." />
      <TextField {...field("reason")} label="Reason" help="Shown to whoever is refused." />
      <div class="buttons">
        <button type="submit">Freeze</button>
      </div>
    </Form>
  );
}
