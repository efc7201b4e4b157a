/** Exceptions: what is asked for, what is in force, and what has been. */
import type { Action, AdminPage, Called, PageContext, View } from "../page.ts";
import { Badge, Empty, Notice, Pager, Table, Time } from "../ui.tsx";
import { Ended, GrantUnasked, InForce } from "./held.tsx";
import { AnswerForms, RequestFacts, subjectOf, whyOf } from "./request.tsx";
import {
  liftsOf,
  type PastWaiver,
  type Request,
  type RequestList,
  type Sent,
  textOf,
  untilOf,
  type Waiver,
  type WaiverList,
} from "./shapes.ts";

/** On the first page; further ones have a page of their own. */
const SHOWN_REQUESTS = 10;
const SHOWN_WAIVERS = 50;

type Show = (context: PageContext, sent: Sent | null) => Promise<View>;

const NOTICES = {
  granted: "It is granted, and in force within a second.",
  declined: "It is declined; whoever asked sees it on the package's page.",
  revoked: "The waiver is revoked: within a second nothing is served thanks to it.",
} as const;

const WAIVERS: AdminPage = {
  path: "waivers",
  title: "Waivers",
  scope: "audit",
  isInMenu: true,
  show: (context) => showAll(context, null),
  notices: NOTICES,
  actions: { ...answering(showAll), revoke: revoking(showAll), "grant-new": granting() },
};

const REQUEST: AdminPage = {
  path: "waivers/requests/{id}",
  title: "Request for a waiver",
  scope: "audit",
  show: (context) => showOne(context, null),
  notices: NOTICES,
  actions: answering(showOne),
};

const IN_FORCE: AdminPage = {
  path: "waivers/in-force",
  title: "Waivers in force",
  scope: "audit",
  show: (context) => showHeld(context, null),
  notices: NOTICES,
  actions: { revoke: revoking(showHeld) },
};

const ENDED: AdminPage = {
  path: "waivers/ended",
  title: "Waivers that have ended",
  scope: "audit",
  async show(context) {
    const query = { limit: SHOWN_WAIVERS, cursor: context.query.get("cursor") };
    const { waivers, next } = await context.must<WaiverList<PastWaiver>>("listPastWaivers", { query });
    const body = (
      <>
        <Back context={context} />
        {waivers.length === 0
          ? (
            <Empty>
              None has ended within the last 180 days. What is in force stands on the page before.
            </Empty>
          )
          : <Ended context={context} waivers={waivers} />}
        <Pager context={context} cursor={next} />
      </>
    );
    return { kind: "page", body };
  },
};

const ANSWERED: AdminPage = {
  path: "waivers/answered",
  title: "Answered requests",
  scope: "audit",
  async show(context) {
    const query = { state: "answered", limit: SHOWN_WAIVERS, cursor: context.query.get("cursor") };
    const { requests, next } = await context.must<RequestList>("listWaiverRequests", { query });
    const body = (
      <>
        <Back context={context} />
        {requests.length === 0
          ? <Empty>No request was answered within the last 180 days.</Empty>
          : <Answered context={context} requests={requests} />}
        <Pager context={context} cursor={next} />
      </>
    );
    return { kind: "page", body };
  },
};

export const WAIVER_PAGES: readonly AdminPage[] = Object.freeze([
  WAIVERS,
  IN_FORCE,
  ENDED,
  ANSWERED,
  REQUEST,
]);

async function showAll(context: PageContext, sent: Sent | null): Promise<View> {
  const query = { state: "open", limit: SHOWN_REQUESTS, cursor: context.query.get("cursor") };
  const { requests, next } = await context.must<RequestList>("listWaiverRequests", { query });
  const held = await context.must<WaiverList<Waiver>>("listWaiversInForce", {
    query: { limit: SHOWN_WAIVERS },
  });
  const isBeside = requests.some(({ id }) => id === sent?.form.get("id")) ||
    sent?.form.get("action") === "grant-new";
  const body = (
    <>
      {sent === null || isBeside ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
      <h2>Open requests</h2>
      {requests.length === 0
        ? (
          <Empty>
            Nobody waits for an answer. Whoever is refused something can ask for an exception on the page that
            its client's error leads to.
          </Empty>
        )
        : (
          <div class="grid">
            {requests.map((request) => <Card context={context} request={request} sent={sent} />)}
          </div>
        )}
      <Pager context={context} cursor={next} />
      <h2>In force</h2>
      <InForce context={context} waivers={held.waivers} />
      {held.next === null ? null : (
        <p>
          <a href={context.path(["waivers", "in-force"])}>All that are in force</a>
        </p>
      )}
      {context.can("approve") ? <GrantUnasked context={context} sent={sent} /> : null}
      <h2>Before</h2>
      <p>
        <a href={context.path(["waivers", "answered"])}>Answered requests</a>,{" "}
        <a href={context.path(["waivers", "ended"])}>waivers that have ended</a>
      </p>
    </>
  );
  return page(body, sent);
}

function Card({ context, request, sent }: {
  readonly context: PageContext;
  readonly request: Request;
  readonly sent: Sent | null;
}) {
  const mine = sent?.form.get("id") === request.id ? sent : null;
  return (
    <section class="card">
      <h3>
        <a href={context.path(["waivers", "requests", request.id])}>{subjectOf(request)}</a>{" "}
        <span class="quiet">{request.ecosystem}</span>
      </h3>
      <RequestFacts context={context} request={request} />
      <p>
        <a href={whyOf(context, request)}>Every rule, and the facts</a>
      </p>
      <AnswerForms context={context} request={request} sent={mine} />
    </section>
  );
}

async function showOne(context: PageContext, sent: Sent | null): Promise<View> {
  const request = await context.must<Request>("getWaiverRequest", {
    params: { id: context.params.id ?? "" },
  });
  const body = (
    <>
      <Back context={context} />
      {sent === null || request.answer === null ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
      <section class="card">
        <h2>
          {subjectOf(request)} <span class="quiet">{request.ecosystem}</span>
        </h2>
        <RequestFacts context={context} request={request} />
        <p>
          <a href={whyOf(context, request)}>Every rule, and the facts</a>
        </p>
        <AnswerForms context={context} request={request} sent={sent} />
      </section>
    </>
  );
  return page(body, sent);
}

async function showHeld(context: PageContext, sent: Sent | null): Promise<View> {
  const query = { limit: SHOWN_WAIVERS, cursor: context.query.get("cursor") };
  const { waivers, next } = await context.must<WaiverList<Waiver>>("listWaiversInForce", { query });
  const body = (
    <>
      <Back context={context} />
      {sent === null ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
      <InForce context={context} waivers={waivers} />
      <Pager context={context} cursor={next} />
    </>
  );
  return page(body, sent);
}

function Back({ context }: { readonly context: PageContext }) {
  return (
    <p>
      <a href={context.path(["waivers"])}>All waivers</a>
    </p>
  );
}

function Answered({ context, requests }: {
  readonly context: PageContext;
  readonly requests: readonly Request[];
}) {
  const { now } = context;
  return (
    <Table
      caption="Answered requests"
      rows={requests}
      columns={[
        {
          title: "For",
          cell: (request) => (
            <a href={context.path(["waivers", "requests", request.id])}>{subjectOf(request)}</a>
          ),
        },
        { title: "Asked by", cell: ({ askedBy }) => askedBy ?? "somebody" },
        { title: "Why", cell: ({ reason }) => reason },
        {
          title: "Answer",
          cell: ({ answer }) =>
            answer === null ? null : (
              <>
                <Badge tone={answer.granted ? "good" : "bad"}>
                  {answer.granted ? "granted" : "declined"}
                </Badge>{" "}
                by {answer.by} <Time at={answer.at} now={now} />
                {answer.word === null ? null : `: ${answer.word}`}
              </>
            ),
        },
      ]}
    />
  );
}

function page(body: Extract<View, { kind: "page" }>["body"], sent: Sent | null): View {
  return { kind: "page", body, ...(sent === null ? {} : { status: sent.problem.status }) };
}

/** What came of it: back to the list, or the page with what was written. */
async function outcome(
  called: Called<unknown>,
  done: keyof typeof NOTICES,
  { context, form, show }: {
    readonly context: PageContext;
    readonly form: URLSearchParams;
    readonly show: Show;
  },
): Promise<View> {
  if (called.ok) return { kind: "redirect", to: context.path(["waivers"], { done }) };
  return await show(context, { form, problem: called.problem });
}

function answering(show: Show): Readonly<Record<"grant" | "decline", Action>> {
  return {
    grant: {
      scope: "approve",
      async run(context, form) {
        const params = { id: form.get("id") ?? "" };
        const body = {
          word: textOf(form, "word"),
          until: untilOf(form, context),
          range: textOf(form, "range"),
          lifts: liftsOf(form),
        };
        return await outcome(await context.call("grantWaiverRequest", { params, body }), "granted", {
          context,
          form,
          show,
        });
      },
    },
    decline: {
      scope: "approve",
      async run(context, form) {
        const params = { id: form.get("id") ?? "" };
        const body = { word: textOf(form, "word") };
        return await outcome(await context.call("declineWaiverRequest", { params, body }), "declined", {
          context,
          form,
          show,
        });
      },
    },
  };
}

function revoking(show: Show): Action {
  return {
    scope: "approve",
    async run(context, form) {
      const params = { organisation: context.organisation.id, id: form.get("id") ?? "" };
      return await outcome(await context.call("revokeWaiver", { params }), "revoked", {
        context,
        form,
        show,
      });
    },
  };
}

function granting(): Action {
  return {
    scope: "approve",
    async run(context, form) {
      const body = {
        purl: textOf(form, "purl") ?? "",
        range: textOf(form, "range"),
        reason: form.get("reason") ?? "",
        ticket: textOf(form, "ticket"),
        until: untilOf(form, context),
        lifts: liftsOf(form),
      };
      return await outcome(await context.call("grantWaiver", { body }), "granted", {
        context,
        form,
        show: showAll,
      });
    },
  };
}
