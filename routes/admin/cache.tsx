/** What is cached, how full it is, what is kept whatever happens, and what may go. */
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "./page.ts";
import { Empty, FigureList, Form, Notice, Table, TextField, Time } from "./ui.tsx";
import { upstreamWords } from "./words.tsx";
import { count } from "../text.ts";
import { sizeText } from "../../storage/cache/size_text.ts";

interface Usage {
  readonly bytes: number | null;
  readonly blobs: number | null;
  readonly maxBytes: number | null;
}

interface Pin {
  readonly purl: string;
  readonly reason: string;
  readonly owner: string;
  readonly at: string;
}

interface Purged {
  readonly dryRun: boolean;
  readonly packages: number;
  readonly documents: number;
  readonly files: number;
  readonly bytes: number;
  readonly items: readonly Gone[];
}

/** A file, or (null) a package's documents. */
interface Gone {
  readonly purl: string | null;
  readonly name: string;
  readonly file: string | null;
  readonly bytes: number;
}

/** Rows that a look at a purge shows. */
const MOST_SHOWN = 50;

/** Of the same days as the overview's, so that one number stands on both. */
interface Stats {
  readonly ecosystems: readonly { readonly hits: number; readonly misses: number }[];
}

interface Status {
  readonly storage: { readonly kvBytes: number | null; readonly artifacts: number };
  readonly upstreams: readonly {
    readonly origin: string;
    readonly state: "ok" | "failing" | "open";
    readonly asked: boolean;
    readonly lastError: string | null;
    readonly lastErrorAt: string | null;
  }[];
}

/** What came of a form. */
interface Came {
  readonly form: URLSearchParams;
  readonly problem: CallProblem | null;
  /** What a purge took, or would take. */
  readonly purged: Purged | null;
}

export const CACHE: AdminPage = {
  path: "cache",
  title: "Cache",
  scope: "operate",
  isForInstance: true,
  isInMenu: true,
  show: (context) => page(context, null),
  notices: {
    pinned: "It is kept now, whatever is evicted.",
    unpinned: "It may be evicted again.",
  },
  actions: {
    look: { scope: "operate", run: (context, form) => purge(context, form, true) },
    purge: { scope: "operate", run: (context, form) => purge(context, form, false) },
    pin: {
      scope: "operate",
      async run(context, form) {
        const body = { purl: form.get("purl") ?? "", reason: form.get("reason") ?? "" };
        const called = await context.call("pin", { body });
        if (!called.ok) return await page(context, { form, problem: called.problem, purged: null });
        return { kind: "redirect", to: context.path(["cache"], { done: "pinned" }) };
      },
    },
    unpin: {
      scope: "operate",
      async run(context, form) {
        await context.must("unpin", { body: { purl: form.get("purl") ?? "" } });
        return { kind: "redirect", to: context.path(["cache"], { done: "unpinned" }) };
      },
    },
  },
};

async function purge(context: PageContext, form: URLSearchParams, dryRun: boolean): Promise<View> {
  const given = (name: string) => form.get(name)?.trim() || undefined;
  const body = {
    what: given("what"),
    before: given("before"),
    unusedSince: given("unusedSince"),
    all: form.get("all") === "yes",
    dryRun,
  };
  const called = await context.call<Purged>("purgeCache", { body });
  return await page(context, {
    form,
    problem: called.ok ? null : called.problem,
    purged: called.ok ? called.body : null,
  });
}

async function page(context: PageContext, came: Came | null): Promise<View> {
  const [usage, { pins }, status, stats] = await Promise.all([
    context.must<Usage>("cacheUsage"),
    context.must<{ readonly pins: readonly Pin[] }>("listPins"),
    context.must<Status>("status"),
    context.must<Stats>("stats"),
  ]);
  const body = (
    <>
      {came?.problem === null || came?.problem === undefined
        ? null
        : <Notice kind="bad">{came.problem.title}</Notice>}
      {came?.purged === null || came?.purged === undefined ? null : <Took purged={came.purged} />}
      <Figures usage={usage} status={status} stats={stats} />
      <h2>Upstreams</h2>
      <Upstreams context={context} status={status} />
      <div class="beside">
        <div>
          <h2>Kept, whatever is evicted</h2>
          <Pins context={context} pins={pins} came={came} />
        </div>
        <div>
          <h2>Take away</h2>
          <p>
            What is taken away is fetched anew when somebody asks for it. Policies, tokens and the install log
            stay.
          </p>
          <Purge context={context} came={came} />
        </div>
      </div>
    </>
  );
  return { kind: "page", body, status: came?.problem?.status ?? 200 };
}

function Figures({ usage, status, stats: { ecosystems } }: {
  readonly usage: Usage;
  readonly status: Status;
  readonly stats: Stats;
}) {
  const { bytes, blobs, maxBytes } = usage;
  const hits = ecosystems.reduce((sum, row) => sum + row.hits, 0);
  const asked = ecosystems.reduce((sum, row) => sum + row.hits + row.misses, 0);
  const figures = [
    ["Cached", bytes === null ? "not counted yet" : sizeText(bytes)],
    ["Bound", maxBytes === null ? "none" : sizeText(maxBytes)],
    ["Files", blobs === null ? "-" : count(blobs), "and documents"],
    ["Hit rate", asked === 0 ? "-" : `${Math.round(100 * hits / asked)} %`, "in 30 days"],
    ["Database", status.storage.kvBytes === null ? "elsewhere" : sizeText(status.storage.kvBytes)],
  ] as const;
  return (
    <>
      <FigureList figures={figures} />
      {bytes === null || maxBytes === null ? null : (
        <p>
          <meter min={0} max={maxBytes} value={bytes} aria-label="How full the cache is">
            {Math.round(100 * bytes / maxBytes)} %
          </meter>
        </p>
      )}
    </>
  );
}

function Upstreams(
  { context, status: { upstreams } }: { readonly context: PageContext; readonly status: Status },
) {
  if (upstreams.length === 0) return <Empty>No upstream was asked since this process was started.</Empty>;
  return (
    <Table
      caption="Upstreams"
      rows={upstreams}
      columns={[
        { title: "Origin", cell: ({ origin }) => origin },
        { title: "State", cell: upstreamWords },
        {
          title: "Last error",
          cell: ({ lastError, lastErrorAt }) =>
            lastError === null ? <span class="quiet">none</span> : (
              <>
                {lastError}, <Time at={lastErrorAt} now={context.now} />
              </>
            ),
        },
      ]}
    />
  );
}

function Pins({ context, pins, came }: {
  readonly context: PageContext;
  readonly pins: readonly Pin[];
  readonly came: Came | null;
}) {
  const mine = came?.form.get("action") === "pin" ? came : null;
  return (
    <>
      {pins.length === 0
        ? <Empty>Nothing is pinned. What is frozen by an organisation stays anyhow.</Empty>
        : (
          <Table
            caption="Pinned packages"
            rows={pins}
            columns={[
              { title: "Package", cell: ({ purl }) => <span class="mono">{purl}</span> },
              { title: "Why", cell: ({ reason }) => reason },
              { title: "By", cell: ({ owner }) => owner },
              { title: "Since", cell: ({ at }) => <Time at={at} now={context.now} /> },
              {
                title: "Let go",
                cell: ({ purl }) => (
                  <Form context={context} action="unpin" isInline label={`Let ${purl} go`}>
                    <input type="hidden" name="purl" value={purl} />
                    <button class="quiet" type="submit">Let go</button>
                  </Form>
                ),
              },
            ]}
          />
        )}
      <Form context={context} action="pin" label="Keep a package">
        <TextField
          name="purl"
          label="Package"
          help="pkg:npm/left-pad, or with @1.3.0 that release."
          value={mine?.form.get("purl") ?? ""}
          error={errorOf(mine?.problem ?? null, "purl")}
          isRequired
        />
        <TextField
          name="reason"
          label="Why"
          value={mine?.form.get("reason") ?? ""}
          error={errorOf(mine?.problem ?? null, "reason")}
        />
        <div class="buttons">
          <button type="submit">Keep it</button>
        </div>
      </Form>
    </>
  );
}

function Took({ purged }: { readonly purged: Purged }) {
  const { dryRun, packages, documents, files, bytes } = purged;
  const what = `${count(files)} files and ${count(documents)} records of documents, of ${
    count(packages)
  } packages, ${sizeText(bytes)} in all`;
  return dryRun
    ? (
      <>
        <Notice kind="note">This would take away {what}. Nothing was touched yet.</Notice>
        <GoneTable purged={purged} />
      </>
    )
    : <Notice kind="good">Taken away: {what}.</Notice>;
}

/** What would go, by name. */
function GoneTable({ purged: { items, documents, files } }: { readonly purged: Purged }) {
  const shown = items.slice(0, MOST_SHOWN);
  const left = documents + files - shown.length;
  if (shown.length === 0) return null;
  return (
    <>
      <Table
        caption="What would go"
        rows={shown}
        columns={[
          { title: "Package", cell: ({ purl, name }) => <span class="mono">{purl ?? name}</span> },
          {
            title: "File",
            cell: ({ file }) => file === null ? <span class="quiet">its documents</span> : file,
          },
          { title: "Size", isNumber: true, cell: ({ bytes }) => sizeText(bytes) },
        ]}
      />
      {left > 0 ? <p>And {count(left)} more.</p> : null}
    </>
  );
}

/** Looked at first: only then is there a button that does it. */
function Purge({ context, came }: { readonly context: PageContext; readonly came: Came | null }) {
  const mine = came !== null && ["look", "purge"].includes(came.form.get("action") ?? "") ? came : null;
  const value = (name: string) => mine?.form.get(name) ?? "";
  const error = (name: string) => errorOf(mine?.problem ?? null, name);
  return (
    <>
      <Form context={context} action="look" label="See what would go">
        <TextField
          name="what"
          label="Package or ecosystem"
          help="pkg:npm/left-pad, or npm. Empty: whatever the two dates below say."
          value={value("what")}
          error={error("what")}
        />
        <TextField
          name="before"
          type="date"
          label="Not confirmed by upstream since"
          value={value("before")}
          error={error("before")}
        />
        <TextField
          name="unusedSince"
          type="date"
          label="Not used since"
          value={value("unusedSince")}
          error={error("unusedSince")}
        />
        <label class="choice">
          <input type="checkbox" name="all" value="yes" checked={value("all") === "yes"} />
          <span>Everything</span>
        </label>
        <div class="buttons">
          <button class="quiet" type="submit">See what would go</button>
        </div>
      </Form>
      {mine?.purged?.dryRun === true
        ? (
          <Form context={context} action="purge" label="Take it away">
            {["what", "before", "unusedSince", "all"].map((name) => (
              <input type="hidden" name={name} value={value(name)} />
            ))}
            <div class="buttons">
              <button class="danger" type="submit">Take it away</button>
            </div>
          </Form>
        )
        : null}
    </>
  );
}
