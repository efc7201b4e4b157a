/** What is cached: found by name; and of one package its releases with verdict, files, and who has them. */
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "./page.ts";
import { Badge, count, Empty, Form, Notice, Pager, Select, size, Table, TextField, Time } from "./ui.tsx";

interface Row {
  readonly ecosystem: string;
  readonly package: string;
  readonly purl: string;
  readonly description: string | null;
}

interface Release {
  readonly version: string;
  readonly purl: string;
  readonly publishedAt: string | null;
  readonly firstSeenAt: string | null;
  readonly publisher: string | null;
  readonly verdict: "allow" | "warn" | "hold" | "deny";
  readonly rule: string | null;
  readonly reason: string | null;
  readonly maturesAt: string | null;
  readonly files: readonly {
    readonly name: string;
    readonly cached: { readonly sizeBytes: number; readonly digest: string } | null;
  }[];
}

interface Package extends Row {
  readonly newestAllowed: string | null;
  readonly firstSeenAt: string | null;
  readonly checkedAt: string;
  readonly releases: readonly Release[];
  readonly usedBy:
    | readonly {
      readonly user: string | null;
      readonly versions: readonly string[];
      readonly installs: number;
      readonly last: string;
    }[]
    | null;
  readonly next: string | null;
}

interface Frozen {
  readonly purl: string;
  readonly at: string;
  readonly reason: string | null;
  readonly owner: string | null;
  readonly until: string | null;
}

const VERDICTS = {
  allow: { word: "allowed", tone: "good" },
  warn: { word: "warned of", tone: "warn" },
  hold: { word: "held", tone: "warn" },
  deny: { word: "denied", tone: "bad" },
} as const;

export const PACKAGES: AdminPage = {
  path: "packages",
  title: "Packages",
  scope: "read",
  isInMenu: true,
  async show(context) {
    const words = context.query.get("q")?.trim() ?? "";
    const found = await list(context, words);
    const body = (
      <>
        <form method="get" action={context.here} class="filters" role="search" aria-label="Packages">
          <TextField name="q" label="Name or description" type="search" value={words} />
          <button type="submit">Search</button>
        </form>
        {found.packages.length === 0 ? <NoPackages context={context} words={words} /> : (
          <Table
            caption="Packages"
            rows={found.packages}
            columns={[
              {
                title: "Package",
                cell: (row) => <a href={packageAddress(context, row.purl)}>{row.package}</a>,
              },
              { title: "Ecosystem", cell: ({ ecosystem }) => ecosystem },
              { title: "Description", cell: ({ description }) => description ?? "" },
            ]}
          />
        )}
        <Pager context={context} cursor={found.next ?? null} />
      </>
    );
    return { kind: "page", body };
  },
};

interface Found {
  readonly packages: readonly Row[];
  readonly next?: string | null;
}

/** All of them by name, or those that the words find. */
function list(context: PageContext, words: string): Promise<Found> {
  if (words !== "") return context.must<Found>("search", { query: { q: words, limit: 100 } });
  return context.must<Found>("listPackages", { query: { limit: 100, cursor: context.query.get("cursor") } });
}

/** Among these pages, by its parts: a purl's own escapes are taken off once. */
export function packageAddress(context: PageContext, purl: string): string {
  return context.path(["packages", ...purl.split("/").map(decodeURIComponent)]);
}

function NoPackages({ context, words }: { readonly context: PageContext; readonly words: string }) {
  return words === ""
    ? (
      <Empty>
        Nothing is cached yet. <a href={`${context.site}/-/setup`}>Point a client here</a>{" "}
        and install something: it will be listed.
      </Empty>
    )
    : (
      <Empty>
        Nothing that is cached is called so. A package is listed once somebody has asked for it.{" "}
        <a href={context.path(["packages"])}>All packages</a>
      </Empty>
    );
}

interface Came {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

export const PACKAGE: AdminPage = {
  path: "packages/{purl...}",
  title: "Package",
  scope: "read",
  show: (context) => page(context, null),
  notices: {
    frozen: "Frozen: what is published from now on is withheld.",
    unfrozen: "No longer frozen.",
    purged: "What was cached of it is taken away; it is fetched anew when somebody asks for it.",
    blocked: "Blocked, in force within a second.",
    allowed: "Allowed, in force within a second.",
  },
  actions: {
    freeze: {
      scope: "policy",
      run: (context, form) =>
        done(
          context,
          form,
          "frozen",
          (purl) =>
            context.call("freezePackage", { body: { purl, reason: form.get("reason") || undefined } }),
        ),
    },
    unfreeze: {
      scope: "policy",
      run: (context, form) =>
        done(context, form, "unfrozen", (purl) => context.call("unfreezePackage", { body: { purl } })),
    },
    purge: {
      scope: "operate",
      run: (context, form) =>
        done(context, form, "purged", (purl) => context.call("purgeCache", { body: { what: purl } })),
    },
    override: { scope: "policy", run: override },
  },
};

async function done(
  context: PageContext,
  form: URLSearchParams,
  notice: string,
  work: (purl: string) => ReturnType<PageContext["call"]>,
): Promise<View> {
  const called = await work(await purlOf(context));
  if (!called.ok) return await page(context, { form, problem: called.problem });
  return { kind: "redirect", to: `${context.here}?done=${notice}` };
}

/** Canonical, as the API writes it. */
async function purlOf(context: PageContext): Promise<string> {
  const params = { purl: context.params.purl ?? "" };
  return (await context.must<Package>("getPackage", { params, query: { limit: 1 } })).purl;
}

/** One more entry in the policy's overrides, upon the revision that was read. */
async function override(context: PageContext, form: URLSearchParams): Promise<View> {
  const params = { organisation: context.organisation.id };
  const { revision, document } = await context.must<
    { readonly revision: number; readonly document: { readonly overrides?: readonly unknown[] } }
  >("getPolicy", { params });
  const version = form.get("version") ?? "";
  const purl = await purlOf(context);
  const effect = form.get("effect") === "allow" ? "allow" : "deny";
  const given = (name: string) => form.get(name)?.trim() || undefined;
  const entry = {
    purl: version === "" ? purl : `${purl}@${encodeURIComponent(version)}`,
    effect,
    reason: given("reason"),
    owner: context.member.user,
    until: given("until"),
  };
  const called = await context.call("putPolicy", {
    params,
    body: {
      document: { ...document, overrides: [...document.overrides ?? [], entry] },
      expectedRevision: revision,
      message: `${effect === "allow" ? "allowed" : "blocked"} ${entry.purl}`,
    },
  });
  if (!called.ok) return await page(context, { form, problem: called.problem });
  return { kind: "redirect", to: `${context.here}?done=${effect === "allow" ? "allowed" : "blocked"}` };
}

async function page(context: PageContext, came: Came | null): Promise<View> {
  const purl = context.params.purl ?? "";
  const found = await context.must<Package>("getPackage", {
    params: { purl },
    query: { limit: 100, cursor: context.query.get("cursor") },
  });
  const frozen = context.can("policy")
    ? (await context.must<{ readonly frozen: readonly Frozen[] }>("listFrozen", {
      query: { purl: found.purl },
    }))
      .frozen[0] ?? null
    : null;
  const body = (
    <>
      {came === null ? null : <Notice kind="bad">{came.problem.title}</Notice>}
      <p class="lead">{found.description ?? ""}</p>
      <About context={context} found={found} frozen={frozen} />
      <h2>Releases</h2>
      <Releases context={context} releases={found.releases} />
      <Pager context={context} cursor={found.next} />
      {found.usedBy === null ? null : <UsedBy context={context} found={found} />}
      <Actions context={context} found={found} frozen={frozen} came={came} />
    </>
  );
  return { kind: "page", title: found.package, body, status: came?.problem.status ?? 200 };
}

function About({ context, found, frozen }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly frozen: Frozen | null;
}) {
  const { now } = context;
  return (
    <dl class="facts">
      <div>
        <dt>Package</dt>
        <dd class="mono">
          <a
            href={`${context.site}/-/why/${found.purl}`}
          >
            {found.purl}
          </a>
        </dd>
      </div>
      <div>
        <dt>Newest allowed</dt>
        <dd>{found.newestAllowed ?? "no release is"}</dd>
      </div>
      <div>
        <dt>Confirmed by upstream</dt>
        <dd>
          <Time at={found.checkedAt} now={now} />, first seen here <Time at={found.firstSeenAt} now={now} />
        </dd>
      </div>
      {frozen === null ? null : (
        <div>
          <dt>Frozen</dt>
          <dd>
            at <Time at={frozen.at} now={now} /> by {frozen.owner ?? "nobody"}
            {frozen.reason === null ? "" : `: ${frozen.reason}`}
          </dd>
        </div>
      )}
    </dl>
  );
}

function Releases(
  { context, releases }: { readonly context: PageContext; readonly releases: readonly Release[] },
) {
  if (releases.length === 0) return <Empty>There is no such release.</Empty>;
  const { now } = context;
  return (
    <Table
      caption="Releases, the highest version first"
      rows={releases}
      columns={[
        {
          title: "Version",
          cell: ({ version, publisher }) => (
            <>
              {version}
              {publisher === null ? null : <div class="quiet">by {publisher}</div>}
            </>
          ),
        },
        {
          title: "Published",
          cell: ({ publishedAt, firstSeenAt }) =>
            publishedAt === null
              ? (
                <span class="quiet">
                  no date; seen <Time at={firstSeenAt} now={now} />
                </span>
              )
              : <Time at={publishedAt} now={now} />,
        },
        { title: "Verdict", cell: (release) => <Verdict release={release} now={now} /> },
        { title: "Files cached", cell: ({ files }) => <Files files={files} /> },
      ]}
    />
  );
}

function Verdict({ release, now }: { readonly release: Release; readonly now: PageContext["now"] }) {
  const { word, tone } = VERDICTS[release.verdict];
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {release.maturesAt === null ? null : (
        <>
          matures <Time at={release.maturesAt} now={now} />
        </>
      )}
      {release.reason === null ? null : <div class="quiet">{release.reason} ({release.rule})</div>}
    </>
  );
}

function Files({ files }: { readonly files: Release["files"] }) {
  const cached = files.filter((file) => file.cached !== null);
  if (cached.length === 0) return <span class="quiet">none of {count(files.length)}</span>;
  return (
    <details>
      <summary>
        {count(cached.length)} of {count(files.length)},{" "}
        {size(cached.reduce((sum, file) => sum + (file.cached?.sizeBytes ?? 0), 0))}
      </summary>
      <ul class="plain">
        {cached.map(({ name, cached }) => (
          <li>
            {name} <div class="quiet mono">{cached?.digest ?? ""}</div>
          </li>
        ))}
      </ul>
    </details>
  );
}

function UsedBy({ context, found }: { readonly context: PageContext; readonly found: Package }) {
  const { usedBy, package: name, ecosystem } = found;
  return (
    <>
      <h2>Who has it</h2>
      {usedBy === null || usedBy.length === 0 ? <Empty>Nobody here was served any of it.</Empty> : (
        <>
          <Table
            caption="Who has it"
            rows={usedBy.slice(0, 20)}
            columns={[
              { title: "User", cell: ({ user }) => user ?? "callers without a name" },
              { title: "Versions", cell: ({ versions }) => versions.join(", ") },
              { title: "Installs", cell: ({ installs }) => count(installs), isNumber: true },
              { title: "Last", cell: ({ last }) => <Time at={last} now={context.now} /> },
            ]}
          />
          <p>
            <a href={context.path(["installs", "who"], { package: name, ecosystem })}>
              All of them, to hand around
            </a>
          </p>
        </>
      )}
    </>
  );
}

function Actions({ context, found, frozen, came }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly frozen: Frozen | null;
  readonly came: Came | null;
}) {
  const { can, principal } = context;
  if (!can("policy") && !can("operate")) return null;
  const sent = (action: string) => came?.form.get("action") === action ? came : null;
  return (
    <>
      <h2>What can be done</h2>
      <div class="grid">
        {can("policy") ? <Override context={context} found={found} came={sent("override")} /> : null}
        {can("policy") ? <Freezing context={context} frozen={frozen} came={sent("freeze")} /> : null}
        {can("operate") && principal.organisation === null ? <Purging context={context} /> : null}
      </div>
    </>
  );
}

function Override({ context, found, came }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly came: Came | null;
}) {
  const value = (name: string) => came?.form.get(name) ?? "";
  const error = (name: string) =>
    came?.problem.errors.find(({ field }) =>
      field.startsWith("body.document.overrides") && field.endsWith(name)
    )
      ?.message ?? null;
  return (
    <section class="card" aria-label="Block or allow">
      <h3>Block or allow</h3>
      <Form context={context} action="override" label="Block or allow">
        <Select
          name="effect"
          label="What to do"
          options={[{ value: "deny", label: "Block it" }, { value: "allow", label: "Allow it" }]}
          value={value("effect") || "deny"}
        />
        <Select
          name="version"
          label="Which"
          options={[
            { value: "", label: "every version" },
            ...found.releases.slice(0, 50).map(({ version }) => ({ value: version, label: version })),
          ]}
          value={value("version")}
          error={error("purl")}
        />
        <TextField name="reason" label="Why" value={value("reason")} error={error("reason")} />
        <TextField
          name="until"
          type="date"
          label="Until"
          help="Empty: until somebody takes it back."
          value={value("until")}
          error={error("until")}
        />
        <div class="buttons">
          <button type="submit">Write it into the policy</button>
        </div>
      </Form>
    </section>
  );
}

function Freezing({ context, frozen, came }: {
  readonly context: PageContext;
  readonly frozen: Frozen | null;
  readonly came: Came | null;
}) {
  return (
    <section class="card" aria-label="Freeze">
      <h3>{frozen === null ? "Freeze" : "Frozen"}</h3>
      {frozen === null
        ? (
          <Form context={context} action="freeze" label="Freeze">
            <TextField
              name="reason"
              id="freeze-reason"
              label="Why"
              help="Whatever is published from now on is withheld, with this reason."
              value={came?.form.get("reason") ?? ""}
              error={errorOf(came?.problem ?? null, "reason")}
            />
            <div class="buttons">
              <button type="submit">Freeze it as it is</button>
            </div>
          </Form>
        )
        : (
          <Form context={context} action="unfreeze" label="Unfreeze">
            <p>Newer releases are withheld.</p>
            <div class="buttons">
              <button type="submit">Let newer releases through again</button>
            </div>
          </Form>
        )}
    </section>
  );
}

function Purging({ context }: { readonly context: PageContext }) {
  return (
    <section class="card" aria-label="Purge">
      <h3>Purge</h3>
      <p>
        Takes away what is cached of it, for every organisation. It is fetched anew when somebody asks for it.
      </p>
      <details>
        <summary>Purge it</summary>
        <Form context={context} action="purge" label="Purge">
          <div class="buttons">
            <button class="danger" type="submit">Yes, purge it</button>
          </div>
        </Form>
      </details>
    </section>
  );
}
