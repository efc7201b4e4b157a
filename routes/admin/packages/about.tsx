/** What is known of one package. */
import type { PageContext } from "../page.ts";
import { Badge, Empty, Table, Time } from "../ui.tsx";
import { count } from "../../text.ts";
import { sizeText } from "../../../storage/cache/size_text.ts";
import type { Frozen, Package, Release } from "./shapes.ts";

const VERDICTS = {
  allow: { word: "allowed", tone: "good" },
  warn: { word: "warned of", tone: "warn" },
  hold: { word: "held", tone: "warn" },
  deny: { word: "denied", tone: "bad" },
} as const;

export function About({ context, found, frozen }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly frozen: Frozen | null;
}) {
  const { now } = context;
  return (
    <dl class="facts">
      <div>
        <dt>Package</dt>
        <dd class="mono">
          <a
            href={`${context.site}/-/why/${found.purl}`}
          >
            {found.purl}
          </a>
        </dd>
      </div>
      <div>
        <dt>Newest allowed</dt>
        <dd>{found.newestAllowed ?? "no release is"}</dd>
      </div>
      <div>
        <dt>Confirmed by upstream</dt>
        <dd>
          <Time at={found.checkedAt} now={now} />, first seen here <Time at={found.firstSeenAt} now={now} />
        </dd>
      </div>
      {frozen === null ? null : (
        <div>
          <dt>Frozen</dt>
          <dd>
            at <Time at={frozen.at} now={now} /> by {frozen.owner ?? "nobody"}
            {frozen.reason === null ? "" : `: ${frozen.reason}`}
          </dd>
        </div>
      )}
    </dl>
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
        { title: "Verdict", cell: (release) => <Verdict release={release} now={now} /> },
        { title: "Files cached", cell: ({ files }) => <Files files={files} /> },
      ]}
    />
  );
}

function Verdict({ release, now }: { readonly release: Release; readonly now: PageContext["now"] }) {
  const { word, tone } = VERDICTS[release.verdict];
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {release.maturesAt === null ? null : (
        <>
          matures <Time at={release.maturesAt} now={now} />
        </>
      )}
      {release.reason === null ? null : <div class="quiet">{release.reason} ({release.rule})</div>}
    </>
  );
}

function Files({ files }: { readonly files: Release["files"] }) {
  const cached = files.filter((file) => file.cached !== null);
  if (cached.length === 0) return <span class="quiet">none of {count(files.length)}</span>;
  return (
    <details>
      <summary>
        {count(cached.length)} of {count(files.length)},{" "}
        {sizeText(cached.reduce((sum, file) => sum + (file.cached?.sizeBytes ?? 0), 0))}
      </summary>
      <ul class="plain">
        {cached.map(({ name, cached }) => (
          <li>
            {name} <div class="quiet mono">{cached?.digest ?? ""}</div>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function UsedBy({ context, found }: { readonly context: PageContext; readonly found: Package }) {
  const { usedBy, package: name, ecosystem } = found;
  return (
    <>
      <h2>Who has it</h2>
      {usedBy === null || usedBy.length === 0 ? <Empty>Nobody here was served any of it.</Empty> : (
        <>
          <Table
            caption="Who has it"
            rows={usedBy.slice(0, 20)}
            columns={[
              { title: "User", cell: ({ user }) => user ?? "callers without a name" },
              { title: "Versions", cell: ({ versions }) => versions.join(", ") },
              { title: "Installs", cell: ({ installs }) => count(installs), isNumber: true },
              { title: "Last", cell: ({ last }) => <Time at={last} now={context.now} /> },
            ]}
          />
          <p>
            <a href={context.path(["installs", "who"], { package: name, ecosystem })}>
              All of them, to hand around
            </a>
          </p>
        </>
      )}
    </>
  );
}
