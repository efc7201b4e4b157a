/** Who is told of refusals and alerts: added, tested and taken away here; addresses are written, never shown. */
import { defaultWebhookId } from "../../policy/schema.ts";
import type { ShownDelivery, ShownWebhook } from "../api/webhooks.ts";
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "./page.ts";
import { Badge, Empty, Field, Form, Notice, Select, Table, TextField, Time } from "./ui.tsx";
import { alertTitle } from "./words.tsx";

/** The policy as the API has it; webhooks among all that is in it. */
interface Policy {
  readonly revision: number;
  readonly document: Readonly<Record<string, unknown>> & { readonly webhooks?: readonly Fields[] };
}

type Fields = Readonly<Record<string, unknown>>;

const EVENTS: Readonly<Record<string, string>> = {
  refused: "something was refused",
  observed: "something would have been refused",
  alert: "something is wrong, or no longer is",
  waiver: "an exception was asked for, granted or declined",
};

interface Sent {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

type Changed = { readonly warnings: readonly string[] } | { readonly problem: CallProblem };

export const WEBHOOKS: AdminPage = {
  path: "webhooks",
  title: "Webhooks",
  scope: "policy",
  isInMenu: true,
  show: (context) => page(context, {}),
  notices: {
    added: "The webhook was added.",
    unresolved: "The webhook was added. Its host cannot be resolved now: send a test once it can.",
    removed: "The webhook was taken away.",
  },
  actions: {
    add: {
      scope: "policy",
      async run(context, form) {
        const hook = {
          ...(form.get("id") ? { id: form.get("id") } : {}),
          url: form.get("url") ?? "",
          format: form.get("format") ?? "json",
          events: form.getAll("events"),
        };
        const changed = await change(context, `added a webhook`, (hooks) => [...hooks, hook]);
        if ("problem" in changed) return await page(context, { sent: { form, problem: changed.problem } });
        const done = changed.warnings.length === 0 ? "added" : "unresolved";
        return { kind: "redirect", to: context.path(["webhooks"], { done }) };
      },
    },
    remove: {
      scope: "policy",
      async run(context, form) {
        const id = form.get("id") ?? "";
        const changed = await change(
          context,
          `took away webhook ${id}`,
          (hooks) => hooks.filter((hook, index) => (hook.id ?? defaultWebhookId(index)) !== id),
        );
        if ("problem" in changed) return await page(context, { sent: { form, problem: changed.problem } });
        return { kind: "redirect", to: context.path(["webhooks"], { done: "removed" }) };
      },
    },
    test: {
      scope: "policy",
      async run(context, form) {
        const id = form.get("id") ?? "";
        const delivery = await context.must<ShownDelivery>("testWebhook", { params: { id }, body: {} });
        return await page(context, { tested: { id, delivery } });
      },
    },
  },
};

/** Upon the revision that was read: whoever was quicker is not written over. */
async function change(
  context: PageContext,
  message: string,
  edit: (hooks: readonly Fields[]) => readonly Fields[],
): Promise<Changed> {
  const params = { organisation: context.organisation.id };
  const { revision, document } = await context.must<Policy>("getPolicy", { params });
  const changed = { ...document, webhooks: edit(document.webhooks ?? []) };
  const called = await context.call<{ readonly warnings: readonly string[] }>("putPolicy", {
    params,
    body: { document: changed, message, expectedRevision: revision },
  });
  return called.ok ? { warnings: called.body.warnings } : { problem: called.problem };
}

async function page(context: PageContext, { sent, tested }: {
  readonly sent?: Sent;
  readonly tested?: { readonly id: string; readonly delivery: ShownDelivery };
}): Promise<View> {
  const { webhooks } = await context.must<{ readonly webhooks: readonly ShownWebhook[] }>("listWebhooks");
  const body = (
    <>
      <p class="lead">
        Each is sent JSON, or a message in Slack's form. An address is a secret: it is written here, and shown
        nowhere.
      </p>
      {tested === undefined ? null : <Tested id={tested.id} delivery={tested.delivery} />}
      {sent === undefined ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
      <div class="beside">
        <div>
          {webhooks.length === 0
            ? <Empty>Nobody is told of anything yet. Add the address of a channel or a service here.</Empty>
            : webhooks.map((webhook) => <Hook context={context} webhook={webhook} />)}
        </div>
        <div>
          <h2>Add a webhook</h2>
          <Add context={context} sent={sent ?? null} />
        </div>
      </div>
    </>
  );
  return { kind: "page", body, status: sent?.problem.status ?? 200 };
}

function Tested({ id, delivery }: { readonly id: string; readonly delivery: ShownDelivery }) {
  const isGood = delivery.status !== null && delivery.status >= 200 && delivery.status < 300;
  return (
    <Notice kind={isGood ? "good" : "bad"}>
      {delivery.status === null
        ? `The test of ${id} was not answered: ${delivery.failure}.`
        : `The test of ${id} was answered with ${delivery.status}.`}
    </Notice>
  );
}

function Hook({ context, webhook }: { readonly context: PageContext; readonly webhook: ShownWebhook }) {
  const { id, format, events, deliveries } = webhook;
  return (
    <section class="card" aria-label={`Webhook ${id}`}>
      <h2>{id}</h2>
      <p>
        {format === "slack" ? "Slack's form" : "JSON"}, when{" "}
        {events.map((event) => EVENTS[event] ?? event).join(", or ")}.
      </p>
      <div class="buttons">
        <Form context={context} action="test" isInline label={`Test ${id}`}>
          <input type="hidden" name="id" value={id} />
          <button class="quiet" type="submit">Send a test</button>
        </Form>
        <details>
          <summary>Take it away</summary>
          <Form context={context} action="remove" isInline label={`Take away ${id}`}>
            <input type="hidden" name="id" value={id} />
            <button class="danger" type="submit">Yes, take {id} away</button>
          </Form>
        </details>
      </div>
      <h3>Last deliveries</h3>
      {deliveries.length === 0
        ? <Empty>Nothing was sent yet. A test shows whether anything arrives.</Empty>
        : (
          <Table
            caption={`Last deliveries of ${id}`}
            rows={deliveries}
            columns={[
              { title: "When", cell: ({ at }) => <Time at={at} now={context.now} /> },
              { title: "Event", cell: ({ event }) => event },
              {
                title: "About",
                cell: ({ event, about }) => event === "alert" ? <AlertAbout about={about} /> : about,
              },
              { title: "Answer", cell: (delivery) => <Answer delivery={delivery} /> },
            ]}
          />
        )}
    </section>
  );
}

/** Of `KIND, STATE`. */
function AlertAbout({ about }: { readonly about: string }) {
  const [kind = "", state = ""] = about.split(", ");
  return (
    <>
      <span title={kind}>{alertTitle(kind)}</span>, {state}
    </>
  );
}

function Answer({ delivery: { status, failure } }: { readonly delivery: ShownDelivery }) {
  if (status === null) return <Badge tone="bad">{failure ?? "none"}</Badge>;
  return <Badge tone={status >= 200 && status < 300 ? "good" : "bad"}>{String(status)}</Badge>;
}

function Add({ context, sent }: { readonly context: PageContext; readonly sent: Sent | null }) {
  const mine = sent?.form.get("action") === "add" ? sent : null;
  const count = context.organisation.policy.webhooks.length;
  const error = (field: string) =>
    errorOf(mine?.problem ?? null, `body.document.webhooks[${count}].${field}`) ??
      errorOf(mine?.problem ?? null, `body.document.webhooks.${count}.${field}`);
  const chosen = mine?.form.getAll("events") ?? ["refused", "alert", "waiver"];
  return (
    <Form context={context} action="add" label="Add a webhook">
      <TextField
        name="url"
        type="url"
        label="Address"
        help="Kept as a secret. After a mistake it has to be written again, since it is never shown."
        error={error("url")}
        isRequired
      />
      <TextField
        name="id"
        label="Name"
        help="By which you know it; made up if you leave it empty."
        value={mine?.form.get("id") ?? ""}
        error={error("id")}
      />
      <Select
        name="format"
        label="Form"
        options={[{ value: "json", label: "JSON" }, { value: "slack", label: "Slack" }]}
        value={mine?.form.get("format") ?? "json"}
        error={error("format")}
      />
      <Field name="events" label="When" error={error("events")} isGroup>
        {Object.entries(EVENTS).map(([event, meaning]) => (
          <label class="choice">
            <input type="checkbox" name="events" value={event} checked={chosen.includes(event)} />
            <span>{meaning}</span>
          </label>
        ))}
      </Field>
      <div class="buttons">
        <button type="submit">Add the webhook</button>
      </div>
    </Form>
  );
}
