/** `/-/why/{purl}` for a browser: the sentence a developer needs, what it rests on, and what can be done. */
import type { WhyAnswer, WhyWithheld } from "../ecosystems/why.ts";
import type { WaiverRequest } from "../storage/waivers.ts";
import { Notice, Table } from "./admin/ui.tsx";
import { htmlPage } from "./page.tsx";
import { Ask, type AskForm, Exceptions, type Viewer } from "./why_ask.tsx";
import { Decided, Rules, VerdictBadge, When } from "./why_parts.tsx";
import { missingSentence, type Turn, turnOf } from "./why_words.ts";

export type { AskForm, Viewer } from "./why_ask.tsx";

export async function whyHtml(shown: {
  readonly answer: WhyAnswer;
  readonly requests: readonly WaiverRequest[];
  readonly viewer: Viewer;
  readonly organisation: string;
  /** What precedes `/-/…`, absolute. */
  readonly site: string;
  /** The base address's own path. */
  readonly prefix: string;
  readonly status: number;
  /** The request that was just made, as the address says; null: none. */
  readonly done: string | null;
  /** The decision id in the address that has no record; null: it has one, or there is none. */
  readonly missing: string | null;
  /** null: nothing can be asked for here. */
  readonly ask: AskForm | null;
}): Promise<Response> {
  const { answer, requests, viewer, organisation, site, prefix, status, done, missing, ask } = shown;
  const here = `${new URL(site).pathname.replace(/\/+$/, "")}/-/why`;
  const purl = answer.purl.replaceAll("%40", "@");
  const title = answer.version === null ? answer.name : `${answer.name} ${answer.version}`;
  const decision = answer.record === null ? "" : `?decision=${answer.record.id}`;
  const isAsked = requests.some(({ id }) => id === done);
  return await htmlPage({
    title: `${title} - Sluice`,
    prefix,
    status,
    children: (
      <div class="admin why">
        <p class="quiet">
          <a href={`${here.slice(0, -"/-/why".length)}/`}>Sluice</a>, organisation {organisation}
        </p>
        <h1>{title}</h1>
        {isAsked
          ? (
            <Notice kind="good">
              Your request was sent. The answer will stand on this page: <a href="#asked">below</a>.
            </Notice>
          )
          : null}
        {missing === null ? null : <Notice kind="note">{missingSentence(missing, answer)}</Notice>}
        <p class="sentence">{answer.sentence}</p>
        <Summary answer={answer} here={here} />
        {answer.rules.length === 0 ? null : (
          <section>
            <h2>What each rule found</h2>
            <Rules rules={answer.rules} />
          </section>
        )}
        <Withheld answer={answer} here={here} />
        <Exceptions waivers={answer.waivers} requests={requests} viewer={viewer} now={answer.decidedAt} />
        {ask === null
          ? null
          : <Ask answer={answer} action={`${here}/${purl}${decision}`} viewer={viewer} form={ask} />}
        {answer.record === null ? null : <Decided answer={answer} record={answer.record} />}
        <footer>
          <a href={`${here}/${purl}${decision === "" ? "?" : `${decision}&`}format=json`}>As JSON</a>
          <span>
            In a terminal: <code>curl {site}/-/why/{purl}</code>
          </span>
        </footer>
      </div>
    ),
  });
}

const TURNS: Readonly<Record<Turn, string>> = {
  next: "Next change",
  lifts: "Lifts by itself",
  "waiver-ends": "The waiver ends",
  changes: "Changes by itself",
};

function Summary({ answer, here }: { readonly answer: WhyAnswer; readonly here: string }) {
  const { verdict, until, newestAllowed, publishedAt, firstSeenAt, file, asOf, decidedAt: now } = answer;
  const turn = turnOf(answer);
  return (
    <dl>
      {verdict === null ? null : (
        <div>
          <dt>Verdict</dt>
          <dd>
            <VerdictBadge verdict={verdict} />
          </dd>
        </div>
      )}
      {verdict === null && until === null ? null : (
        <div>
          <dt>{TURNS[turn]}</dt>
          <dd>
            {until === null
              ? "Never: time alone does not change it"
              : <When at={until} now={now} isLift={turn !== "waiver-ends"} />}
          </dd>
        </div>
      )}
      <div>
        <dt>Newest version that is allowed</dt>
        <dd>
          {newestAllowed === null
            ? "None"
            : <a href={linkTo(answer, here, newestAllowed)}>{newestAllowed}</a>}
        </dd>
      </div>
      {publishedAt === null ? null : (
        <div>
          <dt>Published</dt>
          <dd>
            <When at={publishedAt} now={now} />
          </dd>
        </div>
      )}
      {firstSeenAt === null ? null : (
        <div>
          <dt>First seen here</dt>
          <dd>
            <When at={firstSeenAt} now={now} />
          </dd>
        </div>
      )}
      {file === null || file.of < 2 ? null : (
        <div>
          <dt>File that speaks for it</dt>
          <dd>
            {file.filename} <span class="quiet">(one of {file.of})</span>
          </dd>
        </div>
      )}
      {asOf === null ? null : (
        <div>
          <dt>As of</dt>
          <dd>
            <When at={asOf} now={now} />
          </dd>
        </div>
      )}
      <div>
        <dt>Policy</dt>
        <dd>Revision {answer.policyRevision}</dd>
      </div>
    </dl>
  );
}

function Withheld({ answer, here }: { readonly answer: WhyAnswer; readonly here: string }) {
  const { version, withheld, asOf, decidedAt: now } = answer;
  if (version !== null || withheld.length === 0) return null;
  return (
    <section>
      <h2>{asOf === null ? "Withheld now" : "Withheld as of then"}</h2>
      <Table<WhyWithheld>
        caption="Withheld releases, the newest first"
        columns={[
          { title: "Version", cell: ({ version }) => <a href={linkTo(answer, here, version)}>{version}</a> },
          { title: "Verdict", cell: ({ verdict }) => <VerdictBadge verdict={verdict} /> },
          { title: "Why", cell: ({ reason }) => reason.message },
          {
            title: "Lifts",
            cell: ({ until }) => until === null ? "never" : <When at={until} now={now} isLift />,
          },
        ]}
        rows={withheld}
      />
    </section>
  );
}

/** Another version's page: the purl without its version, and that one. */
function linkTo({ purl, version }: WhyAnswer, here: string, other: string): string {
  const bare = version === null ? purl : purl.slice(0, purl.lastIndexOf("@"));
  return `${here}/${bare.replaceAll("%40", "@")}@${encodeURIComponent(other)}`;
}

/** Nothing is known of what was asked about: said to a person. */
export async function unknownPage({ prefix, site, status, missing }: {
  readonly prefix: string;
  readonly site: string;
  readonly status: number;
  readonly missing: string | null;
}): Promise<Response> {
  return await htmlPage({
    title: "Nothing is known of this package - Sluice",
    prefix,
    status,
    children: (
      <div class="admin why">
        <p class="quiet">
          <a href={`${new URL(site).pathname.replace(/\/+$/, "")}/`}>Sluice</a>
        </p>
        <h1>Nothing is known of this package here</h1>
        <p>
          Nobody asked this Sluice for it yet, or it does not exist. Ask for it with your client once; then
          this page can say what is allowed of it.
        </p>
        {missing === null ? null : <Notice kind="note">{missingSentence(missing, null)}</Notice>}
      </div>
    ),
  });
}
