/** Every change by whom, when, from what to what, and from where. */
import type { ShownEntry } from "../api/audit_trail.ts";
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
                { title: "What", cell: (entry) => <What entry={entry} /> },
              ]}
            />
          )}
        <Pager context={context} cursor={next} />
      </>
    );
    return { kind: "page", body };
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

function What({ entry: { action, subject, changes } }: { readonly entry: ShownEntry }) {
  return (
    <>
      <b>{wordsOf(action)}</b> {subject}
      {changes.length === 0
        ? null
        : <ul class="plain mono">{changes.map((line) => <li class={toneOf(line)}>{line}</li>)}</ul>}
    </>
  );
}

/** `putPolicy` → `Put policy`. */
function wordsOf(action: string): string {
  const words = action.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function toneOf(line: string): string | undefined {
  if (line.startsWith("+")) return "added";
  return line.startsWith("-") ? "removed" : undefined;
}
