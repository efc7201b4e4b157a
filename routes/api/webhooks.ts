/** An organisation's webhooks: who is told, what was last sent, and a test; their addresses are never shown. */
import * as z from "zod";
import type { Deliveries } from "../../storage/kv/deliveries.ts";
import type { Webhooks } from "../../storage/webhooks.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { notFound } from "./error.ts";
import { instant, instantText } from "./schemas.ts";

const AREA = "Webhooks";

const delivery = z.object({
  at: instant,
  event: z.string(),
  about: z.string(),
  status: z.number().int().nullable().meta({ description: "null: nothing was answered" }),
  failure: z.string().nullable().meta({ description: "Why nothing was answered" }),
}).meta({ id: "Delivery" });

const webhook = z.object({
  id: z.string(),
  format: z.enum(["json", "slack"]),
  events: z.array(z.string()),
  deliveries: z.array(delivery).meta({ description: "Attempts, the newest first, at most 20" }),
}).meta({ id: "Webhook" });

/** One attempt, as it is answered. */
export type ShownDelivery = z.output<typeof delivery>;
export type ShownWebhook = z.output<typeof webhook>;

export function webhookEndpoints(
  webhooks: Pick<Webhooks, "test"> & Pick<Deliveries, "list">,
): readonly Endpoint[] {
  const common = { scope: "policy", whose: "address", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "listWebhooks",
      method: "GET",
      path: "/webhooks",
      summary: "The organisation's webhooks, as its policy has them, with what was last sent to each.",
      answer: z.object({ webhooks: z.array(webhook) }),
      handle: async ({ organisation }) => ({
        body: {
          webhooks: await Promise.all(organisation.policy.webhooks.map(async ({ id, format, events }) => ({
            id,
            format,
            events: [...events],
            deliveries: (await webhooks.list(organisation.id, id)).map(shownDelivery),
          }))),
        },
      }),
    }),
    endpoint({
      ...common,
      id: "testWebhook",
      method: "POST",
      path: "/webhooks/{id}/test",
      isAudited: false,
      summary: "Sends a message that says it is a test, and says what was answered: the status alone.",
      params: z.object({ id: z.string() }),
      body: z.strictObject({}),
      answer: delivery,
      handle: async ({ organisation, params }) => {
        const sent = await webhooks.test(organisation.id, params.id);
        if (sent === null) {
          throw notFound("no-such-webhook", `There is no webhook ${JSON.stringify(params.id)}`);
        }
        return { body: shownDelivery(sent) };
      },
    }),
  ];
}

function shownDelivery({ at, ...rest }: Awaited<ReturnType<Deliveries["list"]>>[number]) {
  return { ...rest, at: instantText(at) };
}
