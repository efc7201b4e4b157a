/** The lists of a document: looked through, and changed entry by entry; of the policy and of the floor. */
import { entriesOf, type WrittenEntry } from "../../../policy/entries.ts";
import { LIFTABLE } from "../../../policy/documents.ts";
import { type AdminPage, type CallProblem, errorOf, type PageContext, type View } from "../page.ts";
import { Badge, count, Empty, Field, Notice, Select, Table, TextField, Time } from "../ui.tsx";
import { isView, type Tried, tryDraft } from "./draft.ts";
import { DraftButtons, DraftForm, Problem, Tabs } from "./frame.tsx";
import { baseOf, current, type DocumentKind, type Revisioned } from "./kinds.ts";
import {
  emptyRow,
  endOf,
  type Filter,
  filtered,
  filterFrom,
  keyOf,
  type ListsForm,
  listsFromForm,
  readListsForm,
  type Row,
  rowOf,
} from "./lists_form.ts";
import { PreviewShown } from "./preview_shown.tsx";

interface Drawn {
  readonly context: PageContext;
  readonly kind: DocumentKind;
  readonly path: string;
  readonly base: Revisioned;
  readonly entries: readonly WrittenEntry[];
  readonly filter: Filter;
  readonly from: number;
  readonly form: ListsForm;
  readonly message: string;
  readonly tried: Tried | null;
  /** By the rows' prefixes. */
  readonly places: ReadonlyMap<string, string>;
}

const SHOWN = 50;

export function listsPage(kind: DocumentKind, words: {
  readonly path: string;
  readonly isInMenu?: boolean;
}): AdminPage {
  const { path } = words;
  return {
    path,
    title: kind.title,
    scope: "policy",
    ...(kind.kind === "floor" ? { isForInstance: true } : {}),
    ...(words.isInMenu === true ? { isInMenu: true } : {}),
    notices: { saved: "Saved. It is in force within a second." },
    async show(context) {
      const base = await current(context, kind);
      const entries = entriesOf(base.document);
      const asked = new Set(context.query.getAll("edit"));
      const opened = entries.filter(({ place }) => asked.has(keyOf(place))).map(rowOf);
      const rows = entries.length === 0 || context.query.has("add")
        ? [...opened, emptyRow([], context.member.user)]
        : opened;
      return page({
        ...{ context, kind, path, base, entries },
        ...placeIn(context.query),
        form: { rows, removed: new Set() },
        message: "",
        tried: null,
        places: new Map(),
      });
    },
    actions: { edit: { scope: "policy", run: (context, form) => edited(context, { kind, path }, form) } },
  };
}

async function edited(
  context: PageContext,
  { kind, path }: { readonly kind: DocumentKind; readonly path: string },
  sent: URLSearchParams,
): Promise<View> {
  const base = await baseOf(context, kind, sent);
  const entries = entriesOf(base.document);
  const read = readListsForm(sent, new Map(entries.map((entry) => [keyOf(entry.place), entry])));
  const isAdding = sent.get("do") === "add";
  const form = isAdding ? { ...read, rows: [...read.rows, emptyRow(read.rows, context.member.user)] } : read;
  const { document, places } = listsFromForm(base.document, form, kind.kind);
  const tried = await tryDraft(context, { kind, base, document, form: sent, after: path });
  if (isView(tried)) return tried;
  const message = sent.get("message") ?? "";
  return page({ context, kind, path, base, entries, ...placeIn(sent), form, message, tried, places });
}

/** Which part of the lists is looked at. */
function placeIn(given: URLSearchParams): Pick<Drawn, "filter" | "from"> {
  const from = /^\d{1,6}$/.test(given.get("from") ?? "") ? Number(given.get("from")) : 0;
  return { filter: filterFrom(given), from };
}

function page(drawn: Drawn): View {
  const { context, kind, path, base, filter, form, tried, entries, from } = drawn;
  const found = filtered(entries, filter, context.now);
  const problem = tried?.problem ?? null;
  const body = (
    <>
      <Tabs context={context} kind={kind} path={path} />
      <p class="lead">{LEADS[kind.kind]}</p>
      <Problem problem={problem} shown={(field) => isShown(drawn, field)} />
      {tried?.word === "same" ? <Notice kind="note">Nothing was changed.</Notice> : null}
      {tried?.word === "checked" ? <Notice kind="good">There is no mistake in it.</Notice> : null}
      {tried?.preview ? <PreviewShown context={context} preview={tried.preview} /> : null}
      {entries.length === 0 ? null : <Search drawn={drawn} />}
      <DraftForm context={context} revision={base.revision} label="Entries" isWide>
        <input type="hidden" name="q" value={filter.q} />
        <input type="hidden" name="which" value={filter.which} />
        <input type="hidden" name="from" value={String(from)} />
        <Found drawn={drawn} found={found} />
        {form.rows.map((row) => <RowFields drawn={drawn} row={row} />)}
        <div class="buttons">
          <button class="quiet" type="submit" name="do" value="add">Add an entry</button>
        </div>
        <DraftButtons kind={kind} message={drawn.message} />
      </DraftForm>
    </>
  );
  return { kind: "page", status: problem?.status ?? 200, body };
}

const LEADS = {
  policy:
    "Allows and denials, the most specific first; on a tie the denial wins. Each may say why, whose it is " +
    "and when it ends.",
  floor:
    "Denials that hold for every organisation of this instance: nothing lifts them, nor observes them away.",
} as const;

function isShown({ places }: Drawn, field: string): boolean {
  return [...places.values()].some((place) => place !== "" && field.startsWith(`body.document.${place}`));
}

function Search({ drawn: { context, filter } }: { readonly drawn: Drawn }) {
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

function Found({ drawn, found }: { readonly drawn: Drawn; readonly found: readonly WrittenEntry[] }) {
  const { entries, from, filter } = drawn;
  if (entries.length === 0) return <Empty>{EMPTY[drawn.kind.kind]}</Empty>;
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
        {
          title: "Change",
          cell: (entry) => <a href={linkTo(drawn, { edit: keyOf(entry.place) })}>Change {shortOf(entry)}</a>,
        },
        {
          title: "Take out",
          cell: (entry) => (
            <input
              type="checkbox"
              name="remove"
              value={keyOf(entry.place)}
              checked={form.removed.has(keyOf(entry.place))}
              aria-label={`Take out ${entry.purl}`}
            />
          ),
        },
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

interface OfRow {
  readonly drawn: Drawn;
  readonly row: Row;
}

function RowFields({ drawn, row }: OfRow) {
  const { prefix, place, entry } = row;
  const problem = drawn.tried?.problem ?? null;
  const there = place === null
    ? null
    : drawn.entries.find((each) => keyOf(each.place) === keyOf(place)) ?? null;
  const title = there === null ? "A new entry" : `Change ${there.purl}`;
  const whole = rowError(drawn, row, "");
  const field = (name: "purl" | "range" | "reason" | "owner" | "until" | "id") => ({
    name: `${prefix}${name}`,
    value: entry[name],
    error: rowError(drawn, row, name),
  });
  return (
    <fieldset class="card">
      <legend>{title}</legend>
      {place === null ? null : <input type="hidden" name={`${prefix}place`} value={keyOf(place)} />}
      {whole === null || problem === null ? null : <p class="error" role="alert">{whole}</p>}
      <div class="settings">
        {drawn.kind.kind === "floor" || (there !== null && there.list !== "overrides") ? null : (
          <Select
            name={`${prefix}effect`}
            label="Effect"
            value={entry.effect}
            options={[{ value: "deny", label: "deny" }, { value: "allow", label: "allow" }]}
          />
        )}
        <TextField
          {...field("purl")}
          label="Package"
          help={
            <>
              <code>npm/axios</code>, <code>npm/axios==0.30.4</code>, <code>npm/@evil/*</code> or a purl
            </>
          }
        />
        <TextField
          {...field("range")}
          label="Range of versions"
          help={
            <>
              Instead of a version: <code>{"vers:npm/>=4.0.0|<4.17.21"}</code>
            </>
          }
        />
        <TextField {...field("reason")} label="Reason" help="Shown to whoever meets it." />
        <TextField {...field("owner")} label="Owner" help="Whom to ask." />
        <TextField
          {...field("until")}
          label="Ends"
          help="2026-12-24 or 2026-12-24T12:00:00Z; empty: it stays."
        />
      </div>
      {drawn.kind.kind === "floor"
        ? null
        : <More row={row} error={rowError(drawn, row, "lifts")} field={field("id")} />}
      <div class="buttons">
        <button class="quiet" type="submit" name="do" value={`drop:${prefix}`}>
          {place === null ? "Take this row away" : "Leave it as it was"}
        </button>
      </div>
    </fieldset>
  );
}

/** What few entries need. */
function More({ row: { prefix, entry }, error, field }: {
  readonly row: Row;
  readonly error: string | null;
  readonly field: { readonly name: string; readonly value: string; readonly error: string | null };
}) {
  return (
    <details open={entry.lifts.length > 0 || entry.id !== "" || error !== null || field.error !== null}>
      <summary>What an allow lifts, and a name</summary>
      <Field
        name={`${prefix}lifts`}
        label="Lifts"
        help="None ticked: holds, yanked, deprecated and publisherDowngrade. Only an allow lifts."
        error={error}
        isGroup
      >
        {LIFTABLE.map((name) => (
          <label class="choice">
            <input
              type="checkbox"
              name={`${prefix}lifts`}
              value={name}
              checked={entry.lifts.includes(name)}
            />
            <code>{name}</code>
          </label>
        ))}
      </Field>
      <TextField {...field} label="Name of the entry" help="As explanations call it; made up if empty." />
    </details>
  );
}

/** "": of the whole entry. */
function rowError({ tried, places }: Drawn, { prefix }: Row, field: string): string | null {
  const place = places.get(prefix);
  if (place === undefined || place === "") return null;
  const problem: CallProblem | null = tried?.problem ?? null;
  return errorOf(problem, `document.${place}${field === "" ? "" : `.${field}`}`);
}
