/** One package: its releases with verdict, its files, who has it, and what can be done. */
import type { AdminPage, PageContext, View } from "../page.ts";
import { Notice, Pager } from "../ui.tsx";
import { About, Releases, UsedBy } from "./about.tsx";
import { Actions } from "./actions.tsx";
import type { Came, Frozen, Package } from "./shapes.ts";

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
