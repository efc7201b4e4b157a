/** Every change by whom, when, from what to what, and from where. */
import type { ShownEntry } from "../api/audit_trail.ts";
import { respond, responseHeaders } from "../headers.ts";
import { utf8 } from "../text.ts";
import { wordsOf } from "./audit_words.ts";
import { ChangeLines } from "./change_lines.tsx";
import type { AdminPage, PageContext } from "./page.ts";
import { Empty, Pager, Table, Time } from "./ui.tsx";

export const AUDIT_TRAIL: AdminPage = {
  path: "audit",
  title: "Audit trail",
  scope: "audit",
  isInMenu: true,
  async show(context) {
    const { query, now, principal } = context;
    const isEverywhere = query.get("everywhere") === "true";
    const { entries, next } = await context.must<
      { readonly entries: readonly ShownEntry[]; readonly next: string | null }
    >("listAuditTrail", {
      query: { cursor: query.get("cursor"), limit: 50, everywhere: isEverywhere || null },
    });
    const body = (
      <>
        <p class="lead">Who changed what, and from where. Nothing here can be edited or taken away.</p>
        {principal.organisation === null ? <Whose context={context} isEverywhere={isEverywhere} /> : null}
        {entries.length === 0
          ? <Empty>Nothing was changed yet. The first change of a policy will be here.</Empty>
          : (
            <Table
              caption="Changes, the newest first"
              rows={entries}
              columns={[
                { title: "When", cell: ({ at }) => <Time at={at} now={now} /> },
                { title: "Who", cell: (entry) => <Who entry={entry} /> },
                ...(isEverywhere
                  ? [{
                    title: "Organisation",
                    cell: (entry: ShownEntry) => entry.organisation ?? "the instance",
                  }]
                  : []),
                { title: "What", cell: (entry) => <What entry={entry} context={context} /> },
              ]}
            />
          )}
        <Pager context={context} cursor={next} />
      </>
    );
    return { kind: "page", body };
  },
};

/** A download, since no page is made for a hundred thousand lines. */
export const AUDIT_ENTRY: AdminPage = {
  path: "audit/{id}",
  title: "Audit trail",
  scope: "audit",
  async show(context) {
    const { id = "" } = context.params;
    const entry = await context.must<ShownEntry>("getAuditEntry", { params: { id } });
    const { at, user, from, action, subject, changes } = entry;
    const head = `${at} ${user}${from === "" ? "" : ` from ${from}`}: ${wordsOf(action)} ${subject}`;
    const headers = responseHeaders({
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "content-disposition": `attachment; filename="audit-${entry.id}.txt"`,
    });
    const body = utf8([head, ...changes, ""].join("\n"));
    return { kind: "response", response: respond({ status: 200, headers, body }) };
  },
};

function Whose({ context, isEverywhere }: { readonly context: PageContext; readonly isEverywhere: boolean }) {
  return (
    <p>
      {isEverywhere
        ? <a href={context.here}>Only {context.organisation.id}</a>
        : <a href={`${context.here}?everywhere=true`}>Every organisation, and the instance itself</a>}
    </p>
  );
}

function Who({ entry: { user, from, principal } }: { readonly entry: ShownEntry }) {
  return (
    <>
      {user}
      <div class="quiet">{from === "" ? "on the machine itself" : from}, {kindOf(principal)}</div>
    </>
  );
}

function kindOf(principal: string): string {
  if (principal === "local") return "command line";
  return principal.startsWith("session:") ? "signed in" : "token";
}

function What({ entry, context }: { readonly entry: ShownEntry; readonly context: PageContext }) {
  const { id, action, subject, changes, changesLeftOut } = entry;
  return (
    <>
      <b>{wordsOf(action)}</b> {subject}
      {changes.length === 0 ? null : <ChangeLines lines={changes} />}
      {changesLeftOut === 0 ? null : (
        <p>
          <a href={context.path(["audit", id])}>
            All {changes.length + changesLeftOut} changes, as text
          </a>
        </p>
      )}
    </>
  );
}
