/** One package: its releases with verdict, its files, who has it, and what can be done. */
import { type AdminPage, errorOf, type PageContext, PageProblem, type View } from "../page.ts";
import { Empty, Notice, Pager } from "../ui.tsx";
import { About, UsedBy } from "./about.tsx";
import { Actions } from "./actions.tsx";
import { Entries } from "./entries.tsx";
import { NothingCached, Releases } from "./releases.tsx";
import type { Came, Package } from "./shapes.ts";

export const PACKAGE: AdminPage = {
  path: "packages/{purl...}",
  title: "Package",
  scope: "read",
  show,
  notices: {
    frozen: "Frozen: what is published from now on is withheld.",
    unfrozen: "No longer frozen.",
    purged: "What was cached of it is taken away; it is fetched anew when somebody asks for it.",
    looked: "It was looked up at its registry.",
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
    look: { scope: "operate", run: look },
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

async function show(context: PageContext): Promise<View> {
  try {
    return await page(context, null);
  } catch (error) {
    if (!(error instanceof PageProblem) || errorOf(error.problem, "path.purl") === null) throw error;
    const body = (
      <Empty>
        {error.message}. <a href={context.path(["packages"])}>All packages</a>
      </Empty>
    );
    return { kind: "page", title: "No such package", status: error.problem.status, body };
  }
}

function read(context: PageContext, query: { readonly limit: number; readonly cursor?: string | null }) {
  const params = { purl: context.params.purl ?? "" };
  return context.must<Package>("getPackage", { params, query: { ...query, uncached: true } });
}

/** Canonical, as the API writes it. */
async function purlOf(context: PageContext): Promise<string> {
  return (await read(context, { limit: 1 })).purl;
}

/** Fetches its index, and no file. */
async function look(context: PageContext, form: URLSearchParams): Promise<View> {
  const purl = await purlOf(context);
  const response = await context.open("prefetch", { body: { purls: [purl], dryRun: true } });
  const events = (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line) as LookEvent);
  const failed = events.find(({ kind, outcome }) => kind === "failed" || outcome === "failed");
  if (failed === undefined) return { kind: "redirect", to: `${context.here}?done=looked` };
  const title = failed.message ?? `${purl} could not be looked up`;
  return await page(context, { form, problem: { status: 422, code: "look-up-failed", title, errors: [] } });
}

interface LookEvent {
  readonly kind: string;
  readonly outcome?: string;
  readonly message?: string;
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
  const found = await read(context, { limit: 100, cursor: context.query.get("cursor") });
  const isCached = found.checkedAt !== null;
  const body = (
    <>
      {came === null ? null : <Notice kind="bad">{came.problem.title}</Notice>}
      <p class="lead">{found.description ?? ""}</p>
      <About context={context} found={found} />
      <h2>Releases</h2>
      {isCached
        ? <Releases context={context} releases={found.releases} />
        : <NothingCached context={context} />}
      <Pager context={context} cursor={found.next} />
      {found.entries === null || found.entries.length === 0
        ? null
        : <Entries context={context} found={found} entries={found.entries} />}
      {found.usedBy === null ? null : <UsedBy context={context} found={found} />}
      <Actions context={context} found={found} came={came} />
    </>
  );
  return { kind: "page", title: found.package, body, status: came?.problem.status ?? 200 };
}
