/** Waivers in force, with revoke, and the form to grant one unasked. */
import { LIFTABLE } from "../../../policy/documents.ts";
import { errorOf, type PageContext } from "../page.ts";
import {
  Badge,
  type Column,
  Empty,
  Field,
  Form,
  Notice,
  Select,
  Table,
  TextArea,
  TextField,
  Time,
} from "../ui.tsx";
import { count } from "../../text.ts";
import { subjectOf, Ticket, whyOf } from "./request.tsx";
import { LENGTHS, type PastWaiver, type Sent, type Waiver } from "./shapes.ts";

export function columnsOf<W extends Waiver>(context: PageContext): readonly Column<W>[] {
  const { now } = context;
  return [
    {
      title: "For",
      cell: (waiver) => (
        <>
          <a href={whyOf(context, waiver)}>{subjectOf(waiver)}</a>{" "}
          {waiver.kind === "audit-fix" ? <Badge tone="plain">audit fix</Badge> : null}
          {waiver.lifts === null ? null : <span class="quiet">lifts {waiver.lifts.join(", ")}</span>}
        </>
      ),
    },
    {
      title: "Why",
      cell: ({ reason, ticket }) => (
        <>
          {reason}
          {ticket === null ? null : (
            <>
              {" "}(<Ticket text={ticket} />)
            </>
          )}
        </>
      ),
    },
    {
      title: "By whom",
      cell: ({ owner, askedBy, createdAt }) => (
        <>
          {owner} <Time at={createdAt} now={now} />
          {askedBy === null ? null : <span class="quiet">, asked by {askedBy}</span>}
        </>
      ),
    },
    {
      title: "Used",
      isNumber: true,
      cell: ({ uses, lastUsedAt }) => (
        <>
          {count(uses)}
          {lastUsedAt === null ? null : (
            <span class="quiet">
              , <Time at={lastUsedAt} now={now} />
            </span>
          )}
        </>
      ),
    },
  ];
}

export function InForce({ context, waivers }: {
  readonly context: PageContext;
  readonly waivers: readonly Waiver[];
}) {
  if (waivers.length === 0) {
    return (
      <Empty>
        No waiver is in force. People ask for one on the page that explains a refusal; what they ask stands
        above.
      </Empty>
    );
  }
  const { now } = context;
  const revoke: Column<Waiver> = {
    title: "Revoke",
    cell: ({ id, name }) => (
      <details>
        <summary>Revoke</summary>
        <Form context={context} action="revoke" label={`Revoke the waiver for ${name}`} isInline>
          <input type="hidden" name="id" value={id} />
          <button type="submit" class="danger">Revoke it now</button>
        </Form>
      </details>
    ),
  };
  return (
    <Table
      caption="Waivers in force"
      rows={waivers}
      columns={[
        ...columnsOf<Waiver>(context),
        {
          title: "Ends",
          cell: ({ until, endsMature }) => (
            <>
              <Time at={until} now={now} />
              {endsMature ? <span class="quiet">, as it matures</span> : null}
            </>
          ),
        },
        ...(context.can("approve") ? [revoke] : []),
      ]}
    />
  );
}

export function Ended({ context, waivers }: {
  readonly context: PageContext;
  readonly waivers: readonly PastWaiver[];
}) {
  const { now } = context;
  return (
    <Table
      caption="Waivers that have ended"
      rows={waivers}
      columns={[
        ...columnsOf<PastWaiver>(context),
        {
          title: "Ended",
          cell: ({ endedAt, revokedBy }) => (
            <>
              <Time at={endedAt} now={now} />
              {revokedBy === null ? null : <span class="quiet">, revoked by {revokedBy}</span>}
            </>
          ),
        },
      ]}
    />
  );
}

export function GrantUnasked({ context, sent }: {
  readonly context: PageContext;
  readonly sent: Sent | null;
}) {
  const mine = sent?.form.get("action") === "grant-new" ? sent : null;
  const error = (field: string) => errorOf(mine?.problem ?? null, field);
  const value = (field: string) => mine?.form.get(field) ?? "";
  return (
    <details open={mine !== null}>
      <summary>Grant one that nobody asked for</summary>
      {mine === null ? null : <Notice kind="bad">{mine.problem.title}</Notice>}
      <Form context={context} action="grant-new" label="Grant a waiver">
        <TextField
          name="purl"
          label="Package and version"
          help={
            <>
              As <code>pkg:npm/left-pad@1.3.1</code>; without a version where a range says which.
            </>
          }
          value={value("purl")}
          error={error("purl")}
          isRequired
        />
        <TextField
          name="range"
          label="Range of versions"
          help={
            <>
              Instead of one version: <code>vers:npm/&gt;=1.3.0|&lt;2.0.0</code>
            </>
          }
          value={value("range")}
          error={error("range")}
        />
        <TextArea name="reason" label="Why" value={value("reason")} error={error("reason")} rows={2} />
        <TextField name="ticket" label="Ticket" value={value("ticket")} error={error("ticket")} />
        <Select
          name="for"
          label="For how long"
          value={value("for")}
          error={error("for")}
          options={LENGTHS}
        />
        <TextField
          name="until"
          type="date"
          label="Until this day"
          help="Where you chose a day above: it ends as that day begins, in UTC."
          value={value("until")}
          error={error("until")}
        />
        <Field
          name="lifts"
          label="What it lifts, if not holds alone"
          help="The instance's own denials are lifted by nothing."
          error={error("lifts")}
          isGroup
        >
          {LIFTABLE.map((lift) => (
            <label class="choice">
              <input
                type="checkbox"
                name="lifts"
                value={lift}
                checked={mine?.form.getAll("lifts").includes(lift) ?? false}
              />{" "}
              {lift}
            </label>
          ))}
        </Field>
        <div class="buttons">
          <button type="submit">Grant</button>
        </div>
      </Form>
    </details>
  );
}
