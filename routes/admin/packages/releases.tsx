/** A package's releases: verdict with its reason, and files with the digests that the index states. */
import type { PageContext } from "../page.ts";
import { Badge, Empty, Form, Table, Time } from "../ui.tsx";
import { RuleName } from "../words.tsx";
import { ruleTitle } from "../../why_words.ts";
import { count } from "../../text.ts";
import { sizeText } from "../../../storage/cache/size_text.ts";
import type { Release } from "./shapes.ts";

const VERDICTS = {
  allow: { word: "allowed", tone: "good" },
  warn: { word: "warned of", tone: "warn" },
  hold: { word: "held", tone: "warn" },
  deny: { word: "denied", tone: "bad" },
} as const;

/** It may be asked for, written of and installed all the same. */
export function NothingCached({ context }: { readonly context: PageContext }) {
  const { can, principal } = context;
  return (
    <Empty>
      <p>Nothing is cached of it here: its releases show once somebody asks for it.</p>
      {can("operate") && principal.organisation === null
        ? (
          <Form context={context} action="look" label="Look it up" isInline>
            <button type="submit">Look it up now</button>
          </Form>
        )
        : null}
    </Empty>
  );
}

export function Releases(
  { context, releases }: { readonly context: PageContext; readonly releases: readonly Release[] },
) {
  if (releases.length === 0) return <Empty>There is no such release.</Empty>;
  const { now } = context;
  return (
    <Table
      caption="Releases, the highest version first"
      rows={releases}
      columns={[
        {
          title: "Version",
          cell: ({ version, publisher }) => (
            <>
              {version}
              {publisher === null ? null : <div class="quiet">by {publisher}</div>}
            </>
          ),
        },
        {
          title: "Published",
          cell: ({ publishedAt, firstSeenAt }) =>
            publishedAt === null
              ? (
                <span class="quiet">
                  no date; seen <Time at={firstSeenAt} now={now} />
                </span>
              )
              : <Time at={publishedAt} now={now} />,
        },
        { title: "Verdict", cell: (release) => <Verdict context={context} release={release} /> },
        { title: "Files", cell: ({ files }) => <Files files={files} now={now} /> },
      ]}
    />
  );
}

function Verdict({ context, release }: { readonly context: PageContext; readonly release: Release }) {
  const { verdict, maturesAt, reason, rule, waivers } = release;
  const { word, tone } = VERDICTS[verdict];
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {maturesAt === null ? null : (
        <>
          {" "}
          matures <Time at={maturesAt} now={context.now} />
        </>
      )}
      {reason === null || rule === "waiver" ? null : (
        <div class="quiet">
          {reason} (<RuleName rule={rule} />)
        </div>
      )}
      {waivers.map((waiver) => <Waived context={context} waiver={waiver} />)}
    </>
  );
}

function Waived({ context, waiver }: {
  readonly context: PageContext;
  readonly waiver: Release["waivers"][number];
}) {
  const { until, endsMature, owner, reason, lifts } = waiver;
  const name = <a href={context.path(["waivers", "in-force"])}>waiver</a>;
  return (
    <div class="quiet">
      {context.can("audit") ? name : "waiver"} by {owner}, which ends <Time at={until} now={context.now} />
      {endsMature ? ", as it matures" : ""}: {reason}
      <div>lifts: {lifts.map(({ rule, reason }) => `${reason} (${ruleTitle(rule)})`).join("; ")}</div>
    </div>
  );
}

function Files({ files, now }: { readonly files: Release["files"]; readonly now: PageContext["now"] }) {
  if (files.length === 0) return <span class="quiet">none listed</span>;
  const cached = files.flatMap((file) => file.cached ?? []);
  const size = sizeText(cached.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  return (
    <details>
      <summary>
        {cached.length === 0
          ? `${count(files.length)}, none cached`
          : `${count(files.length)}, ${count(cached.length)} cached, ${size}`}
      </summary>
      <ul class="plain">
        {files.map((file) => (
          <li>
            <File file={file} now={now} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function File({ file: { name, digests, cached }, now }: {
  readonly file: Release["files"][number];
  readonly now: PageContext["now"];
}) {
  const other = cached === null || digests.includes(cached.digest) ? [] : [cached.digest];
  return (
    <>
      {name} {cached === null ? <span class="quiet">not cached</span> : (
        <>
          <Badge tone="plain">cached</Badge>{" "}
          <span class="quiet">
            {sizeText(cached.sizeBytes)}, <Time at={cached.since} now={now} />
          </span>
        </>
      )}
      {digests.map((digest) => <div class="quiet mono">{digest}</div>)}
      {other.map((digest) => <div class="quiet mono">{digest} (of what is cached)</div>)}
      {digests.length === 0 ? <div class="quiet">The index states no digest.</div> : null}
    </>
  );
}
