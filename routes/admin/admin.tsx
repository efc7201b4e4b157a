/** `/-/admin/{organisation}/…`: who may see which page, forms that are ours, and one frame around all of them. */
import type { OrganisationView, OrganisationViews } from "../../storage/organisations.ts";
import type { Clock, Timers } from "../../storage/runtime.ts";
import { holds } from "../../storage/tokens.ts";
import type { Api } from "../api/api.ts";
import { ApiError } from "../api/error.ts";
import { createMatcher } from "../api/match.ts";
import { principalOf, type ReadSession, type SignedIn } from "../auth/signed_in.ts";
import { respond, responseHeaders } from "../headers.ts";
import { RequestError } from "../problem.ts";
import type { PeerOf } from "../peer.ts";
import type { SiteBindings } from "../site.tsx";
import type { SiteTarget } from "../target.ts";
import { createCalls } from "./call.ts";
import { mustBeOurs, readForm } from "./forms.ts";
import { adminPage, plainPage } from "./layout.tsx";
import type { PageEcosystem } from "./package_text.ts";
import { type AdminPage, isFor, type PageContext, PageProblem, type View } from "./page.ts";

export interface AdminDeps {
  readonly base: URL;
  readonly api: Api;
  readonly views: Pick<OrganisationViews, "view">;
  readonly pages: readonly AdminPage[];
  readonly ecosystems: readonly PageEcosystem[];
  readonly readSession: ReadSession;
  readonly peerOf: PeerOf;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Answers everything below `/-/admin`. */
export type Admin = (request: Request, bindings: SiteBindings) => Promise<Response>;

/** What somebody sees who comes without saying which page. */
const FIRST_PAGE = "overview";

/** Throws TypeError for two pages at one path. */
export function createAdmin(deps: AdminDeps): Admin {
  const { api, base, clock, pages } = deps;
  const prefix = base.pathname.replace(/\/+$/, "");
  const root = `${base.origin}${prefix}`;
  const match = createMatcher(pages.map((page) => ({ method: "GET", path: `/${page.path}`, page })));

  return async function admin(request, { target, info }) {
    const below = target.segments.slice(2).filter((segment) => segment !== "");
    // One host, one cookie: an organisation's own address has no pages of this kind.
    if (target.organisation !== null) return redirect(`${root}/-/admin/${target.organisation}`);
    const member = await deps.readSession(request, info);
    if (member === null) return target.method === "POST" ? await signedOutMeanwhile() : askToSignIn(target);
    const [organisation, ...parts] = below;
    const from = deps.peerOf(info, request.headers);
    if (organisation === undefined) return await atTheDoor(member, from);
    const view = await deps.views.view(organisation);
    const principal = principalOf(member, organisation);
    if (view === null || principal === null) {
      return await plainPage({ ...noRole(member, organisation), prefix, member, status: 403 });
    }
    const found = match("GET", parts.length === 0 ? [FIRST_PAGE] : parts);
    if (found.kind !== "found") {
      return await plainPage({ ...noPage(organisation, prefix), prefix, member, status: 404 });
    }
    const { page } = found.endpoint;
    const isOwnPage = page.isForInstance !== true;
    const context = contextOf(target, { member, view, params: found.params, below, from, isOwnPage });
    return await shown(page, context, await viewOf(page, context, request, target));
  };

  async function viewOf(
    page: AdminPage,
    context: PageContext,
    request: Request,
    target: SiteTarget,
  ): Promise<View> {
    try {
      if (!isFor(page, context)) throw forbidden(page);
      if (target.method !== "POST") return await page.show(context);
      return await act(page, context, request);
    } catch (error) {
      const problem = problemOf(error);
      if (problem === null) throw error;
      return { kind: "page", title: problem.heading, status: problem.status, body: <p>{problem.text}</p> };
    }
  }

  async function act(page: AdminPage, context: PageContext, request: Request): Promise<View> {
    const form = await readForm(request, deps.timers);
    mustBeOurs(request, { base, form, member: context.member });
    const name = form.get("action") ?? "";
    const actions = page.actions ?? {};
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      throw new RequestError(
        400,
        "no-such-action",
        `There is no action ${JSON.stringify(name)} on this page.`,
      );
    }
    // The API asks again; asked here, nothing of the form is looked at.
    if (!context.can(action.scope)) throw forbidden(action);
    return await action.run(context, form);
  }

  async function shown(page: AdminPage, context: PageContext, view: View): Promise<Response> {
    switch (view.kind) {
      case "response":
        return view.response;
      case "redirect":
        return redirect(view.to);
      case "page":
        return await adminPage({ page, pages, context, view });
    }
  }

  /** Whoever has one organisation goes there; else a list. */
  async function atTheDoor(member: SignedIn, from: string): Promise<Response> {
    const all = member.isInstanceOwner
      ? await organisationsOf(member, from)
      : [...member.roles.keys()].sort();
    if (all.length === 1) return redirect(`${prefix}/-/admin/${encodeURIComponent(all[0]!)}`);
    const title = all.length === 0 ? "No organisation lets you in" : "Organisations";
    const body = all.length === 0
      ? (
        <p>
          You are signed in as{" "}
          <b>{member.user}</b>, and no organisation has a rule that gives you a role: ask one of its owners.
        </p>
      )
      : (
        <ul class="plain">
          {all.map((id) => (
            <li>
              <a href={`${prefix}/-/admin/${encodeURIComponent(id)}`}>{id}</a>
            </li>
          ))}
        </ul>
      );
    return await plainPage({ title, body, prefix, member, status: all.length === 0 ? 403 : 200 });
  }

  async function organisationsOf(member: SignedIn, from: string): Promise<readonly string[]> {
    const view = await deps.views.view("default");
    const principal = principalOf(member, "default");
    if (view === null || principal === null) return [];
    const calls = createCalls(api, { principal, view, site: root, from, isOwnPage: false });
    const { organisations } = await calls.must<{ organisations: readonly { readonly id: string }[] }>(
      "listOrganisations",
    );
    return organisations.map(({ id }) => id);
  }

  function contextOf(target: SiteTarget, given: {
    readonly member: SignedIn;
    readonly view: OrganisationView;
    readonly params: Readonly<Record<string, string>>;
    readonly below: readonly string[];
    readonly from: string;
    readonly isOwnPage: boolean;
  }): PageContext {
    const { member, view, params, below, from, isOwnPage } = given;
    const principal = principalOf(member, view.id)!;
    const site = view.id === "default" ? root : `${root}/o/${view.id}`;
    return {
      organisation: view,
      member,
      principal,
      params,
      query: target.query,
      now: clock(),
      site,
      prefix,
      here: `${prefix}/-/admin/${below.map(encodeURIComponent).join("/")}`,
      can: (scope) => holds(principal, scope),
      ecosystems: deps.ecosystems,
      purlType: (ecosystem) => deps.ecosystems.find(({ id }) => id === ecosystem)?.purlType,
      path: (parts, query = {}) => {
        const given = Object.entries(query).filter((entry): entry is [string, string] =>
          entry[1] !== null && entry[1] !== undefined
        );
        const path = [view.id, ...parts].map(encodeURIComponent).join("/");
        const search = new URLSearchParams(given).toString();
        return `${prefix}/-/admin/${path}${search === "" ? "" : `?${search}`}`;
      },
      ...createCalls(api, { principal, view, site, from, isOwnPage }),
    };
  }

  /** What was written is still in the browser: it sends it again. */
  async function signedOutMeanwhile(): Promise<Response> {
    const signIn = `${prefix}/-/auth/sign-in`;
    const body = (
      <p>
        Nothing was done, and nothing of what you wrote is lost.{" "}
        <a href={signIn} target="_blank">Sign in in another tab</a>, then come back and load this page again:
        your browser asks whether to send the form once more.
      </p>
    );
    return await plainPage({
      title: "You were signed out meanwhile",
      body,
      prefix,
      member: null,
      status: 401,
    });
  }

  function askToSignIn(target: SiteTarget): Response {
    const search = target.query.toString();
    const to = `${prefix}${target.path}${search === "" || target.method !== "GET" ? "" : `?${search}`}`;
    return redirect(`${prefix}/-/auth/sign-in?${new URLSearchParams({ to })}`);
  }
}

/** After a form too: the next request is a GET. */
export function redirect(to: string): Response {
  const headers = responseHeaders({
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    location: to,
  });
  return respond({ status: 303, headers, body: null });
}

function forbidden({ scope, isForInstance }: Pick<AdminPage, "scope" | "isForInstance">): PageProblem {
  const title = isForInstance === true
    ? "This is the whole instance's: it is for its owners alone."
    : `This needs a role with the scope "${scope}".`;
  return new PageProblem({ status: 403, code: "scope-missing", title, errors: [] });
}

/** null: it is not the asker's fault. */
function problemOf(error: unknown) {
  if (error instanceof PageProblem) {
    return {
      status: error.problem.status,
      heading: HEADINGS[error.problem.status] ?? FAILED,
      text: error.message,
    };
  }
  if (error instanceof ApiError || error instanceof RequestError) {
    return { status: error.status, heading: HEADINGS[error.status] ?? FAILED, text: error.message };
  }
  return null;
}

const FAILED = "It could not be done";
const HEADINGS: Readonly<Record<number, string>> = {
  403: "Not with your role",
  404: "Not found",
};

function noRole(member: SignedIn, organisation: string) {
  return {
    title: "Not with your role",
    body: (
      <p>
        You are signed in as <b>{member.user}</b>, who has no role in organisation{" "}
        <b>{organisation}</b>, or there is none of that name.
      </p>
    ),
  };
}

function noPage(organisation: string, prefix: string) {
  const home = `${prefix}/-/admin/${encodeURIComponent(organisation)}`;
  return {
    title: "No such page",
    body: (
      <p>
        There is nothing at this address. <a href={home}>Back to the overview</a>
      </p>
    ),
  };
}
