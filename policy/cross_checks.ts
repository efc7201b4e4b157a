/** What no single field can tell: bounds on the whole, ids used twice, a denial that would lift something. */

import { ENTRY_FORM, parseShortForm } from "./pattern.ts";

/** How many overrides a document may hold, lists and ecosystems included. */
export const MAX_OVERRIDES = 10_000;

export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly expected: string;
}

type Fields = Readonly<Record<string, unknown>>;

interface Place {
  readonly path: readonly PropertyKey[];
  readonly value: unknown;
  /** The list denies whatever the entry says. */
  readonly denies: boolean;
}

/**
 * Looks at what was written, not at what was read: it reports beside the schema's own mistakes. `check` says
 * what is wrong with an ecosystem's name; `isPurlType` tells the names that are purl types as well.
 */
export function crossChecks(
  input: unknown,
  check: (name: string) => string | null,
  isPurlType: (name: string) => boolean,
): Problem[] {
  if (!isObject(input)) return [];
  const places = [...entriesOf(input, []), ...ecosystemsOf(input)];
  const webhooks = asList(input.webhooks).map((value, index) => ({
    path: ["webhooks", index],
    value,
    denies: false,
  }));
  return [
    ...countProblems(places),
    ...places.flatMap(liftProblems),
    ...places.flatMap(emptyProblems),
    ...duplicateIds(places),
    ...duplicateIds(webhooks),
    ...unknownEcosystems(input, check),
    ...places.flatMap((place) => foreignEntry(place, isPurlType)),
  ];
}

function ecosystemsOf(input: Fields): Place[] {
  if (!isObject(input.ecosystems)) return [];
  return Object.entries(input.ecosystems).flatMap(([name, settings]) =>
    isObject(settings) ? entriesOf(settings, ["ecosystems", name]) : []
  );
}

function entriesOf(settings: Fields, prefix: readonly PropertyKey[]): Place[] {
  return ["overrides", "block", "allow", "deny"].flatMap((key) => {
    const denies = key === "block" || key === "deny";
    const value = settings[key];
    if (isObject(value)) {
      return Object.entries(value).flatMap(([name, versions]) =>
        [versions].flat().map((version) => ({ path: [...prefix, key, name], value: version, denies }))
      );
    }
    return asList(value).map((entry, index) => ({ path: [...prefix, key, index], value: entry, denies }));
  });
}

function countProblems(places: readonly Place[]): Problem[] {
  if (places.length <= MAX_OVERRIDES) return [];
  const expected = `at most ${MAX_OVERRIDES} overrides, block and allow entries in all, not ${places.length}`;
  return [{ path: places[MAX_OVERRIDES]?.path ?? [], expected }];
}

/** In block lists and the floor the schema itself knows no `lifts`. */
function liftProblems({ path, value, denies }: Place): Problem[] {
  const written = !denies && isObject(value) && value.effect === "deny" && Object.hasOwn(value, "lifts");
  return written
    ? [{ path: [...path, "lifts"], expected: "no lifts on a denial: only an allow lifts something" }]
    : [];
}

/** `{}` in a list is neither an override nor a pair of name and versions: a slip that would block nothing. */
function emptyProblems({ path, value }: Place): Problem[] {
  const isEmpty = isObject(value) && Object.keys(value).length === 0;
  return isEmpty && path.at(-2) !== "overrides" ? [{ path, expected: ENTRY_FORM }] : [];
}

function duplicateIds(places: readonly Place[]): Problem[] {
  const seen = new Set<string>();
  return places.flatMap(({ path, value }) => {
    if (!isObject(value) || typeof value.id !== "string") return [];
    if (!seen.has(value.id)) {
      seen.add(value.id);
      return [];
    }
    return [{ path: [...path, "id"], expected: "an id that no other entry has" }];
  });
}

function unknownEcosystems(input: Fields, check: (name: string) => string | null): Problem[] {
  if (!isObject(input.ecosystems)) return [];
  return Object.keys(input.ecosystems).flatMap((name) => {
    const expected = check(name);
    return expected === null ? [] : [{ path: ["ecosystems", name], expected }];
  });
}

/** An entry for PyPI among npm's settings would never count. */
function foreignEntry(place: Place, isPurlType: (name: string) => boolean): Problem[] {
  const ecosystem = place.path[0] === "ecosystems" ? String(place.path[1]) : null;
  if (ecosystem === null || !isPurlType(ecosystem)) return [];
  const type = typeOf(place);
  if (type === null || type === ecosystem) return [];
  return [{ path: place.path, expected: `an entry of this ecosystem ("${ecosystem}"), not of "${type}"` }];
}

function typeOf({ path, value }: Place): string | null {
  const key = path.at(-1);
  if (typeof key === "string") return parseShortForm(key)?.type ?? null;
  if (typeof value === "string") return parseShortForm(value)?.type ?? null;
  if (!isObject(value)) return null;
  const name = typeof value.purl === "string" ? value.purl : Object.keys(value)[0] ?? "";
  return parseShortForm(name)?.type ?? null;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
