/** `/-/why/{purl}`: who may read it, in which form, and the form by which an exception is asked for. */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import type { WhyAnswer, WhyQuery } from "../ecosystems/why.ts";
import type { Clock, Timers } from "../storage/runtime.ts";
import { holds, type Principal } from "../storage/tokens.ts";
import type { WaiverRequests } from "../storage/waivers.ts";
import { redirect } from "./admin/admin.tsx";
import { isSameOrigin, mustBeOurs, readForm } from "./admin/forms.ts";
import type { CallProblem } from "./admin/page.ts";
import { ApiError } from "./api/error.ts";
import { NOW, readAsOf } from "./as_of.ts";
import { principalOf, type ReadSession, type SignedIn } from "./auth/signed_in.ts";
import { authorise, type Callers } from "./caller.ts";
import type { Resolved } from "./organisations.ts";
import { RequestError } from "./problem.ts";
import { type PurlPath, readPurlPath } from "./purl_path.ts";
import { sayProblem, type Told } from "./say_problem.ts";
import type { OwnTokensAt } from "./sign_in_by.ts";
import type { SiteBindings } from "./site.tsx";
import type { SiteTarget } from "./target.ts";
import { preferredForm } from "./text.ts";
import type { TurnAway, TurnedAway } from "./turn_away.tsx";
import type { WaiverDesk } from "./waivers/types.ts";
import { whyPage } from "./why.ts";
import { askerOf, readAskedFor } from "./why_form.ts";
import { unknownPage, type Viewer, whyHtml } from "./why_page.tsx";
import { missingSentence } from "./why_words.ts";

const SHOWN_REQUESTS = 10;

export interface WhyDeps {
  readonly base: URL;
  readonly byPurlType: ReadonlyMap<string, Ecosystem>;
  readonly callers: Callers;
  readonly readSession: ReadSession;
  readonly ownTokensAt: OwnTokensAt | null;
  readonly turnAway: TurnAway;
  /** From cached facts only. */
  readonly explain: (query: WhyQuery) => Promise<WhyAnswer | null>;
  readonly waivers: { readonly desk: WaiverDesk; readonly requests: Pick<WaiverRequests, "ofPackage"> };
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A page that names a package, and whoever may read it. */
interface Visit extends Viewer {
  readonly resolved: Resolved;
  readonly ecosystem: Ecosystem;
  readonly purl: PurlPath;
  /** Registry-exact. */
  readonly name: string;
  readonly member: SignedIn | null;
  readonly address: string;
}

/** GET and POST of an organisation's why pages; `resolved` is the organisation that the address names. */
export type WhyRoute = (request: Request, bindings: SiteBindings, resolved: Resolved) => Promise<Response>;

export function createWhyRoute(deps: WhyDeps): WhyRoute {
  const { base, clock, timers, waivers } = deps;
  const prefix = base.pathname.replace(/\/+$/, "");

  return async function why(request, bindings, resolved) {
    const { target } = bindings;
    const visit = await visited(request, bindings, resolved);
    if ("denial" in visit) return await deps.turnAway(request, visit);
    if ("status" in visit) return sayProblem(request, visit);
    return target.method === "POST"
      ? await asked(request, target, visit)
      : await shown(request, target, visit, null);
  };

  async function visited(
    request: Request,
    { target, info }: SiteBindings,
    resolved: Resolved,
  ): Promise<Visit | TurnedAway | Told> {
    const purl = readPurlPath(target.segments.slice(2));
    const ecosystem = deps.byPurlType.get(purl?.type ?? "");
    const { view } = resolved;
    const away = { target, organisation: view.id };
    const identified = await deps.callers(request, info, { organisation: view.id });
    if (!identified.ok) return { ...away, denial: identified.denial, member: null };
    const { caller } = identified;
    // Whoever sends credentials is who they say; a session is looked for where there are none.
    const isAnonymous = identified.principal === null && caller.user === null;
    const member = isAnonymous ? await deps.readSession(request, info) : null;
    const principal: Principal | null = identified.principal ??
      (member === null ? null : principalOf(member, view.id));
    const user = principal?.user ?? member?.user ?? caller.user;
    const denial = authorise(view, {
      user: caller.user,
      principal,
      scope: "read",
      ownTokensAt: deps.ownTokensAt,
      ...(ecosystem === undefined ? {} : { ecosystem: ecosystem.id }),
    });
    if (denial !== null) return { ...away, denial, member };
    if (purl === null || ecosystem === undefined) return NO_PURL;
    const name = ecosystem.canonicalName?.(purl.name) ?? purl.name;
    const isVerified = principal !== null;
    const isApprover = member !== null && principal !== null && holds(principal, "approve");
    const desk = isApprover ? `${prefix}/-/admin/${view.id}/waivers` : null;
    return { resolved, ecosystem, purl, name, member, user, isVerified, desk, address: caller.address };
  }

  /** `failed`: what was written in the form, and why nothing came of it. */
  async function shown(
    request: Request,
    target: SiteTarget,
    visit: Visit,
    failed: { readonly written: URLSearchParams; readonly problem: CallProblem } | null,
  ): Promise<Response> {
    const { resolved: { view, site }, ecosystem, purl, name, member } = visit;
    const reading = target.at === null ? NOW : readAsOf(target.at, view, clock());
    if (!reading.ok) return sayProblem(request, reading.problem);
    const { at } = reading;
    const query: WhyQuery = {
      organisation: view,
      ecosystem,
      name,
      version: purl.version,
      decisionId: decisionIdOf(target.query.get("decision")),
      site: at === undefined ? site : `${site}/at/${at.text}`,
      ...(at === undefined ? {} : { at }),
    };
    const form = formOf(request, target);
    const answer = await deps.explain(query);
    const given = target.query.get("decision");
    const missing = given === null || given === "" || (answer?.record ?? null) !== null ? null : given;
    if (answer === null) {
      return form === "html"
        ? await unknownPage({ prefix, site, status: 404, missing })
        : sayProblem(request, unknown(missing));
    }
    const requests = at === undefined
      ? await waivers.requests.ofPackage(view.id, { ecosystem: ecosystem.id, name, limit: SHOWN_REQUESTS })
      : [];
    const { isSpeaking } = purl;
    if (form !== "html") {
      return whyPage({ answer, requests, missing, site: query.site }, { form, isSpeaking });
    }
    return await whyHtml({
      answer,
      requests,
      prefix,
      site,
      organisation: view.id,
      viewer: visit,
      status: failed?.problem.status ?? (isSpeaking ? 403 : 200),
      done: target.query.get("asked"),
      missing,
      // As of a past instant nothing is asked for.
      ask: at !== undefined ? null : {
        token: member?.formToken ?? null,
        written: failed?.written ?? null,
        problem: failed?.problem ?? null,
      },
    });
  }

  async function asked(request: Request, target: SiteTarget, visit: Visit): Promise<Response> {
    const { resolved: { view, site }, ecosystem, purl, name, member, user, isVerified, address } = visit;
    const written = await readForm(request, timers);
    mustBeFromHere(request, { site, base, member, written });
    const decisionId = decisionIdOf(target.query.get("decision"));
    if (target.at !== null) throw new RequestError(400, "past-instant", "Nothing is asked for in the past.");
    try {
      const about = { ecosystem, name, version: purl.version, needsName: user === null, clock };
      const read = readAskedFor(written, about);
      const { request: made } = await waivers.desk.ask({
        view,
        ...read,
        decisionId,
        asker: askerOf({ user, isVerified, address }, read),
      });
      return redirect(`${pathOf(target, prefix)}?${queryOf(decisionId, made.id)}#asked`);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { status, code, message: title, options: { errors = [] } } = error;
      return await shown(request, target, visit, { written, problem: { status, code, title, errors } });
    }
  }
}

/** WARNING: a session's form as at the other pages; without one, the browser must say that it comes from this address. */
function mustBeFromHere(request: Request, from: {
  readonly site: string;
  readonly base: URL;
  readonly member: SignedIn | null;
  readonly written: URLSearchParams;
}): void {
  const { site, base, member, written } = from;
  if (member !== null) return mustBeOurs(request, { base, form: written, member });
  if (isSameOrigin(request.headers, new URL(site).origin)) return;
  throw new RequestError(
    403,
    "cross-site-form",
    "This form was not sent from a page of Sluice: open the page anew and try again.",
  );
}

/** The page's own, without what a client was told by its address. */
function pathOf({ path, organisation, by }: SiteTarget, prefix: string): string {
  const parts = path.split("/");
  const last = parts.at(-1) ?? "";
  const canonical = /^(?:would-be-)?(?:held|denied)-by-/.test(last) ? parts.slice(0, -1).join("/") : path;
  return `${prefix}${by === "path" ? `/o/${organisation}` : ""}${canonical}`;
}

function queryOf(decision: string | null, asked: string): URLSearchParams {
  return new URLSearchParams({ ...(decision === null ? {} : { decision }), asked });
}

function formOf(request: Request, { query, method }: SiteTarget): "json" | "html" | "text" {
  const asked = query.get("format");
  if (asked === "json" || asked === "text" || asked === "html") return asked;
  const preferred = preferredForm(request.headers.get("accept"));
  // A form is sent by a browser, whatever it says that it takes.
  return method === "POST" && preferred === "text" ? "html" : preferred;
}

/** Ids are short tokens; anything else is as good as none. */
function decisionIdOf(text: string | null): string | null {
  return text !== null && /^[A-Za-z0-9_-]{1,128}$/.test(text) ? text : null;
}

const NO_PURL: Told = {
  status: 404,
  code: "no-such-package",
  message: "This address names no package: use /-/why/pkg:{type}/{name}@{version}.",
};

function unknown(missing: string | null): Told {
  const message = "Nothing is known of this package here: nobody asked for it, or it does not exist.";
  const more = missing === null ? "" : ` ${missingSentence(missing, null)}`;
  return { status: 404, code: "unknown-package", message: message + more };
}
