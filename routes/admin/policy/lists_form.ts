/** Between the lists of a document and a form with some of their entries: those that are changed, new, and taken out. */
import {
  changeEntries,
  entriesOf,
  type EntryFields,
  type NewEntry,
  type Place,
  type WrittenEntry,
} from "../../../policy/entries.ts";
import { parseInstant } from "../../../policy/instant.ts";
import { parseShortForm } from "../../../policy/pattern.ts";
import type { EpochMs } from "../../../policy/types.ts";

/** A row of fields, as it was sent. */
export interface Row {
  /** Of its fields' names: `new.0.`, `edit.2.`. */
  readonly prefix: string;
  /** Where the entry stands that it replaces; null: a new one. */
  readonly place: Place | null;
  readonly entry: NewEntry;
}

export interface ListsForm {
  readonly rows: readonly Row[];
  /** As `keyOf` writes them. */
  readonly removed: ReadonlySet<string>;
}

/** What of the lists is shown. */
export interface Filter {
  readonly q: string;
  readonly which: "all" | "allow" | "deny" | "ended" | "ending";
}

export const TEXT_FIELDS = ["purl", "range", "reason", "owner", "until", "id"] as const;
const WHICH: readonly string[] = ["all", "allow", "deny", "ended", "ending"];

/** A place as a form carries it. */
export function keyOf(place: Place): string {
  return JSON.stringify(place);
}

/** Rows in the order of their numbers. A place that the document does not have is no row. */
export function readListsForm(form: URLSearchParams, known: ReadonlyMap<string, WrittenEntry>): ListsForm {
  const prefixes = [...new Set([...form.keys()].flatMap((name) => /^(?:new|edit)\.\d+\./.exec(name) ?? []))];
  const dropped = /^drop:(.*)$/.exec(form.get("do") ?? "")?.[1];
  const rows = prefixes.flatMap((prefix): Row[] => {
    if (prefix === dropped) return [];
    const key = form.get(`${prefix}place`);
    const there = key === null ? null : known.get(key);
    if (there === undefined) return [];
    return [{ prefix, place: there?.place ?? null, entry: entryFrom(form, prefix, there) }];
  });
  const removed = form.getAll("remove").filter((key) => known.has(key));
  return { rows, removed: new Set(removed) };
}

function entryFrom(form: URLSearchParams, prefix: string, there: WrittenEntry | null): NewEntry {
  const text = (name: keyof EntryFields) => form.get(`${prefix}${name}`)?.trim() ?? "";
  const isFixed = there !== null && there.list !== "overrides";
  const effect = isFixed ? there.effect : form.get(`${prefix}effect`) === "allow" ? "allow" : "deny";
  return {
    effect,
    purl: text("purl"),
    range: text("range"),
    reason: text("reason"),
    owner: text("owner"),
    until: text("until"),
    id: text("id"),
    lifts: effect === "allow" ? form.getAll(`${prefix}lifts`) : [],
  };
}

/** A row for one more entry. */
export function emptyRow(rows: readonly Row[], owner: string): Row {
  const numbers = rows.filter(({ place }) => place === null).map(({ prefix }) =>
    Number(prefix.split(".")[1])
  );
  const entry = {
    effect: "deny",
    purl: "",
    range: "",
    reason: "",
    owner,
    until: "",
    id: "",
    lifts: [],
  } as const;
  return { prefix: `new.${Math.max(-1, ...numbers) + 1}.`, place: null, entry };
}

/** A row with an entry's own words in it. */
export function rowOf(entry: WrittenEntry, number: number): Row {
  return { prefix: `edit.${number}.`, place: entry.place, entry };
}

/** Nothing but what a new row begins with. */
export function isBlank({ place, entry }: Row): boolean {
  return place === null &&
    [entry.purl, entry.range, entry.reason, entry.until, entry.id].every((text) => text === "");
}

/** The document as the form has it, and which place of it (`overrides[3]`) each row became. */
export function listsFromForm(
  source: unknown,
  { rows, removed }: ListsForm,
  kind: "policy" | "floor",
): { readonly document: unknown; readonly places: ReadonlyMap<string, string> } {
  const said = rows.filter((row) => !isBlank(row) && (row.place === null || !removed.has(keyOf(row.place))));
  const edited = said.flatMap(({ place, entry, prefix }) => place === null ? [] : [{ place, entry, prefix }]);
  const added = said.filter(({ place }) => place === null);
  const changed = changeEntries(source, {
    kind,
    removed: [...removed].map((key) => JSON.parse(key) as Place),
    replaced: edited.filter(({ place, entry }) => !isSame(source, place, entry)),
    added: added.map(({ entry }) => entry),
  });
  const replaced = edited.filter(({ place, entry }) => !isSame(source, place, entry));
  return {
    document: changed.document,
    places: new Map([
      ...replaced.map(({ prefix }, index) => [prefix, changed.replaced[index] ?? ""] as const),
      ...added.map(({ prefix }, index) => [prefix, changed.added[index] ?? ""] as const),
    ]),
  };
}

/** A row in which nothing was changed leaves its entry as it was written. */
function isSame(source: unknown, place: Place, entry: NewEntry): boolean {
  const there = entriesOf(source).find((each) => keyOf(each.place) === keyOf(place));
  return there !== undefined && there.effect === entry.effect &&
    TEXT_FIELDS.every((name) => there[name] === entry[name]) &&
    there.lifts.join() === entry.lifts.join();
}

export function filterFrom(given: URLSearchParams): Filter {
  const which = given.get("which") ?? "all";
  return {
    q: (given.get("q") ?? "").trim(),
    which: WHICH.includes(which) ? which as Filter["which"] : "all",
  };
}

/** null: it does not end; NaN: it cannot be read. */
export function endOf({ until }: Pick<EntryFields, "until">): number | null {
  return until === "" ? null : parseInstant(until) ?? NaN;
}

export function filtered(
  entries: readonly WrittenEntry[],
  { q, which }: Filter,
  now: EpochMs,
): readonly WrittenEntry[] {
  const wanted = q.toLowerCase();
  return entries.filter((entry) => {
    const end = endOf(entry);
    if (which === "ended" && !(end !== null && end <= now)) return false;
    if (which === "ending" && !(end !== null && end > now)) return false;
    if ((which === "allow" || which === "deny") && entry.effect !== which) return false;
    return wanted === "" || textOf(entry).includes(wanted);
  });
}

/** All that can be looked for, the name as people write it among it. */
function textOf(entry: WrittenEntry): string {
  const pattern = parseShortForm(entry.purl);
  const name = pattern === null ? "" : `${pattern.type}/${pattern.name}@${pattern.version ?? ""}`;
  return [entry.purl, name, entry.range, entry.reason, entry.owner, entry.id].join("\n").toLowerCase();
}
