/** Waivers in force, those that have ended, and granted ones that nobody asked for. */
import * as z from "zod";
import { type Endpoint, endpoint } from "./endpoint.ts";
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
} from "./waiver_fields.ts";
import { waiverRequestEndpoints } from "./waiver_requests.ts";
import {
  lifts,
  pastWaiver,
  shownPast,
  shownUse,
  shownWaiver,
  toldWaiver,
  usedWaiver,
} from "./waiver_schemas.ts";

const granted = z.strictObject({
  purl,
  range,
  reason,
  ticket,
  until: until.meta({ description: "An instant within a year; default: mature, until it matures" }),
  lifts: lifts.optional().meta({ description: "Default: holds" }),
});

/** Of requests and of what is in force; a waiver is revoked at its organisation's path. */
export function waiverEndpoints(deps: WaiverApiDeps): readonly Endpoint[] {
  return [...waiverRequestEndpoints(deps), ...heldEndpoints(deps)];
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
        call.note({ subject: purlOf(deps, made), after: toldWaiver(made) });
        return {
          status: 201,
          body: { ...shownWaiver(made), ...shownUse({ count: 0, lastAt: null }), purl: purlOf(deps, made) },
        };
      },
    }),
  ];
}
