/** Who has a package, or a version of it: one link to hand around. */
import { type AdminPage, type PageContext, PageProblem } from "../page.ts";
import { Empty, Table, Time } from "../ui.tsx";
import { count } from "../../text.ts";
import { readFilters } from "./filters.tsx";

interface WhoRow {
  readonly ecosystem: string;
  readonly package: string;
  readonly user: string | null;
  readonly versions: readonly string[];
  readonly installs: number;
  readonly last: string;
}

/** Who has a package, or a version of it: one link to hand around. */
export const INSTALLS_WHO: AdminPage = {
  path: "installs/who",
  title: "Who has it",
  scope: "audit",
  async show(context) {
    const filters = readFilters(context, { withPatterns: true });
    if ("problem" in filters) throw new PageProblem(filters.problem);
    const { package: name, version, ecosystem } = filters;
    if (name === undefined) {
      return {
        kind: "page",
        body: (
          <Empty>
            Name a package: <a href={context.path(["installs"])}>Installs</a>
          </Empty>
        ),
      };
    }
    const query = { package: name, version, ecosystem, limit: 1_000 };
    const { rows } = await context.must<{ readonly rows: readonly WhoRow[] }>("whoInstalled", { query });
    const what = version === undefined ? name : `${name} ${version}`;
    return {
      kind: "page",
      title: `Who has ${what}`,
      body: <Who context={context} rows={rows} what={what} />,
    };
  },
};

function Who({ context, rows, what }: {
  readonly context: PageContext;
  readonly rows: readonly WhoRow[];
  readonly what: string;
}) {
  if (rows.length === 0) return <Empty>Nobody here was served {what}.</Empty>;
  return (
    <>
      <p class="lead">
        {count(rows.length)} of this organisation. The address of this page can be handed around.
      </p>
      <Table
        caption={`Who has ${what}`}
        rows={rows}
        columns={[
          {
            title: "User",
            cell: ({ user }) =>
              user === null
                ? <span class="quiet">callers without a name</span>
                : <a href={context.path(["installs"], { user })}>{user}</a>,
          },
          { title: "Versions", cell: ({ versions }) => versions.join(", ") },
          { title: "Ecosystem", cell: ({ ecosystem }) => ecosystem },
          { title: "Installs", cell: ({ installs }) => count(installs), isNumber: true },
          { title: "Last", cell: ({ last }) => <Time at={last} now={context.now} /> },
        ]}
      />
    </>
  );
}
