/** What changed between two documents, line by line for people; nothing is cut. */
import { entryText, fieldTexts, isFields, isNothing, oneLine, own, valueText } from "./change_words.ts";

/**
 * Lines such as `~ minimumAge: "10d" -> "14d"`, `+ block: "npm/axios"`; empty: nothing changed. What is null is as what
 * is not there. Lists are told entry by entry. No line has a line break in it.
 */
export function describeChanges(before: unknown, after: unknown): readonly string[] {
  return [...changes("", before ?? {}, after ?? {})];
}

function* changes(path: string, before: unknown, after: unknown): Generator<string> {
  if (isNothing(before) && isNothing(after)) return;
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (isNothing(before)) return yield* whole("+", path, after);
  if (isNothing(after)) return yield* whole("-", path, before);
  if (isFields(before) && isFields(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* changes(within(path, key), own(before, key), own(after, key));
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) return yield* listChanges(path, before, after);
  yield `~ ${path}: ${valueText(before)} -> ${valueText(after)}`;
}

/** All that came with it, or went. */
function* whole(sign: "+" | "-", path: string, value: unknown): Generator<string> {
  if (isNothing(value)) return;
  if (Array.isArray(value) && value.length > 0) {
    for (const entry of value) yield `${sign} ${path}: ${entryText(entry)}`;
    return;
  }
  if (!isFields(value) || Object.keys(value).length === 0) {
    return yield `${sign} ${path}: ${valueText(value)}`;
  }
  for (const [key, each] of Object.entries(value)) yield* whole(sign, within(path, key), each);
}

function within(path: string, key: string): string {
  return path === "" ? oneLine(key) : `${path}.${oneLine(key)}`;
}

/** Entries are told by their content, since a place in a list means little to people. */
function* listChanges(
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
): Generator<string> {
  const gone = surplus(before, after);
  const come = surplus(after, before);
  if (gone.length === 0 && come.length === 0) {
    return yield `~ ${path}: in another order: ${valueText(before)} -> ${valueText(after)}`;
  }
  const pairs = changedEntries(gone, come);
  const told = new Set(pairs.values());
  for (const entry of gone) {
    const other = pairs.get(entry);
    yield other === undefined
      ? `- ${path}: ${entryText(entry)}`
      : `~ ${path}: ${nameOf(entry)}: ${fieldTexts(entry, other)}`;
  }
  for (const entry of come) if (!told.has(entry)) yield `+ ${path}: ${entryText(entry)}`;
}

/** Those of `some` that are not among the others, or are there oftener. */
function surplus(some: readonly unknown[], others: readonly unknown[]): readonly unknown[] {
  const counts = new Map<string, number>();
  for (const key of others.map((entry) => JSON.stringify(entry))) counts.set(key, (counts.get(key) ?? 0) + 1);
  return some.filter((entry) => {
    const key = JSON.stringify(entry);
    const left = counts.get(key) ?? 0;
    counts.set(key, left - 1);
    return left <= 0;
  });
}

/** Those that are the same one with other fields: of one id, or of one purl, and no other is of it. */
function changedEntries(gone: readonly unknown[], come: readonly unknown[]): ReadonlyMap<unknown, unknown> {
  const before = byName(gone);
  const pairs = new Map<unknown, unknown>();
  for (const [name, entries] of byName(come)) {
    const former = before.get(name) ?? [];
    if (name !== null && former.length === 1 && entries.length === 1) pairs.set(former[0], entries[0]);
  }
  return pairs;
}

function byName(entries: readonly unknown[]): ReadonlyMap<string | null, readonly unknown[]> {
  return Map.groupBy(entries, nameOf);
}

/** null: it is known by nothing but its content. */
function nameOf(entry: unknown): string | null {
  if (!isFields(entry)) return null;
  const name = own(entry, "id") ?? own(entry, "purl");
  return typeof name === "string" ? oneLine(name) : null;
}
