/** Pieces of a why page: findings, what they rest on, and what became of a decision. */
import type { RuleChange, WhyAnswer, WhyRule } from "../ecosystems/why.ts";
import type { EpochMs, Examined, Reason, Verdict } from "../policy/types.ts";
import type { DecisionRecord } from "../storage/kv/decisions.ts";
import { Badge, Table, Time } from "./admin/ui.tsx";
import { changeSentences, minute, minuteUp, notesOf, ruleTitle, VERDICTS } from "./why_words.ts";

const TONES: Readonly<Record<Verdict, "good" | "warn" | "bad">> = {
  allow: "good",
  warn: "warn",
  hold: "warn",
  deny: "bad",
};

export function VerdictBadge({ verdict }: { readonly verdict: Verdict }) {
  return <Badge tone={TONES[verdict]}>{VERDICTS[verdict]}</Badge>;
}

/** `in 9 days (2026-11-30 09:00 UTC)`. `isLift`: when something lifts, which is not said too early. */
export function When({ at, now, isLift = false }: {
  readonly at: EpochMs;
  readonly now: EpochMs;
  readonly isLift?: boolean;
}) {
  return (
    <>
      <Time at={at} now={now} /> <span class="quiet">({isLift ? minuteUp(at) : minute(at)})</span>
    </>
  );
}

function Finding({ reason }: { readonly reason: Reason }) {
  const notes = notesOf({ ...reason, horizon: null });
  return (
    <li>
      <VerdictBadge verdict={reason.verdict} /> {reason.message}
      {reason.horizon === null ? null : <span class="quiet">, until {minuteUp(reason.horizon)}</span>}
      {notes.length === 0 ? null : <span class="quiet">{` (${notes.join("; ")})`}</span>}
    </li>
  );
}

function Found({ said }: { readonly said: Omit<WhyRule, "rule"> | null }) {
  if (said === null) return <p class="quiet">It was not asked.</p>;
  return (
    <>
      {said.found.length === 0
        ? <p class="quiet">Found nothing.</p>
        : <ul class="plain">{said.found.map((reason) => <Finding reason={reason} />)}</ul>}
      <Facts examined={said} />
    </>
  );
}

function Facts({ examined: { setting, facts } }: { readonly examined: Omit<Examined, "rule"> }) {
  const words = [
    ...(setting === "" ? [] : [`set to ${setting}`]),
    ...facts.map(({ what, value }) => `${what}: ${value}`),
  ];
  return words.length === 0 ? null : <p class="quiet">{words.join("; ")}</p>;
}

/** Those that found something; the others can be unfolded. */
export function Rules({ rules }: { readonly rules: readonly WhyRule[] }) {
  const spoke = rules.filter(({ found }) => found.length > 0);
  const silent = rules.filter(({ found }) => found.length === 0);
  return (
    <>
      {spoke.length === 0 ? <p>None of them found anything.</p> : <RuleList rules={spoke} />}
      {silent.length === 0 ? null : (
        <details class="more">
          <summary>
            {silent.length === 1 ? "One rule" : `${silent.length} rules`} found nothing, and on which facts
          </summary>
          <RuleList rules={silent} />
        </details>
      )}
    </>
  );
}

function RuleList({ rules }: { readonly rules: readonly WhyRule[] }) {
  return (
    <dl>
      {rules.map((rule) => (
        <div>
          <dt>{ruleTitle(rule.rule)}</dt>
          <dd>
            <Found said={rule} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A decision as it was made, and what has changed since. */
export function Decided({ answer, record }: {
  readonly answer: WhyAnswer;
  readonly record: DecisionRecord;
}) {
  const now = answer.decidedAt;
  const reasons = record.decision?.reasons ?? [];
  const examined = record.examined ?? [];
  return (
    <section>
      <h2 id="decision">
        Decision <code>{record.id}</code>
      </h2>
      <dl>
        <div>
          <dt>First made at</dt>
          <dd>
            <When at={record.decidedAt} now={now} />, under policy revision {record.policyRevision}
            <p class="quiet">Whatever was decided alike since then has this id, too.</p>
          </dd>
        </div>
        <div>
          <dt>On</dt>
          <dd>{subjectOf(record)}</dd>
        </div>
        {record.decision === null ? null : (
          <div>
            <dt>Verdict then</dt>
            <dd>
              <VerdictBadge verdict={record.decision.verdict} />
            </dd>
          </div>
        )}
      </dl>
      {record.decision === null ? null : (
        <>
          <h3>What each rule found then</h3>
          <Rules rules={thenRules(examined, reasons)} />
        </>
      )}
      <Since answer={answer} />
    </section>
  );
}

function subjectOf({ version, filename, withheldCount }: DecisionRecord): string {
  if (version === null) return `The index, of which ${withheldCount} withheld`;
  return filename === null ? version : `${version}, file ${filename}`;
}

function thenRules(examined: readonly Examined[], reasons: readonly Reason[]): readonly WhyRule[] {
  const rules = [...new Set([...reasons.map(({ rule }) => rule), ...examined.map(({ rule }) => rule)])];
  return rules.map((rule) => ({
    rule,
    setting: "",
    facts: [],
    ...examined.find((each) => each.rule === rule),
    found: reasons.filter((reason) => reason.rule === rule),
  }));
}

function Since({ answer }: { readonly answer: WhyAnswer }) {
  const { changes } = answer;
  if (changes === null) return null;
  return (
    <>
      <h3>What has changed since</h3>
      <ul>
        {changeSentences(answer).map((sentence) => <li>{sentence}</li>)}
      </ul>
      {changes.rules.length > 0
        ? <ChangedRules rules={changes.rules} />
        : answer.record?.version === null
        ? null
        : <p>Every rule says what it said then.</p>}
      {changes.versions.length === 0 ? null : (
        <Table
          caption="Releases of which something else is decided now"
          columns={[
            { title: "Version", cell: ({ version }) => version },
            { title: "Then", cell: ({ before }) => <VerdictBadge verdict={before} /> },
            {
              title: "Now",
              cell: ({ now }) => now === null ? "not listed" : <VerdictBadge verdict={now} />,
            },
          ]}
          rows={changes.versions}
        />
      )}
    </>
  );
}

function ChangedRules({ rules }: { readonly rules: readonly RuleChange[] }) {
  return (
    <dl>
      {rules.map(({ rule, before, now }) => (
        <div>
          <dt>{ruleTitle(rule)}</dt>
          <dd class="then-now">
            <div>
              <h4>Then</h4>
              <Found said={before} />
            </div>
            <div>
              <h4>Now</h4>
              <Found said={now} />
            </div>
          </dd>
        </div>
      ))}
    </dl>
  );
}
