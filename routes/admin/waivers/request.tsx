/** One request: everything an approver needs to decide, and the forms to answer it. */
import { errorOf, type PageContext } from "../page.ts";
import { Badge, Field, Form, Notice, Select, TextArea, TextField, Time } from "../ui.tsx";
import { LENGTHS, type Outlook, type Request, type Sent } from "./shapes.ts";

/** What of a rule that a waiver lifts is to be known. */
const LIFTS: Readonly<Record<string, string>> = {
  minimumAge: "the minimum age",
  unknownAge: "that nothing dates it",
  yanked: "that it was yanked",
  deprecated: "that it is deprecated",
  publisherDowngrade: "that it was published more weakly",
  override: "the organisation's own denial of it (needs the scope policy)",
  freeze: "that the package is frozen (needs the scope policy)",
};

export function subjectOf({ name, version, range }: Pick<Request, "name" | "version" | "range">): string {
  return version === null ? `${name}, ${range ?? "every version"}` : `${name} ${version}`;
}

/** Where the package is explained, for everybody. */
export function whyOf({ site }: PageContext, { purl, decisionId = null }: {
  readonly purl: string;
  readonly decisionId?: string | null;
}): string {
  return `${site}/-/why/${purl}${decisionId === null ? "" : `?decision=${encodeURIComponent(decisionId)}`}`;
}

export function RequestFacts({ context, request }: {
  readonly context: PageContext;
  readonly request: Request;
}) {
  const { askedBy, isVerified, address, askedAt, reason, ticket, until, lapsesAt, answer, outlook } = request;
  const { now } = context;
  return (
    <dl>
      <div>
        <dt>Asked for by</dt>
        <dd>
          {askedBy ?? "somebody"} {isVerified ? null : <Badge tone="warn">unverified, from {address}</Badge>}
          {" "}
          <Time at={askedAt} now={now} />
        </dd>
      </div>
      <div>
        <dt>Why</dt>
        <dd class="written">{reason}</dd>
      </div>
      {ticket === null ? null : (
        <div>
          <dt>Ticket</dt>
          <dd>
            <Ticket text={ticket} />
          </dd>
        </div>
      )}
      <div>
        <dt>For how long</dt>
        <dd>
          {until === null ? "until it matures" : (
            <>
              ends <Time at={until} now={now} />
            </>
          )}
        </dd>
      </div>
      <Standing context={context} request={request} outlook={outlook} />
      {answer === null
        ? (
          <div>
            <dt>Closed unanswered</dt>
            <dd>
              <Time at={lapsesAt} now={now} />
            </dd>
          </div>
        )
        : (
          <div>
            <dt>Answer</dt>
            <dd>
              {answer.granted ? <Badge tone="good">granted</Badge> : <Badge tone="bad">declined</Badge>} by
              {" "}
              {answer.by} <Time at={answer.at} now={now} />
              {answer.waiver === null ? null : (
                <>
                  , until <Time at={answer.waiver.until} now={now} />
                </>
              )}
              {answer.word === null ? null : <p class="written">{answer.word}</p>}
            </dd>
          </div>
        )}
    </dl>
  );
}

/** WARNING: a person's text: a link only where it is an address of the web. */
export function Ticket({ text }: { readonly text: string }) {
  return /^https?:\/\/\S+$/i.test(text) ? <a href={text} rel="noreferrer noopener">{text}</a> : <>{text}</>;
}

function Standing({ context, request, outlook }: {
  readonly context: PageContext;
  readonly request: Request;
  readonly outlook: Outlook | null;
}) {
  if (request.answer !== null) return null;
  const { now } = context;
  if (outlook === null) {
    return (
      <div>
        <dt>What stands against it</dt>
        <dd>Nothing is cached of this package any more.</dd>
      </div>
    );
  }
  const { named, refused, maturesAt } = outlook;
  return (
    <>
      <div>
        <dt>What stands against it now</dt>
        <dd>
          {refused === 0 ? "Nothing any more: it is allowed." : (
            <ul class="plain">
              {named.map(({ sentence }) => <li>{sentence}</li>)}
              {refused > named.length ? <li class="quiet">and {refused - named.length} more</li> : null}
            </ul>
          )}
        </dd>
      </div>
      {refused === 0 ? null : (
        <div>
          <dt>Matures by itself</dt>
          <dd>
            {maturesAt === null ? "never: time alone does not lift it" : <Time at={maturesAt} now={now} />}
          </dd>
        </div>
      )}
    </>
  );
}

/** `sent` is of this very request. */
export function AnswerForms({ context, request, sent }: {
  readonly context: PageContext;
  readonly request: Request;
  readonly sent: Sent | null;
}) {
  if (request.answer !== null || !context.can("approve")) return null;
  const { id, outlook } = request;
  const isLiftable = outlook?.isLiftable ?? true;
  const failed = (action: string) => sent?.form.get("action") === action ? sent : null;
  return (
    <>
      {sent === null ? null : <Notice kind="bad">{sent.problem.title}</Notice>}
      {isLiftable
        ? <Grant context={context} request={request} sent={failed("grant")} />
        : (
          <Notice kind="note">
            This is denied on the whole instance: no waiver lifts it. Decline it, with a word.
          </Notice>
        )}
      <details open={failed("decline") !== null}>
        <summary>Decline</summary>
        <Form context={context} action="decline" label={`Decline ${subjectOf(request)}`}>
          <input type="hidden" name="id" value={id} />
          <TextArea
            name="word"
            id={`word-no-${id}`}
            label="A word back"
            help="Shown on the package's page to whoever asked."
            value={failed("decline")?.form.get("word") ?? ""}
            error={errorOf(failed("decline")?.problem ?? null, "word")}
            rows={2}
          />
          <div class="buttons">
            <button type="submit" class="danger">Decline</button>
          </div>
        </Form>
      </details>
    </>
  );
}

function Grant({ context, request, sent }: {
  readonly context: PageContext;
  readonly request: Request;
  readonly sent: Sent | null;
}) {
  const { id, outlook, until } = request;
  const error = (field: string) => errorOf(sent?.problem ?? null, field);
  const value = (field: string) => sent?.form.get(field) ?? "";
  const asked = until === null ? "As asked: until it matures" : `As asked: until ${until.slice(0, 10)}`;
  return (
    <Form context={context} action="grant" label={`Grant ${subjectOf(request)}`}>
      <input type="hidden" name="id" value={id} />
      {outlook === null || outlook.lifts === null
        ? null
        : <Lifts lifts={outlook.lifts} chosen={sent?.form.getAll("lifts") ?? null} error={error("lifts")} />}
      <TextArea
        name="word"
        id={`word-${id}`}
        label="A word back"
        value={value("word")}
        error={error("word")}
        rows={2}
      />
      <details open={sent !== null}>
        <summary>For another time or other versions</summary>
        <Select
          name="for"
          id={`for-${id}`}
          label="For how long"
          value={value("for")}
          error={error("for")}
          options={[
            { value: "asked", label: asked },
            ...LENGTHS.filter(({ value }) => value !== "mature" || outlook?.maturesAt !== null),
          ]}
        />
        <TextField
          name="until"
          id={`until-${id}`}
          type="date"
          label="Until this day"
          help="Where you chose a day above: it ends as that day begins, in UTC."
          value={value("until")}
          error={error("until")}
        />
        <TextField
          name="range"
          id={`range-${id}`}
          label="Other versions"
          help={
            <>
              Empty: as asked. A range:{" "}
              <code>vers:{/^pkg:([^/]+)/.exec(request.purl)?.[1]}/&gt;=1.0.0|&lt;2.0.0</code>
            </>
          }
          value={value("range")}
          error={error("range")}
        />
      </details>
      <div class="buttons">
        <button type="submit">Grant</button>
      </div>
    </Form>
  );
}

/** Of what is denied: said, and ticked, so that it is done with open eyes. */
export function Lifts({ lifts, chosen, error }: {
  readonly lifts: readonly string[];
  readonly chosen: readonly string[] | null;
  readonly error: string | null;
}) {
  return (
    <Field name="lifts" label="This is denied, not only held. The waiver lifts" error={error} isGroup>
      {lifts.map((lift) => (
        <label class="choice">
          <input type="checkbox" name="lifts" value={lift} checked={chosen?.includes(lift) ?? true} />{" "}
          {LIFTS[lift] ?? lift}
        </label>
      ))}
    </Field>
  );
}
