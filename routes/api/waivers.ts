/** Waivers: asked for, answered, listed with who, why and use. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { OutlookQuery, WaiverOutlook } from "../../ecosystems/why.ts";
import { formatPurl } from "../../ecosystems/_shared/purl.ts";
import type { EpochMs, Waiver } from "../../policy/types.ts";
import type { Organisations } from "../../storage/kv/organisation_types.ts";
import type { WaiverUses } from "../../storage/kv/waiver_uses.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { Clock } from "../../storage/runtime.ts";
import { holds } from "../../storage/tokens.ts";
import type { WaiverRequest, WaiverRequests } from "../../storage/waivers.ts";
import type { WaiverDesk, WaiverSubject } from "../waivers/types.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { namedPackage } from "./purl_field.ts";
import { cursor, fromCursor, givenInstant, limit, next, toCursor } from "./schemas.ts";
import { told } from "./told.ts";
import {
  lifts,
  pastWaiver,
  shownPast,
  shownRequest,
  shownUse,
  shownWaiver,
  usedWaiver,
  waiverRequest,
} from "./waiver_schemas.ts";

const AREA = "Waivers";

export interface WaiverApiDeps {
  readonly desk: WaiverDesk;
  readonly requests: WaiverRequests;
  readonly organisations: Pick<Organisations, "pastWaivers">;
  readonly uses: Pick<WaiverUses, "read">;
  readonly ecosystems: readonly Ecosystem[];
  readonly outlook: (query: OutlookQuery) => Promise<WaiverOutlook | null>;
  readonly clock: Clock;
}

const VISIBLE = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u;
const purl = z.string().max(1_024, "at most 1,024 characters").meta({
  description: "pkg:npm/left-pad@1.3.1; without a version where range says which",
});
const range = z.string().max(4_096, "at most 4,096 characters").optional().meta({
  description: "A VERS range instead of a version: vers:npm/>=1.3.0|<2.0.0",
});
const reason = z.string().trim().min(1, "say why").max(1_000, "at most 1,000 characters");
const ticket = z.string().trim().max(200, "at most 200 characters").regex(VISIBLE, "one line of text")
  .optional();
const word = z.string().trim().max(1_000, "at most 1,000 characters").optional().meta({
  description: "For the asker",
});
const until = z.union([z.literal("mature"), givenInstant]).optional();

const asked = z.strictObject({
  purl,
  range,
  reason,
  ticket,
  until: until.meta({ description: "An instant within a year; default: mature, until it matures" }),
  decision: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, "a decision's id").optional(),
});
const granted = z.strictObject({
  purl,
  range,
  reason,
  ticket,
  until: until.meta({ description: "An instant within a year; default: mature, until it matures" }),
  lifts: lifts.optional().meta({ description: "Default: holds" }),
});
const grantedRequest = z.strictObject({
  word,
  until: until.meta({ description: "Default: as was asked" }),
  version: z.string().min(1).max(256).optional().meta({ description: "Default: as was asked" }),
  range,
  lifts: lifts.optional().meta({ description: "Default: holds" }),
});
const byId = z.object({ id: z.string().max(200) });
const page = { limit: limit(500, 100), cursor };

/** Needed by everything that shows a request. */
export function waiverEndpoints(deps: WaiverApiDeps): readonly Endpoint[] {
  return [...requestEndpoints(deps), ...heldEndpoints(deps)];
}

function requestEndpoints(deps: WaiverApiDeps): readonly Endpoint[] {
  const { desk, requests } = deps;
  const common = { whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listWaiverRequests",
      method: "GET",
      path: "/waiver-requests",
      scope: "audit",
      summary:
        "What exceptions were asked for, the newest first; the open ones with what stands against them.",
      query: z.strictObject({ ...page, state: z.enum(["open", "answered"]).default("open") }),
      answer: z.object({ requests: z.array(waiverRequest), next }),
      handle: async ({ organisation, query }) => {
        const after = afterOf(query.cursor);
        const found = await told(() => requests[query.state](organisation.id, { limit: query.limit, after }));
        const shown = [];
        for (const request of found.rows) shown.push(await shownNow(deps, organisation, request));
        return { body: { requests: shown, next: found.next === null ? null : toCursor(found.next) } };
      },
    }),
    endpoint({
      ...common,
      id: "askForWaiver",
      method: "POST",
      path: "/waiver-requests",
      scope: "read",
      summary: "Asks for an exception. Whoever has the same open already is answered with that.",
      body: asked,
      answer: waiverRequest,
      handle: async (call) => {
        const { body, organisation: view, principal } = call;
        const subject = subjectOf(deps, body);
        const asker = { user: principal.user, isVerified: true, address: "" };
        const { request, isNew } = await desk.ask({
          view,
          subject,
          reason: body.reason,
          ticket: body.ticket || null,
          until: endOf(body.until),
          decisionId: body.decision ?? null,
          asker,
        });
        call.note({ subject: purlOf(deps, request), after: { id: request.id, reason: request.reason } });
        return { status: isNew ? 201 : 200, body: await shownNow(deps, view, request) };
      },
    }),
    endpoint({
      ...common,
      id: "getWaiverRequest",
      method: "GET",
      path: "/waiver-requests/{id}",
      scope: "read",
      summary: "One request: the asker's own, or with the scope audit or approve anybody's.",
      params: byId,
      answer: waiverRequest,
      handle: async (call) => {
        const { organisation, principal, params } = call;
        const request = await told(() => requests.get(organisation.id, params.id));
        const isTheirs = request !== null && request.asker.isVerified &&
          request.asker.user === principal.user;
        if (request !== null && (isTheirs || holds(principal, "audit") || holds(principal, "approve"))) {
          return { body: await shownNow(deps, organisation, request) };
        }
        throw noSuchRequest(params.id);
      },
    }),
    endpoint({
      ...common,
      id: "grantWaiverRequest",
      method: "POST",
      path: "/waiver-requests/{id}/grant",
      scope: "approve",
      summary: "Grants what was asked for, or something else, in force within a second.",
      params: byId,
      body: grantedRequest,
      answer: waiverRequest,
      handle: async (call) => {
        const { organisation: view, body, principal, site } = call;
        const request = await openRequest(deps, call);
        const { waiver, request: answered } = await desk.grant({
          view,
          site,
          principal,
          request,
          subject: changedSubject(deps, request, body),
          until: body.until === undefined ? request.until : endOf(body.until),
          lifts: body.lifts ?? null,
          word: body.word || null,
        });
        call.note({
          subject: purlOf(deps, request),
          after: shownWaiver(waiver),
        });
        return { body: await shownNow(deps, view, answered) };
      },
    }),
    endpoint({
      ...common,
      id: "declineWaiverRequest",
      method: "POST",
      path: "/waiver-requests/{id}/decline",
      scope: "approve",
      summary: "Declines what was asked for, with a word for the asker.",
      params: byId,
      body: z.strictObject({ word }),
      answer: waiverRequest,
      handle: async (call) => {
        const { organisation: view, principal, site } = call;
        const request = await openRequest(deps, call);
        const declined = await desk.decline({ view, site, principal, request, word: call.body.word || null });
        call.note({
          subject: purlOf(deps, request),
          before: { reason: request.reason },
          after: declined.answer,
        });
        return { body: await shownNow(deps, view, declined) };
      },
    }),
  ];
}

function heldEndpoints(deps: WaiverApiDeps): readonly Endpoint[] {
  const { desk, organisations, uses, clock } = deps;
  const common = { whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listWaiversInForce",
      method: "GET",
      path: "/waivers",
      scope: "audit",
      summary: "Waivers in force, the newest first, with how often each was used.",
      query: z.strictObject(page),
      answer: z.object({ waivers: z.array(usedWaiver), next }),
      handle: async ({ organisation, query }) => {
        const now = clock();
        // What is held in memory of an organisation changes with it alone.
        const held = organisation.waivers.filter(({ until }) => now < until);
        const all = held.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
        const after = afterOf(query.cursor);
        const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
        const rows = all.slice(from, from + query.limit);
        const used = await uses.read(organisation.id, rows.map(({ id }) => id));
        const waivers = rows.map((waiver, at) => ({
          ...shownWaiver(waiver),
          ...shownUse(used[at]!),
          purl: purlOf(deps, waiver),
        }));
        const isLast = from + rows.length >= all.length;
        return { body: { waivers, next: isLast ? null : toCursor(rows.at(-1)!.id) } };
      },
    }),
    endpoint({
      ...common,
      id: "listPastWaivers",
      method: "GET",
      path: "/waivers/past",
      scope: "audit",
      summary: "Waivers that have ended or were revoked within the last 180 days.",
      query: z.strictObject(page),
      answer: z.object({ waivers: z.array(pastWaiver), next }),
      handle: async ({ organisation: { id }, query }) => {
        const after = afterOf(query.cursor);
        const found = await told(() => organisations.pastWaivers(id, { limit: query.limit, after }));
        const used = await uses.read(id, found.rows.map(({ waiver }) => waiver.id));
        const waivers = found.rows.map((past, at) => ({
          ...shownPast(past),
          ...shownUse(used[at]!),
          purl: purlOf(deps, past.waiver),
        }));
        return { body: { waivers, next: found.next === null ? null : toCursor(found.next) } };
      },
    }),
    endpoint({
      ...common,
      id: "grantWaiver",
      method: "POST",
      path: "/waivers",
      scope: "approve",
      summary: "Grants a waiver that nobody asked for, in force within a second.",
      body: granted,
      answer: usedWaiver,
      handle: async (call) => {
        const { body, organisation: view, principal, site } = call;
        const made = await desk.grantUnasked({
          view,
          site,
          principal,
          subject: subjectOf(deps, body),
          reason: body.reason,
          ticket: body.ticket || null,
          until: endOf(body.until),
          lifts: body.lifts ?? null,
        });
        call.note({ subject: purlOf(deps, made), after: shownWaiver(made) });
        return {
          status: 201,
          body: { ...shownWaiver(made), ...shownUse({ count: 0, lastAt: null }), purl: purlOf(deps, made) },
        };
      },
    }),
  ];
}

async function shownNow(deps: WaiverApiDeps, organisation: OrganisationView, request: WaiverRequest) {
  const ecosystem = deps.ecosystems.find(({ id }) => id === request.ecosystem);
  const { name, version, range, answer } = request;
  const outlook = ecosystem === undefined || answer !== null
    ? null
    : await deps.outlook({ organisation, ecosystem, name, version, range });
  return shownRequest(request, { purl: purlOf(deps, request), outlook });
}

async function openRequest(deps: WaiverApiDeps, call: Call<z.output<typeof byId>>): Promise<WaiverRequest> {
  const { organisation, params } = call;
  const request = await told(() => deps.requests.get(organisation.id, params.id));
  if (request === null) throw noSuchRequest(params.id);
  return request;
}

function noSuchRequest(id: string) {
  return notFound("no-such-request", `There is no request ${JSON.stringify(id)}`);
}

/** Throws ApiError, which names the field. */
function subjectOf(
  { ecosystems }: WaiverApiDeps,
  body: { readonly purl: string; readonly range?: string | undefined },
): WaiverSubject {
  const named = namedPackage(ecosystems, body.purl, "body.purl");
  if (named.version === null && body.range === undefined) {
    throw wrongField("body.purl", "Name a version (pkg:npm/left-pad@1.3.1), or say range");
  }
  if (named.version !== null && body.range !== undefined) {
    throw wrongField("body.range", "The purl names a version already: leave one of them away");
  }
  return { ...named, range: body.range ?? null };
}

function changedSubject(
  { ecosystems }: WaiverApiDeps,
  { ecosystem: id, name, version, range }: WaiverRequest,
  body: { readonly version?: string | undefined; readonly range?: string | undefined },
): WaiverSubject {
  const ecosystem = ecosystems.find((each) => each.id === id);
  if (ecosystem === undefined) {
    throw notFound("no-such-ecosystem", `There is no ecosystem ${JSON.stringify(id)} here`);
  }
  if (body.version !== undefined && body.range !== undefined) {
    throw wrongField("body.range", "Name one version, or a range of them");
  }
  const isChanged = body.version !== undefined || body.range !== undefined;
  return {
    ecosystem,
    name,
    version: isChanged ? body.version ?? null : version,
    range: isChanged ? body.range ?? null : range,
  };
}

function endOf(until: "mature" | EpochMs | undefined): EpochMs | null {
  return until === undefined || until === "mature" ? null : until;
}

function afterOf(text: string | undefined): string | undefined {
  const after = text === undefined ? undefined : fromCursor(text);
  if (after === undefined || typeof after === "string") return after;
  throw wrongField("query.cursor", "This is no cursor of ours");
}

function purlOf({ ecosystems }: WaiverApiDeps, of: Pick<Waiver, "ecosystem" | "name" | "version">): string {
  const type = ecosystems.find(({ id }) => id === of.ecosystem)?.purlType ?? of.ecosystem;
  return formatPurl({ type, name: of.name, version: of.version });
}
