/** Every revision with author, time and difference; any of them is written back as the newest with one button. */
import type { AdminPage, CallProblem, PageContext, View } from "../page.ts";
import { Badge, Empty, Form, Notice, Table, Time } from "../ui.tsx";
import { Changes, Tabs } from "./frame.tsx";
import {
  current,
  type DocumentKind,
  historyOf,
  paramsOf,
  pathOf,
  type Revisioned,
  revisionOf,
  type RevisionRow,
} from "./kinds.ts";

export function historyPages(kind: DocumentKind): readonly AdminPage[] {
  const path = `${kind.path}/history`;
  const common = {
    title: kind.title,
    ...(kind.kind === "floor" ? { scope: "policy", isForInstance: true } : { scope: "audit" }),
    notices: { restored: "Restored, as the newest revision. It is in force within a second." },
    actions: { restore: { scope: "policy", run: (context, form) => restored(context, kind, form) } },
  } as const satisfies Partial<AdminPage>;
  return [
    { ...common, path, show: (context) => listPage(context, kind, null) },
    { ...common, path: `${path}/{revision}`, show: (context) => onePage(context, kind) },
  ];
}

/** Upon the revision that was shown as the newest: whoever wrote one since is not written over. */
async function restored(context: PageContext, kind: DocumentKind, form: URLSearchParams): Promise<View> {
  const called = await context.call(kind.ids.restore, {
    params: paramsOf(context, kind),
    body: { revision: Number(form.get("restored")), expectedRevision: Number(form.get("newest")) },
  });
  if (!called.ok) return await listPage(context, kind, called.problem);
  return { kind: "redirect", to: pathOf(context, `${kind.path}/history`, { done: "restored" }) };
}

async function listPage(
  context: PageContext,
  kind: DocumentKind,
  problem: CallProblem | null,
): Promise<View> {
  const rows = await historyOf(context, kind);
  const newest = rows[0]?.revision ?? 0;
  const body = (
    <>
      <Tabs context={context} kind={kind} path={`${kind.path}/history`} />
      {problem === null ? null : <Notice kind="bad">{problem.title}. Nothing was restored.</Notice>}
      {rows.length === 0
        ? <Empty>It was never written. Save something, and who, when and what stands here.</Empty>
        : (
          <Table
            caption="Revisions, the newest first"
            rows={rows}
            columns={[
              { title: "Revision", cell: (row) => <Link context={context} kind={kind} row={row} /> },
              { title: "When", cell: ({ at }) => <Time at={at} now={context.now} /> },
              { title: "By", cell: ({ author }) => author },
              { title: "What for", cell: ({ message }) => message },
              {
                title: context.can("policy") ? "Restore" : "State",
                cell: ({ revision }) =>
                  revision === newest
                    ? <Badge tone="good">in force</Badge>
                    : !context.can("policy")
                    ? null
                    : <Restore context={context} kind={kind} revision={revision} newest={newest} />,
              },
            ]}
          />
        )}
    </>
  );
  return { kind: "page", status: problem?.status ?? 200, body };
}

function Link({ context, kind, row: { revision } }: {
  readonly context: PageContext;
  readonly kind: DocumentKind;
  readonly row: RevisionRow;
}) {
  return (
    <a href={pathOf(context, `${kind.path}/history/${revision}`)}>
      {revision} <span class="unseen">: what changed</span>
    </a>
  );
}

function Restore({ context, kind, revision, newest }: {
  readonly context: PageContext;
  readonly kind: DocumentKind;
  readonly revision: number;
  readonly newest: number;
}) {
  const here = { ...context, here: pathOf(context, `${kind.path}/history`) };
  return (
    <Form context={here} action="restore" isInline label={`Restore revision ${revision}`}>
      <input type="hidden" name="restored" value={String(revision)} />
      <input type="hidden" name="newest" value={String(newest)} />
      <button class="quiet" type="submit" aria-label={`Restore revision ${revision}`}>Restore</button>
    </Form>
  );
}

async function onePage(context: PageContext, kind: DocumentKind): Promise<View> {
  const written = context.params.revision ?? "";
  const number = /^[1-9]\d{0,8}$/.test(written) ? Number(written) : 1_000_000_000;
  const [shown, newest] = await Promise.all([revisionOf(context, kind, number), current(context, kind)]);
  const before = await previousOf(context, kind, number);
  const title = `${kind.title}: revision ${number}`;
  const body = (
    <>
      <Tabs context={context} kind={kind} path={`${kind.path}/history`} />
      <p class="lead">
        By <b>{shown.author}</b>, <Time at={shown.at} now={context.now} />
        {shown.message === "" ? "." : `: ${shown.message}`}
      </p>
      <h2>What it changed</h2>
      {before === null
        ? <p class="quiet">The revision before it is kept no more.</p>
        : <Changes before={before.document} after={shown.document} none={UNSEEN} />}
      {number === newest.revision ? <p>It is the one in force.</p> : (
        <>
          <h2>What restoring it would change</h2>
          <Changes before={newest.document} after={shown.document} none={UNSEEN} />
          {context.can("policy")
            ? <Restore context={context} kind={kind} revision={number} newest={newest.revision} />
            : null}
        </>
      )}
      <details>
        <summary>All of it</summary>
        <Whole document={shown.document} revision={number} />
      </details>
      <p>
        <a href={pathOf(context, `${kind.path}/history`)}>All revisions</a>
      </p>
    </>
  );
  return { kind: "page", title, body };
}

/** Longer, a browser would rather not show it. */
const MAX_SHOWN = 200_000;

function Whole({ document, revision }: { readonly document: unknown; readonly revision: number }) {
  const text = JSON.stringify(document, null, 2);
  if (text.length <= MAX_SHOWN) return <pre class="mono code" tabindex={0}>{text}</pre>;
  return (
    <p>
      It is too long to be shown here: <code>deno task org show --revision {revision}</code> writes it.
    </p>
  );
}

const UNSEEN = "Nothing that is shown: it says the same, but for the addresses of webhooks.";

/** null: it is not kept any more. */
async function previousOf(
  context: PageContext,
  kind: DocumentKind,
  number: number,
): Promise<Pick<Revisioned, "document"> | null> {
  if (number <= 1) return { document: {} };
  const params = paramsOf(context, kind);
  const called = await context.call<Revisioned>(kind.ids.get, { params, query: { revision: number - 1 } });
  return called.ok ? called.body : null;
}
