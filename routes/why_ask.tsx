/** Exceptions on a why page: what was asked for and answered, and the form to ask. */
import type { WhyAnswer } from "../ecosystems/why.ts";
import type { EpochMs, Waiver } from "../policy/types.ts";
import type { WaiverRequest } from "../storage/waivers.ts";
import type { CallProblem } from "./admin/page.ts";
import { errorOf } from "./admin/page.ts";
import { Badge, Notice, Select, TextArea, TextField, Time } from "./admin/ui.tsx";
import { LENGTHS } from "./why_form.ts";
import { When } from "./why_parts.tsx";
import { isRefused } from "./why_words.ts";

/** What is known of whoever looks at the page. */
export interface Viewer {
  /** null: they have to say. */
  readonly user: string | null;
  /** By a token or a session. */
  readonly isVerified: boolean;
  /** Where they answer requests; null: they may not, or have not signed in. */
  readonly desk: string | null;
}

/** What a form was filled in with, and what was wrong with it. */
export interface AskForm {
  /** Of the session; null: there is none. */
  readonly token: string | null;
  readonly written: URLSearchParams | null;
  readonly problem: CallProblem | null;
}

/** Waivers in force and requests; nothing where there are none. */
export function Exceptions({ waivers, requests, viewer, now }: {
  readonly waivers: readonly Waiver[];
  readonly requests: readonly WaiverRequest[];
  readonly viewer: Viewer;
  readonly now: EpochMs;
}) {
  if (waivers.length + requests.length === 0) return null;
  return (
    <section>
      <h2 id="asked">Exceptions</h2>
      <dl>
        {waivers.map(({ version, range = null, owner, until, kind }) => (
          <div>
            <dt>
              {version ?? range} <Badge tone="good">in force</Badge>
            </dt>
            <dd>
              {kind === "audit-fix" ? "It fixes an advisory" : `Granted by ${owner}`}, ends{" "}
              <When at={until} now={now} />
            </dd>
          </div>
        ))}
        {requests.map((request) => <Request request={request} viewer={viewer} now={now} />)}
      </dl>
      {viewer.desk === null || requests.every(({ answer }) => answer !== null) ? null : (
        <p>
          <a href={viewer.desk}>Answer what is open</a>
        </p>
      )}
    </section>
  );
}

function Request({ request, viewer, now }: {
  readonly request: WaiverRequest;
  readonly viewer: Viewer;
  readonly now: EpochMs;
}) {
  const { version, range, asker, askedAt, answer, reason, ticket } = request;
  const isMine = viewer.isVerified && asker.isVerified && viewer.user === asker.user;
  return (
    <div>
      <dt>
        {version ?? range} <Answer request={request} />
      </dt>
      <dd>
        Asked for {viewer.isVerified ? `by ${asker.user ?? "somebody"}` : ""}{" "}
        {asker.isVerified || !viewer.isVerified ? null : <span class="quiet">(unverified)</span>}{" "}
        <Time at={askedAt} now={now} />
        {isMine ? <span>: {reason}{ticket === null ? null : ` (${ticket})`}</span> : null}
        {answer === null ? null : (
          <p>
            {viewer.isVerified ? answer.by : "An approver"} {answer.granted ? "granted it" : "declined it"}
            {" "}
            <Time at={answer.at} now={now} />
            {answer.waiver === null ? null : (
              <>
                , until <When at={answer.waiver.until} now={now} />
              </>
            )}
            {answer.word === null ? "." : <>: {answer.word}</>}
          </p>
        )}
      </dd>
    </div>
  );
}

function Answer({ request: { answer } }: { readonly request: WaiverRequest }) {
  if (answer === null) return <Badge tone="warn">waits for an answer</Badge>;
  return answer.granted ? <Badge tone="good">granted</Badge> : <Badge tone="bad">declined</Badge>;
}

/** Shown where something is refused. Posts to the page's own address. */
export function Ask({ answer, action, viewer, form }: {
  readonly answer: WhyAnswer;
  readonly action: string;
  readonly viewer: Viewer;
  readonly form: AskForm;
}) {
  const { version, withheld } = answer;
  if (!isRefused(answer) && form.problem === null) return null;
  const mayMature = version === null ||
    answer.reasons.some(({ verdict, liftedBy }) => verdict === "hold" && liftedBy === undefined);
  const value = (name: string) => form.written?.get(name) ?? "";
  const error = (name: string) => errorOf(form.problem, name);
  return (
    <section>
      <h2 id="ask">Ask for an exception</h2>
      {form.problem === null ? null : <Notice kind="bad">{form.problem.title}</Notice>}
      <form method="post" action={action} class="stack" aria-labelledby="ask">
        {form.token === null ? null : <input type="hidden" name="token" value={form.token} />}
        {viewer.user === null
          ? (
            <TextField
              name="name"
              label="Your name"
              help="Nobody verifies it; whoever answers sees that."
              value={value("name")}
              error={error("name")}
              isRequired
            />
          )
          : (
            <p class="quiet">
              You are {viewer.user}
              {viewer.isVerified
                ? "."
                : ", as your client says; whoever answers sees that nobody verified it."}
            </p>
          )}
        {version === null
          ? (
            <Select
              name="version"
              label="Version"
              value={value("version")}
              error={error("version") ?? error("purl")}
              options={withheld.map((each) => ({ value: each.version, label: each.version }))}
            />
          )
          : error("purl") === null
          ? null
          : <Notice kind="bad">{error("purl")}</Notice>}
        <TextArea
          name="reason"
          label="Why you need it"
          value={value("reason")}
          error={error("reason")}
          rows={3}
        />
        <TextField
          name="ticket"
          label="Ticket"
          help="Where the work is described, if it is: OPS-123, or an address."
          value={value("ticket")}
          error={error("ticket")}
        />
        <Select
          name="for"
          label="For how long"
          value={value("for")}
          error={error("for")}
          options={LENGTHS.filter(({ value }) => value !== "mature" || mayMature)}
        />
        <TextField
          name="until"
          type="date"
          label="Until this day"
          help="Where you chose a day above: it ends as that day begins, in UTC."
          value={value("until")}
          error={error("until")}
        />
        <details open={value("range") !== "" || error("range") !== null}>
          <summary>For more than one version</summary>
          <TextField
            name="range"
            label="A range instead of the one version"
            help={
              <>
                As VERS writes it: <code>{rangeSample(answer)}</code>
              </>
            }
            value={value("range")}
            error={error("range")}
          />
        </details>
        <div class="buttons">
          <button type="submit">Ask for it</button>
        </div>
      </form>
    </section>
  );
}

function rangeSample({ purl, version, withheld }: WhyAnswer): string {
  const type = /^pkg:([^/]+)\//.exec(purl)?.[1] ?? "npm";
  return `vers:${type}/>=${version ?? withheld[0]?.version ?? "1.0.0"}|<99`;
}
