/** The first page: what was installed and refused, what is held, whether all is well. */
import type { HeldAnswer } from "../api/held.ts";
import { Chart } from "./chart.tsx";
import { packageAddress } from "./packages/shapes.ts";
import type { AdminPage, PageContext } from "./page.ts";
import { Badge, Empty, FigureList, Form, Table, Time } from "./ui.tsx";
import { alertTitle, RuleName, upstreamWords } from "./words.tsx";
import { count } from "../text.ts";
import { sizeText } from "../../storage/cache/size_text.ts";

interface Stats {
  readonly since: string;
  readonly ecosystems: readonly {
    readonly ecosystem: string;
    readonly packages: number;
    readonly artifacts: number;
    readonly bytes: number;
    readonly hits: number;
    readonly misses: number;
    readonly installs: number;
    readonly refusals: number;
  }[];
  readonly days: readonly {
    readonly day: string;
    readonly installs: number;
    readonly refusals: number;
    readonly hits: number;
    readonly misses: number;
  }[];
  readonly upstreams: readonly { readonly day: string; readonly answered: number; readonly failed: number }[];
}

interface Refused {
  readonly at: string;
  readonly user: string | null;
  readonly address: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly rule: string;
}

interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly detail: string;
  readonly firstAt: string;
  readonly count: number;
  readonly acknowledgedBy: string | null;
}

interface Status {
  readonly storage: {
    readonly kvBytes: number | null;
    readonly cacheBytes: number;
    readonly limitBytes: number | null;
  };
  readonly upstreams: readonly {
    readonly origin: string;
    readonly state: "ok" | "failing" | "open";
    readonly asked: boolean;
  }[];
}

/** Of so many refusals it is told which are new; the same again and again is one row. */
const REFUSALS_LOOKED_AT = 200;
const ROWS = 10;

export const OVERVIEW: AdminPage = {
  path: "overview",
  title: "Overview",
  scope: "audit",
  isInMenu: true,
  async show(context) {
    const [stats, held, { installs: refused }] = await Promise.all([
      context.must<Stats>("stats", { query: { popular: 0, recent: 1 } }),
      context.must<HeldAnswer>("listHeld", { query: { limit: ROWS } }),
      context.must<{ readonly installs: readonly Refused[] }>("refusedInstalls", {
        query: { limit: REFUSALS_LOOKED_AT },
      }),
    ]);
    const body = (
      <>
        <Figures stats={stats} />
        {context.can("operate") ? await Alerts({ context }) : null}
        <Charts context={context} stats={stats} />
        <div class="grid news">
          <section aria-labelledby="held">
            <h2 id="held">Held now</h2>
            <HeldTable context={context} answer={held} />
          </section>
          <section aria-labelledby="refused">
            <h2 id="refused">Refused last</h2>
            <RefusedTable context={context} refused={refused} />
          </section>
          {context.can("operate") && context.principal.organisation === null
            ? await Instance({ context })
            : null}
        </div>
      </>
    );
    return { kind: "page", body };
  },
  notices: { acknowledged: "The others who look here see that you know." },
  actions: {
    acknowledge: {
      scope: "operate",
      async run(context, form) {
        await context.must("acknowledgeAlert", { params: { id: form.get("id") ?? "" }, body: {} });
        return { kind: "redirect", to: context.path(["overview"], { done: "acknowledged" }) };
      },
    },
  },
};

/** The cache is shared: what is said of it is no organisation's own. */
const ALL = "of all organisations";

function Figures({ stats: { ecosystems } }: { readonly stats: Stats }) {
  const sum = (key: "installs" | "refusals" | "hits" | "misses" | "packages" | "bytes") =>
    ecosystems.reduce((total, row) => total + row[key], 0);
  const asked = sum("hits") + sum("misses");
  const figures = [
    ["Installs", count(sum("installs")), "in 30 days"],
    ["Refusals", count(sum("refusals")), "in 30 days"],
    ["Hit rate", asked === 0 ? "-" : `${Math.round(100 * sum("hits") / asked)} %`, `in 30 days, ${ALL}`],
    ["Packages cached", count(sum("packages")), ALL],
    ["Cached", sizeText(sum("bytes")), ALL],
  ] as const;
  return <FigureList figures={figures} />;
}

function Charts({ context, stats }: { readonly context: PageContext; readonly stats: Stats }) {
  const days = daysOf(stats, context.now);
  if (days.every(({ installs, refusals, hits, misses }) => installs + refusals + hits + misses === 0)) {
    return (
      <Empty>
        Nothing was installed yet. <a href={`${context.site}/-/setup`}>The set-up page</a>{" "}
        has the line that points each client here; the first install shows here within a minute.
      </Empty>
    );
  }
  return (
    <div class="grid charts">
      <Chart
        title="Installs and refusals by day"
        series={["installs", "refused"]}
        points={days.map(({ day, installs, refusals }) => ({ label: day, values: [installs, refusals] }))}
      />
      <Chart
        title="Requests, of all organisations"
        series={["from the cache", "from upstream"]}
        tones={["good", "plain"]}
        points={days.map(({ day, hits, misses }) => ({ label: day, values: [hits, misses] }))}
      />
      <Chart
        title="Requests to upstreams, of all organisations"
        series={["answered", "failed"]}
        points={days.map(({ day }) => {
          const row = stats.upstreams.find((each) => each.day === day);
          return { label: day, values: [row?.answered ?? 0, row?.failed ?? 0] };
        })}
      />
    </div>
  );
}

type Day = Stats["days"][number];
const DAY_MS = 86_400_000;

/** Every day once, all ecosystems together, the oldest first; days without anything among them. */
function daysOf({ since, days }: Stats, now: number): readonly Day[] {
  const byDay = new Map<string, Day>();
  for (let at = Date.parse(since); at <= now; at += DAY_MS) {
    const day = new Date(at).toISOString().slice(0, 10);
    byDay.set(day, { day, installs: 0, refusals: 0, hits: 0, misses: 0 });
  }
  for (const row of days) {
    const known = byDay.get(row.day);
    if (known === undefined) continue;
    byDay.set(row.day, {
      day: row.day,
      installs: known.installs + row.installs,
      refusals: known.refusals + row.refusals,
      hits: known.hits + row.hits,
      misses: known.misses + row.misses,
    });
  }
  return [...byDay.values()];
}

function HeldTable({ context, answer }: { readonly context: PageContext; readonly answer: HeldAnswer }) {
  const { held, packages: { looked, uncached } } = answer;
  if (held.length === 0) {
    return (
      <>
        <Empty>
          {looked > 0 && uncached === looked
            ? "What is held is not known: nothing is cached of what was asked for lately."
            : "Nothing of what was asked for lately is being held."}
        </Empty>
        <HeldBounds answer={answer} />
      </>
    );
  }
  return (
    <>
      <Table
        caption="Held now, the next to mature first"
        rows={held}
        columns={[
          {
            title: "Release",
            cell: ({ purl, package: name, version }) => (
              <a href={packageAddress(context, purl)}>{name} {version}</a>
            ),
          },
          { title: "Rule", cell: ({ rule }) => <RuleName rule={rule} /> },
          { title: "Matures", cell: ({ maturesAt }) => <Time at={maturesAt} now={context.now} /> },
        ]}
      />
      <HeldBounds answer={answer} />
    </>
  );
}

function HeldBounds({ answer: { held, total, packages } }: { readonly answer: HeldAnswer }) {
  const { looked, of, uncached, more } = packages;
  if (of === 0) return null;
  return (
    <p class="quiet">
      {total > held.length ? `And ${count(total - held.length)} more. ` : ""}
      Looked at {count(looked)} of {more ? "more than " : ""}
      {count(of)} package{of === 1 ? "" : "s"} that {of === 1 ? "was" : "were"} asked for lately
      {uncached === 0 ? "" : `; of ${count(uncached)} of them nothing is cached`}.
    </p>
  );
}

interface RefusedRow extends Refused {
  readonly times: number;
}

/** The same release, for the same reason, to the same person: once, with its newest time; the newest first. */
function grouped(refused: readonly Refused[]): readonly RefusedRow[] {
  const rows = new Map<string, RefusedRow>();
  for (const each of refused) {
    const { ecosystem, package: name, version, rule, user, address } = each;
    const key = JSON.stringify([ecosystem, name, version, rule, user ?? address]);
    const known = rows.get(key);
    rows.set(key, { ...(known ?? each), times: (known?.times ?? 0) + 1 });
  }
  return [...rows.values()];
}

function RefusedTable(
  { context, refused }: { readonly context: PageContext; readonly refused: readonly Refused[] },
) {
  if (refused.length === 0) return <Empty>Nothing was refused lately.</Empty>;
  return (
    <>
      <Table
        caption="Refusals, the newest first"
        rows={grouped(refused).slice(0, ROWS)}
        columns={[
          { title: "Release", cell: (row) => <RefusedRelease context={context} row={row} /> },
          { title: "Whom", cell: ({ user, address }) => user ?? address },
          {
            title: "Last",
            cell: ({ at, times }) => (
              <>
                <Time at={at} now={context.now} />
                {times === 1 ? null : <div class="quiet">{count(times)} times</div>}
              </>
            ),
          },
        ]}
      />
      <p>
        <a href={context.path(["installs"], { outcome: "refused" })}>All refusals</a>
      </p>
    </>
  );
}

function RefusedRelease({ context, row }: { readonly context: PageContext; readonly row: Refused }) {
  const { ecosystem, package: name, version } = row;
  const type = context.purlType(ecosystem);
  const words = version === "" ? name : `${name} ${version}`;
  const purl = version === "" ? `pkg:${type}/${name}` : `pkg:${type}/${name}@${version}`;
  return (
    <>
      {type === undefined ? words : <a href={context.path(["packages", ...purl.split("/")])}>{words}</a>}
      <div class="quiet">
        {ecosystem}, <RuleName rule={row.rule} />
      </div>
    </>
  );
}

async function Alerts({ context }: { readonly context: PageContext }) {
  const { alerts } = await context.must<{ readonly alerts: readonly Alert[] }>("listAlerts");
  return (
    <>
      <h2>Alerts</h2>
      {alerts.length === 0 ? <Empty>All is well: nothing is wrong that Sluice knows of.</Empty> : (
        <Table
          caption="Alerts"
          rows={alerts}
          columns={[
            {
              title: "What",
              cell: ({ kind, detail }) => (
                <>
                  <span title={kind}>
                    <Badge tone="bad">{alertTitle(kind)}</Badge>
                  </span>{" "}
                  <span class="detail">{detail}</span>
                </>
              ),
            },
            { title: "Since", cell: ({ firstAt }) => <Time at={firstAt} now={context.now} /> },
            { title: "Times", cell: (alert) => count(alert.count), isNumber: true },
            {
              title: "Known to",
              cell: ({ id, kind, acknowledgedBy }) =>
                acknowledgedBy ?? (
                  <Form context={context} action="acknowledge" isInline label={`I know: ${alertTitle(kind)}`}>
                    <input type="hidden" name="id" value={id} />
                    <button class="quiet" type="submit">I know</button>
                  </Form>
                ),
            },
          ]}
        />
      )}
    </>
  );
}

async function Instance({ context }: { readonly context: PageContext }) {
  const { storage, upstreams } = await context.must<Status>("status");
  const { cacheBytes, limitBytes, kvBytes } = storage;
  return (
    <section aria-labelledby="instance">
      <h2 id="instance">Disk and upstreams</h2>
      <dl class="facts">
        <div>
          <dt>Cached, of all organisations</dt>
          <dd>{sizeText(cacheBytes)}{limitBytes === null ? "" : ` of ${sizeText(limitBytes)}`}</dd>
        </div>
        <div>
          <dt>Database</dt>
          <dd>{kvBytes === null ? "elsewhere" : sizeText(kvBytes)}</dd>
        </div>
        {upstreams.map((upstream) => (
          <div>
            <dt>{upstream.origin}</dt>
            <dd>{upstreamWords(upstream)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
