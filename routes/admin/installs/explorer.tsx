/** The install log: an explorer whose filters stand in the address. */
import { isDeepStrictEqual } from "node:util";
import { Chart } from "../chart.tsx";
import { type AdminPage, type CallProblem, type PageContext, PageProblem, type View } from "../page.ts";
import { Empty, Notice, Pager } from "../ui.tsx";
import { Filters, filtersOf, readFilters } from "./filters.tsx";
import { type Install, Records } from "./records.tsx";

interface DayRow {
  readonly day?: string;
  readonly installs: number;
  readonly refused: number;
}

const DAY_MS = 86_400_000;

const DAYS = 30;

export const INSTALLS: AdminPage = {
  path: "installs",
  title: "Installs",
  scope: "audit",
  isInMenu: true,
  show,
};

/** `/installs/export?format=csv`, with the filters of the page it is reached from. */
export const INSTALLS_EXPORT: AdminPage = {
  path: "installs/export",
  title: "Export",
  scope: "audit",
  async show(context) {
    const format = context.query.get("format") === "csv" ? "csv" : "ndjson";
    const filters = readFilters(context, { withPatterns: false });
    if ("problem" in filters) throw new PageProblem(filters.problem);
    const response = await context.open("exportInstalls", { query: { ...filters, format } });
    response.headers.set("content-disposition", `attachment; filename="installs.${format}"`);
    return { kind: "response", response };
  },
};

async function show(context: PageContext): Promise<View> {
  const filters = readFilters(context, { withPatterns: false });
  if ("problem" in filters) return failed(context, filters.problem);
  // One address for what is shown, so that the links below it and the fields say the same.
  if (!isDeepStrictEqual(filters, filtersOf(context))) {
    return { kind: "redirect", to: context.path(["installs"], filters) };
  }
  const called = await context.call<{ readonly installs: readonly Install[]; readonly next: string | null }>(
    "listInstalls",
    { query: { ...filters, limit: 50, cursor: context.query.get("cursor") } },
  );
  if (!called.ok) return failed(context, called.problem);
  const { installs, next } = called.body;
  const isFirst = !context.query.has("cursor");
  const body = (
    <>
      <Filters context={context} problem={null} />
      {isFirst ? await Days({ context }) : null}
      {installs.length === 0
        ? <Nothing context={context} hasMore={next !== null} />
        : <Records context={context} installs={installs} />}
      <Pager context={context} cursor={next} />
      {installs.length === 0 ? null : <Links context={context} />}
    </>
  );
  return { kind: "page", body };
}

/** What was written stays in its fields. */
function failed(context: PageContext, problem: CallProblem): View {
  const body = (
    <>
      <Notice kind="bad">{problem.title}</Notice>
      <Filters context={context} problem={problem} />
    </>
  );
  return { kind: "page", status: problem.status, body };
}

/** The last days before the filters' end, of all outcomes. */
async function Days({ context }: { readonly context: PageContext }) {
  const { outcome: _, since: __, until, ...filters } = filtersOf(context);
  const end = until === undefined ? context.now : Math.min(context.now, Date.parse(until) - 1);
  const start = (Math.floor(end / DAY_MS) - DAYS + 1) * DAY_MS;
  const query = { ...filters, by: "day", since: new Date(start).toISOString(), until, limit: DAYS };
  const { rows } = await context.must<{ readonly rows: readonly DayRow[] }>("countInstalls", { query });
  if (rows.length === 0) return null;
  const byDay = new Map(rows.map((row) => [row.day, row]));
  const days = Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(start + index * DAY_MS).toISOString().slice(0, 10);
    const row = byDay.get(day);
    return { label: day, values: [row?.installs ?? 0, row?.refused ?? 0] };
  });
  return (
    <Chart
      title={`Installs and refusals by day${Object.keys(filters).length === 0 ? ", all packages" : ""}`}
      series={["installs", "refused"]}
      points={days}
    />
  );
}

function Nothing({ context, hasMore }: { readonly context: PageContext; readonly hasMore: boolean }) {
  if (hasMore) {
    return <Empty>None of the last 5,000 looked at matches. The next page looks further back.</Empty>;
  }
  return Object.keys(filtersOf(context)).length > 0
    ? (
      <Empty>
        Nothing matches these filters. <a href={context.here}>Look at all of them</a>
      </Empty>
    )
    : (
      <Empty>
        Nothing was installed yet. <a href={`${context.site}/-/setup`}>The set-up page</a>{" "}
        has the line that points each client here.
      </Empty>
    );
}

function Links({ context }: { readonly context: PageContext }) {
  const filters = filtersOf(context);
  const { package: name, version, ecosystem } = filters;
  return (
    <p class="buttons">
      <a href={context.path(["installs", "export"], { ...filters, format: "csv" })}>Export as CSV</a>
      <a href={context.path(["installs", "export"], { ...filters, format: "ndjson" })}>Export as NDJSON</a>
      {name === undefined
        ? null
        : (
          <a href={context.path(["installs", "who"], { package: name, version, ecosystem })}>
            Who has {name} {version ?? ""}
          </a>
        )}
    </p>
  );
}
