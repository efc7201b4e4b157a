/** Who installed what: an explorer whose filters stand in the address, and one link for "who has this version". */
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "./page.ts";
import { Chart } from "./chart.tsx";
import { Badge, count, Empty, Notice, Pager, Select, size, Table, TextField, Time } from "./ui.tsx";

interface Install {
  readonly at: string;
  readonly user: string | null;
  readonly address: string;
  readonly client: string;
  readonly clientVersion: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly file: string;
  readonly bytes: number;
  readonly outcome: "served" | "partial" | "refused" | "observed";
  readonly rule: string;
  readonly decisionId: string;
}

interface DayRow {
  readonly day?: string;
  readonly installs: number;
  readonly refused: number;
}

interface WhoRow {
  readonly ecosystem: string;
  readonly package: string;
  readonly user: string | null;
  readonly versions: readonly string[];
  readonly installs: number;
  readonly last: string;
}

/** The filters, as they stand in the address. */
const FILTERS = ["package", "version", "user", "ecosystem", "outcome", "since", "until"] as const;
const OUTCOMES = {
  served: { word: "served", tone: "good" },
  partial: { word: "broken off", tone: "plain" },
  refused: { word: "refused", tone: "bad" },
  observed: { word: "let through while observing", tone: "warn" },
} as const;
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
    const response = await context.open("exportInstalls", { query: { ...filtersOf(context), format } });
    response.headers.set("content-disposition", `attachment; filename="installs.${format}"`);
    return { kind: "response", response };
  },
};

/** Who has a package, or a version of it: one link to hand around. */
export const INSTALLS_WHO: AdminPage = {
  path: "installs/who",
  title: "Who has it",
  scope: "audit",
  async show(context) {
    const { package: name, version, ecosystem } = filtersOf(context);
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

function filtersOf({ query }: PageContext): Partial<Record<(typeof FILTERS)[number], string>> {
  return Object.fromEntries(
    FILTERS.flatMap((name) => {
      const value = query.get(name)?.trim();
      return value === undefined || value === "" ? [] : [[name, value]];
    }),
  );
}

async function show(context: PageContext): Promise<View> {
  const filters = filtersOf(context);
  const called = await context.call<{ readonly installs: readonly Install[]; readonly next: string | null }>(
    "listInstalls",
    { query: { ...filters, limit: 50, cursor: context.query.get("cursor") } },
  );
  if (!called.ok) {
    const { problem } = called;
    const body = (
      <>
        <Notice kind="bad">{problem.title}</Notice>
        <Filters context={context} problem={problem} />
      </>
    );
    return { kind: "page", status: problem.status, body };
  }
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

function Filters(
  { context, problem }: { readonly context: PageContext; readonly problem: CallProblem | null },
) {
  const filters = filtersOf(context);
  const field = (name: (typeof FILTERS)[number]) => ({
    name,
    value: filters[name] ?? "",
    error: errorOf(problem, name),
  });
  return (
    <form method="get" action={context.here} class="filters" role="search" aria-label="Filters">
      <TextField {...field("package")} label="Package" type="search" />
      <TextField {...field("version")} label="Version" />
      <TextField {...field("user")} label="User" />
      <TextField {...field("ecosystem")} label="Ecosystem" placeholder="npm" />
      <Select
        {...field("outcome")}
        label="Outcome"
        options={[
          { value: "", label: "any" },
          ...Object.entries(OUTCOMES).map(([value, { word }]) => ({ value, label: word })),
        ]}
      />
      <TextField {...field("since")} label="From" type="date" />
      <TextField {...field("until")} label="Until before" type="date" />
      <button type="submit">Look</button>
      {Object.keys(filters).length === 0 ? null : <a href={context.here}>All of them</a>}
    </form>
  );
}

/** Of all the organisation's installs: the index of days knows of no package. */
async function Days({ context }: { readonly context: PageContext }) {
  const { ecosystem } = filtersOf(context);
  const start = (Math.floor(context.now / DAY_MS) - DAYS + 1) * DAY_MS;
  const query = { by: "day", since: new Date(start).toISOString(), ecosystem, limit: DAYS };
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
      title="Installs and refusals by day, all packages"
      series={["installs", "refused"]}
      points={days}
    />
  );
}

function Records(
  { context, installs }: { readonly context: PageContext; readonly installs: readonly Install[] },
) {
  const { now } = context;
  return (
    <Table
      caption="Installs, the newest first"
      rows={installs}
      columns={[
        { title: "When", cell: ({ at }) => <Time at={at} now={now} /> },
        { title: "Package", cell: (install) => <Package context={context} install={install} /> },
        { title: "User", cell: (install) => <User context={context} install={install} /> },
        { title: "Client", cell: ({ client, clientVersion }) => `${client} ${clientVersion}` },
        { title: "Outcome", cell: (install) => <Outcome context={context} install={install} /> },
        {
          title: "Size",
          cell: ({ bytes, outcome }) => (outcome === "refused" ? "" : size(bytes)),
          isNumber: true,
        },
      ]}
    />
  );
}

function Package({ context, install }: { readonly context: PageContext; readonly install: Install }) {
  const { ecosystem, package: name, version, file } = install;
  return (
    <>
      <a href={context.path(["installs", "who"], { ecosystem, package: name, version })}>{name} {version}</a>
      <div class="quiet">{ecosystem}, {file}</div>
    </>
  );
}

function User(
  { context, install: { user, address } }: { readonly context: PageContext; readonly install: Install },
) {
  return (
    <>
      {user === null
        ? <span class="quiet">no name</span>
        : <a href={context.path(["installs"], { user })}>{user}</a>}
      <div class="quiet">{address}</div>
    </>
  );
}

function Outcome({ context, install }: { readonly context: PageContext; readonly install: Install }) {
  const { outcome, rule, ecosystem, package: name, version, decisionId } = install;
  const { word, tone } = OUTCOMES[outcome];
  const why = whyAddress(context, { ecosystem, name, version, decisionId });
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {rule === "" ? null : <div class="quiet">{why === null ? rule : <a href={why}>{rule}</a>}</div>}
    </>
  );
}

/** The why page of one install's decision; null: it was of no version. */
function whyAddress({ site }: PageContext, { ecosystem, name, version, decisionId }: {
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly decisionId: string;
}): string | null {
  if (version === "") return null;
  const path = [...name.split("/").slice(0, -1), `${name.split("/").at(-1)}@${version}`].map(
    encodeURIComponent,
  );
  return `${site}/-/why/pkg:${ecosystem}/${path.join("/")}?${new URLSearchParams({ decision: decisionId })}`;
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
