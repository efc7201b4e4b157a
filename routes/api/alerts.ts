/** Alerts: an organisation's operator sees that organisation's, the instance's sees all. */
import * as z from "zod";
import { type Alert, ALERT_KINDS, type Alerts } from "../../storage/alerts.ts";
import type { Principal } from "../../storage/tokens.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { notFound } from "./error.ts";
import { instant, instantText } from "./schemas.ts";

const AREA = "Alerts";

const alert = z.object({
  id: z.string(),
  kind: z.enum(ALERT_KINDS),
  subject: z.string(),
  detail: z.string(),
  organisation: z.string().nullable().meta({ description: "null: the whole instance's" }),
  firstAt: instant,
  lastAt: instant,
  count: z.number().int().meta({ description: "How often it was found so, at most once a minute" }),
  acknowledgedAt: instant.nullable(),
  acknowledgedBy: z.string().nullable(),
  overAt: instant.nullable().meta({ description: "null: it is still so" }),
}).meta({ id: "Alert" });

export function alertEndpoints(alerts: Pick<Alerts, "list" | "acknowledge">): readonly Endpoint[] {
  const common = { scope: "operate", whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listAlerts",
      method: "GET",
      path: "/alerts",
      summary: "What is wrong, the newest first; on demand also what was, within a month.",
      query: z.strictObject({
        over: z.stringbool().default(false).meta({ description: "With those that are over" }),
      }),
      answer: z.object({ alerts: z.array(alert) }),
      handle: async ({ principal, query }) => ({
        body: {
          alerts: (await alerts.list())
            .filter((each) => isTheirs(each, principal) && (query.over || each.overAt === null)).map(shown),
        },
      }),
    }),
    endpoint({
      ...common,
      id: "acknowledgeAlert",
      method: "POST",
      path: "/alerts/{id}/acknowledge",
      summary: "Says that somebody knows; what happened once (a changed digest) is over with it.",
      params: z.object({ id: z.string() }),
      body: z.strictObject({}),
      answer: alert,
      handle: async ({ principal, params }) => {
        const found = (await alerts.list()).find(({ id }) => id === params.id);
        const known = found !== undefined && isTheirs(found, principal)
          ? await alerts.acknowledge(found.id, principal.user)
          : null;
        if (known === null) {
          throw notFound("no-such-alert", `There is no alert ${JSON.stringify(params.id)}`);
        }
        return { body: shown(known) };
      },
    }),
  ];
}

function isTheirs({ organisation }: Alert, principal: Principal): boolean {
  return principal.organisation === null || principal.organisation === organisation;
}

function shown(each: Alert) {
  return {
    ...each,
    firstAt: instantText(each.firstAt),
    lastAt: instantText(each.lastAt),
    acknowledgedAt: instantText(each.acknowledgedAt),
    overAt: instantText(each.overAt),
  };
}
