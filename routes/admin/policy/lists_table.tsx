/** The entries that were looked for, each to be changed or taken out. */
import type { WrittenEntry } from "../../../policy/entries.ts";
import type { PageContext } from "../page.ts";
import { Badge, Empty, Select, Table, TextField, Time } from "../ui.tsx";
import { count } from "../../text.ts";
import type { Drawn } from "./lists_drawn.ts";
import { endOf, keyOf } from "./lists_form.ts";

const SHOWN = 50;

export function Search({ drawn: { context, filter } }: { readonly drawn: Drawn }) {
  return (
    <form class="filters" method="get" action={context.here} role="search">
      <TextField name="q" type="search" label="Look for" value={filter.q} />
      <Select
        name="which"
        label="Which"
        value={filter.which}
        options={[
          { value: "all", label: "all" },
          { value: "deny", label: "denials" },
          { value: "allow", label: "allows" },
          { value: "ending", label: "those that will end" },
          { value: "ended", label: "those that have ended" },
        ]}
      />
      <button class="quiet" type="submit">Look</button>
    </form>
  );
}

export function Found({ drawn, found }: { readonly drawn: Drawn; readonly found: readonly WrittenEntry[] }) {
  const { entries, from, filter } = drawn;
  if (entries.length === 0) {
    return <Empty>{drawn.context.can("policy") ? EMPTY[drawn.kind.kind] : "There is no entry yet."}</Empty>;
  }
  if (found.length === 0) {
    return <Empty>None of the {count(entries.length)} entries is like that. Look for less.</Empty>;
  }
  const shown = found.slice(from, from + SHOWN);
  const isAll = filter.q === "" && filter.which === "all";
  return (
    <>
      <p class="quiet">
        {isAll
          ? `${count(entries.length)} ${entries.length === 1 ? "entry" : "entries"}`
          : `${count(found.length)} of ${count(entries.length)} entries`}
        {shown.length < found.length ? `, from ${count(from + 1)} to ${count(from + shown.length)}` : ""}
      </p>
      <EntryTable drawn={drawn} entries={shown} />
      <Pages drawn={drawn} total={found.length} />
    </>
  );
}

const EMPTY = {
  policy:
    "There is no entry yet. Deny a package, or allow one that the rules would hold: fill in the row below.",
  floor: "Nothing is denied for everybody yet. Fill in the row below.",
} as const;

function EntryTable(
  { drawn, entries }: { readonly drawn: Drawn; readonly entries: readonly WrittenEntry[] },
) {
  const { context, form } = drawn;
  return (
    <Table
      caption="Entries"
      rows={entries}
      columns={[
        { title: "Package", cell: (entry) => <What entry={entry} /> },
        { title: "Reason", cell: ({ reason }) => reason },
        { title: "Owner", cell: ({ owner }) => owner },
        { title: "Ends", cell: (entry) => <Ends entry={entry} now={context.now} /> },
        { title: "In", cell: ({ list, ecosystem }) => ecosystem === null ? list : `${ecosystem}: ${list}` },
        ...(context.can("policy")
          ? [{
            title: "Change",
            cell: (entry: WrittenEntry) => (
              <a href={linkTo(drawn, { edit: keyOf(entry.place) })}>Change {shortOf(entry)}</a>
            ),
          }, {
            title: "Take out",
            cell: (entry: WrittenEntry) => (
              <input
                type="checkbox"
                name="remove"
                value={keyOf(entry.place)}
                checked={form.removed.has(keyOf(entry.place))}
                aria-label={`Take out ${entry.purl}`}
              />
            ),
          }]
          : []),
      ]}
    />
  );
}

/** For those who hear the link read; seen, the row says it. */
function shortOf({ purl }: WrittenEntry) {
  return <span class="unseen">{purl}</span>;
}

function What({ entry }: { readonly entry: WrittenEntry }) {
  const { effect, purl, range, lifts } = entry;
  return (
    <>
      <Badge tone={effect === "deny" ? "bad" : "good"}>{effect}</Badge> <span class="mono">{purl}</span>
      {range === "" ? null : <div class="mono quiet">{range}</div>}
      {lifts.length === 0 ? null : <div class="quiet">lifts {lifts.join(", ")}</div>}
    </>
  );
}

function Ends({ entry, now }: { readonly entry: WrittenEntry; readonly now: PageContext["now"] }) {
  const end = endOf(entry);
  if (end === null) return <span class="quiet">not by itself</span>;
  if (Number.isNaN(end)) return <>{entry.until}</>;
  const time = <Time at={new Date(end).toISOString()} now={now} />;
  return end <= now
    ? (
      <>
        {time} <Badge tone="plain">ended</Badge>
      </>
    )
    : time;
}

/** This page with other words in its query; what is being looked for stays. */
function linkTo({ context, filter }: Drawn, query: Readonly<Record<string, string>>): string {
  const search = new URLSearchParams({
    ...(filter.q === "" ? {} : { q: filter.q }),
    ...(filter.which === "all" ? {} : { which: filter.which }),
    ...query,
  });
  return `${context.here}?${search}`;
}

function Pages({ drawn, total }: { readonly drawn: Drawn; readonly total: number }) {
  const { from } = drawn;
  const [before, after] = [Math.max(0, from - SHOWN), from + SHOWN];
  if (from === 0 && after >= total) return null;
  return (
    <nav class="pager buttons" aria-label="Further entries">
      {from === 0 ? null : <a href={linkTo(drawn, { from: String(before) })} rel="prev">Those before</a>}
      {after >= total ? null : <a href={linkTo(drawn, { from: String(after) })} rel="next">Next entries</a>}
    </nav>
  );
}
