/** Requests for waivers: made, seen by their asker and by those who answer, granted, declined. */
import * as z from "zod";
import type { OrganisationView } from "../../storage/organisations.ts";
import { holds } from "../../storage/tokens.ts";
import type { WaiverRequest } from "../../storage/waivers.ts";
import type { WaiverSubject } from "../waivers/types.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { notFound, wrongField } from "./error.ts";
import { next, toCursor } from "./schemas.ts";
import { told } from "./told.ts";
import {
  afterOf,
  AREA,
  endOf,
  page,
  purl,
  purlOf,
  range,
  reason,
  subjectOf,
  ticket,
  until,
  type WaiverApiDeps,
  word,
} from "./waiver_fields.ts";
import { lifts, shownRequest, toldWaiver, waiverRequest } from "./waiver_schemas.ts";

const asked = z.strictObject({
  purl,
  range,
  reason,
  ticket,
  until: until.meta({ description: "An instant within a year; default: mature, until it matures" }),
  decision: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, "a decision's id").optional(),
});
const grantedRequest = z.strictObject({
  word,
  until: until.meta({ description: "Default: as was asked" }),
  version: z.string().min(1).max(256).optional().meta({ description: "Default: as was asked" }),
  range,
  lifts: lifts.optional().meta({ description: "Default: holds" }),
});
const byId = z.object({ id: z.string().max(200) });

/** By the organisation that the address names. */
export function waiverRequestEndpoints(deps: WaiverApiDeps): readonly Endpoint[] {
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
        const after = { id: request.id, reason: request.reason };
        call.note(isNew ? { subject: purlOf(deps, request), after } : { isNothing: true });
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
          after: toldWaiver(waiver),
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
          after: { asked: request.reason, word: declined.answer?.word },
        });
        return { body: await shownNow(deps, view, declined) };
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
