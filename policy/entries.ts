/** The lists of a document as they were written, entry by entry: to be looked through, changed, and left as they are otherwise. */

/** Where something stands in a document: keys and indexes from its root. */
export type Place = readonly (string | number)[];

/** An entry's own words; what it does not say is "". */
export interface EntryFields {
  /** A purl, or a short form such as `npm/axios==0.30.4`. */
  readonly purl: string;
  readonly range: string;
  readonly reason: string;
  readonly owner: string;
  readonly until: string;
  readonly id: string;
  readonly lifts: readonly string[];
}

export interface WrittenEntry extends EntryFields {
  readonly place: Place;
  readonly list: ListName;
  /** Whose settings the list stands in; null: the organisation's (or the floor). */
  readonly ecosystem: string | null;
  readonly effect: "allow" | "deny";
}

export interface NewEntry extends EntryFields {
  readonly effect: "allow" | "deny";
}

export interface EntryChanges {
  readonly removed: readonly Place[];
  readonly replaced: readonly { readonly place: Place; readonly entry: NewEntry }[];
  /** Of a policy they join `overrides`, of the floor `deny`. */
  readonly added: readonly NewEntry[];
  readonly kind: "policy" | "floor";
}

type ListName = (typeof LISTS)[number];
type Fields = Record<string, unknown>;

const LISTS = ["overrides", "block", "allow", "deny"] as const;

/** In the order of the document: the organisation's lists, then each ecosystem's. */
export function entriesOf(source: unknown): readonly WrittenEntry[] {
  if (!isFields(source)) return [];
  const ecosystems = isFields(source.ecosystems) ? source.ecosystems : {};
  return [
    ...listsIn(source, [], null),
    ...Object.entries(ecosystems).flatMap(([name, settings]) =>
      isFields(settings) ? listsIn(settings, ["ecosystems", name], name) : []
    ),
  ];
}

function listsIn(settings: Fields, prefix: Place, ecosystem: string | null): WrittenEntry[] {
  return LISTS.flatMap((list) => {
    const about = (place: Place) => ({ place, list, ecosystem });
    const value = settings[list];
    if (isFields(value)) return pairsIn(value, [...prefix, list], about);
    if (!Array.isArray(value)) return [];
    return value.flatMap((entry, index) => entryIn(entry, [...prefix, list, index], about));
  });
}

type About = (place: Place) => Pick<WrittenEntry, "place" | "list" | "ecosystem">;

function entryIn(entry: unknown, place: Place, about: About): WrittenEntry[] {
  const known = about(place);
  const effect = known.list === "allow" ? "allow" : "deny";
  if (typeof entry === "string") return [{ ...known, ...NOTHING, effect, purl: entry }];
  if (!isFields(entry)) return [];
  if (typeof entry.purl !== "string") return pairsIn(entry, place, about);
  return [{
    ...known,
    effect: known.list === "overrides" && entry.effect === "allow" ? "allow" : effect,
    purl: entry.purl,
    range: textOf(entry.range),
    reason: textOf(entry.reason),
    owner: textOf(entry.owner),
    until: textOf(entry.until),
    id: textOf(entry.id),
    lifts: Array.isArray(entry.lifts) ? entry.lifts.map(String) : [],
  }];
}

/** `{ "npm/axios": ["0.30.4"] }`: an entry for each version. */
function pairsIn(pairs: Fields, place: Place, about: About): WrittenEntry[] {
  const effect = about(place).list === "allow" ? "allow" : "deny";
  return Object.entries(pairs).flatMap(([name, versions]) => {
    const one = (version: unknown, at: Place): WrittenEntry => ({
      ...about(at),
      ...NOTHING,
      effect,
      purl: version === "ALL" ? name : `${name}==${String(version)}`,
    });
    return Array.isArray(versions)
      ? versions.map((version, index) => one(version, [...place, name, index]))
      : [one(versions, [...place, name])];
  });
}

const NOTHING: Omit<EntryFields, "purl"> = {
  range: "",
  reason: "",
  owner: "",
  until: "",
  id: "",
  lifts: [],
};

/**
 * A copy of the document with these changes, and where each that was replaced or added now stands (`overrides[3]`), in
 * the order given: as mistakes name it.
 */
export function changeEntries(
  source: unknown,
  changes: EntryChanges,
): { readonly document: unknown; readonly replaced: readonly string[]; readonly added: readonly string[] } {
  const document: Fields = isFields(source) ? structuredClone(source) : {};
  const added = changes.added.map((entry) => append(document, entry, changes.kind));
  const replaced = changes.replaced.map(({ place, entry }) => {
    const list = place.at(-2);
    const isElement = typeof place.at(-1) === "number" && LISTS.some((name) => name === list);
    if (!isElement) {
      mark(document, place);
      return append(document, entry, changes.kind);
    }
    const made = toElement(entry, list === "overrides");
    (at(document, place.slice(0, -1)) as unknown[])[place.at(-1) as number] = made;
    return made;
  });
  for (const place of changes.removed) mark(document, place);
  sweep(document);
  return {
    document,
    replaced: replaced.map((element) => placeOf(document, element)),
    added: added.map((element) => placeOf(document, element)),
  };
}

/** What is to go: told from all else, and gone once everything was marked, so that no index moves before. */
const GONE: unique symbol = Symbol("gone");

function mark(document: Fields, place: Place): void {
  const parent = at(document, place.slice(0, -1));
  const key = place.at(-1);
  if (key !== undefined && typeof parent === "object" && parent !== null && Object.hasOwn(parent, key)) {
    (parent as Record<string | number, unknown>)[key] = GONE;
  }
}

function sweep(document: Fields): void {
  const ecosystems = isFields(document.ecosystems) ? Object.values(document.ecosystems) : [];
  for (const settings of [document, ...ecosystems].filter(isFields)) {
    for (const list of LISTS) {
      if (!Object.hasOwn(settings, list)) continue;
      const value = settings[list];
      settings[list] = Array.isArray(value)
        ? value.map(swept).filter((entry) => entry !== GONE)
        : swept(value);
      if (settings[list] === GONE) delete settings[list];
    }
  }
}

/** An element that was a pair of name and versions, without those that are gone; itself GONE with the last. */
function swept(entry: unknown): unknown {
  if (!isFields(entry) || typeof entry.purl === "string") return entry;
  const kept = Object.entries(entry).flatMap(([name, versions]): [string, unknown][] => {
    if (!Array.isArray(versions)) return versions === GONE ? [] : [[name, versions]];
    const left = versions.filter((version) => version !== GONE);
    return left.length === 0 && versions.length > 0 ? [] : [[name, left]];
  });
  return kept.length === 0 && Object.keys(entry).length > 0 ? GONE : Object.fromEntries(kept);
}

function append(document: Fields, entry: NewEntry, kind: EntryChanges["kind"]): unknown {
  const list = kind === "floor" ? "deny" : "overrides";
  const there = document[list];
  const elements = Array.isArray(there) ? there : there === undefined ? [] : [there];
  const made = toElement(entry, kind === "policy");
  elements.push(made);
  document[list] = elements;
  return made;
}

function toElement({ effect, lifts, ...fields }: NewEntry, withEffect: boolean): Fields {
  const said = Object.entries(fields).filter(([name, value]) => name === "purl" || value !== "");
  return {
    ...(withEffect ? { effect } : {}),
    ...Object.fromEntries(said),
    ...(lifts.length === 0 ? {} : { lifts }),
  };
}

function placeOf(document: Fields, element: unknown): string {
  const sections: [string, unknown][] = [["", document]];
  if (isFields(document.ecosystems)) {
    for (const [name, settings] of Object.entries(document.ecosystems)) {
      sections.push([`ecosystems.${name}.`, settings]);
    }
  }
  for (const [prefix, settings] of sections) {
    for (const list of LISTS) {
      const value = isFields(settings) ? settings[list] : undefined;
      const index = Array.isArray(value) ? value.indexOf(element) : -1;
      if (index >= 0) return `${prefix}${list}[${index}]`;
    }
  }
  return "";
}

function at(document: unknown, place: Place): unknown {
  return place.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string | number, unknown>)[key]
        : undefined,
    document,
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
