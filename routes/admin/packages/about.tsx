/** What is known of one package. */
import type { PageContext } from "../page.ts";
import { Empty, Table, Time } from "../ui.tsx";
import { count } from "../../text.ts";
import type { Package } from "./shapes.ts";

export function About({ context, found }: { readonly context: PageContext; readonly found: Package }) {
  const { now } = context;
  const { checkedAt, firstSeenAt, frozen } = found;
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
      {checkedAt === null ? null : (
        <>
          <div>
            <dt>Newest allowed</dt>
            <dd>{found.newestAllowed ?? "no release is"}</dd>
          </div>
          <div>
            <dt>Confirmed by upstream</dt>
            <dd>
              <Time at={checkedAt} now={now} />, first seen here <Time at={firstSeenAt} now={now} />
            </dd>
          </div>
        </>
      )}
      {frozen === null ? null : (
        <div>
          <dt>Frozen</dt>
          <dd>
            at <Time at={frozen.at} now={now} /> by {frozen.owner ?? "nobody"}
            {frozen.until === null ? null : (
              <>
                , until <Time at={frozen.until} now={now} />
              </>
            )}
            {frozen.reason === null ? "" : `: ${frozen.reason}`}
          </dd>
        </div>
      )}
    </dl>
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
