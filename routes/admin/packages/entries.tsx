/** What somebody wrote of a package into the policy's lists and the instance's floor. */
import type { PageContext } from "../page.ts";
import { Badge, Table, Time } from "../ui.tsx";
import type { Entry, Package } from "./shapes.ts";

export function Entries({ context, found, entries }: {
  readonly context: PageContext;
  readonly found: Package;
  readonly entries: readonly Entry[];
}) {
  const { can, now } = context;
  const own = entries.filter(({ isFloor }) => !isFloor);
  // A glob is not found by the name.
  const q = own.every((entry) => entry.package.includes(found.package)) ? found.package : null;
  return (
    <>
      <h2>What the lists say of it</h2>
      <Table
        caption="List entries that name it"
        rows={entries}
        columns={[
          { title: "Entry", cell: (entry) => <What entry={entry} /> },
          { title: "Reason", cell: ({ reason }) => reason ?? "" },
          { title: "Owner", cell: ({ owner }) => owner ?? "" },
          {
            title: "Ends",
            cell: ({ until }) =>
              until === null ? <span class="quiet">not by itself</span> : (
                <>
                  <Time at={until} now={now} />{" "}
                  {Date.parse(until) <= now ? <Badge tone="plain">ended</Badge> : null}
                </>
              ),
          },
          { title: "In", cell: ({ isFloor }) => isFloor ? "the instance's floor" : "the policy" },
        ]}
      />
      {can("policy") && own.length > 0
        ? (
          <p>
            <a href={context.path(["policy", "lists"], { q })}>Change them in the lists</a>
          </p>
        )
        : null}
    </>
  );
}

function What({ entry }: { readonly entry: Entry }) {
  const { effect, package: name, version, range } = entry;
  return (
    <>
      <Badge tone={effect === "deny" ? "bad" : "good"}>{effect}</Badge>{" "}
      <span class="mono">{version === null ? name : `${name}==${version}`}</span>
      {range === null ? null : <div class="mono quiet">{range}</div>}
    </>
  );
}
