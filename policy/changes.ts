/** What changed between two documents, in a few lines for a person. */

const MAX_LINES = 40;
const MAX_VALUE = 120;

type Fields = Readonly<Record<string, unknown>>;

/** Lines such as `~ minimumAge: "10d" -> "14d"` and `+ block: "npm/axios"`; empty: nothing changed. */
export function describeChanges(before: unknown, after: unknown): readonly string[] {
  const lines = [...changes("", before, after)];
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), `  and ${lines.length - MAX_LINES} more`];
}

function* changes(path: string, before: unknown, after: unknown): Generator<string> {
  if (JSON.stringify(before) === JSON.stringify(after)) return;
  if (isFields(before) && isFields(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* changes(path === "" ? key : `${path}.${key}`, own(before, key), own(after, key));
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) return yield* listChanges(path, before, after);
  if (before === undefined) return yield* added(path, after);
  if (after === undefined) return yield `- ${path}: ${short(before)}`;
  yield `~ ${path}: ${short(before)} -> ${short(after)}`;
}

function* added(path: string, after: unknown): Generator<string> {
  if (!Array.isArray(after) || after.length === 0) return yield `+ ${path}: ${short(after)}`;
  for (const entry of after) yield `+ ${path}: ${short(entry)}`;
}

/** Entries are told by their content, since a place in a list means little to people. */
function* listChanges(
  path: string,
  before: readonly unknown[],
  after: readonly unknown[],
): Generator<string> {
  const left = count(before);
  const right = count(after);
  const gone = before.filter((entry) => (right.get(JSON.stringify(entry)) ?? 0) === 0);
  const come = after.filter((entry) => (left.get(JSON.stringify(entry)) ?? 0) === 0);
  for (const entry of gone) yield `- ${path}: ${short(entry)}`;
  for (const entry of come) yield `+ ${path}: ${short(entry)}`;
  if (gone.length === 0 && come.length === 0) yield `~ ${path}: in another order, or other repetitions`;
}

function count(entries: readonly unknown[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const entry of entries) {
    const key = JSON.stringify(entry);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function own(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE - 1).toWellFormed()}…` : text;
}
