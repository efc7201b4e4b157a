/** Two changes of one document joined into one: what the one changed, done to what the other made. */

export interface Rebased {
  readonly document: unknown;
  /** Where both changed the same to different things: there `mine` holds. */
  readonly both: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** `mine` and `theirs` were both made upon `base`. Entries of lists are told by their content. */
export function rebase(
  { base, mine, theirs }: { readonly base: unknown; readonly mine: unknown; readonly theirs: unknown },
): Rebased {
  const both: string[] = [];
  const document = join({ base, mine, theirs }, "", both);
  return { document: document === undefined ? {} : document, both };
}

interface Three {
  readonly base: unknown;
  readonly mine: unknown;
  readonly theirs: unknown;
}

/** undefined: it is not there. */
function join({ base, mine, theirs }: Three, path: string, both: string[]): unknown {
  if (same(mine, base)) return theirs;
  if (same(theirs, base) || same(mine, theirs)) return mine;
  if (isFields(mine) && isFields(theirs)) {
    return joinFields({ base: isFields(base) ? base : {}, mine, theirs }, path, both);
  }
  if (Array.isArray(mine) && Array.isArray(theirs)) {
    return joinLists(Array.isArray(base) ? base : [], mine, theirs);
  }
  both.push(path);
  return mine;
}

function joinFields(
  { base, mine, theirs }: { readonly base: Fields; readonly mine: Fields; readonly theirs: Fields },
  path: string,
  both: string[],
): Fields {
  const names = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
  const joined = [...names].map((name) => {
    const below = path === "" ? name : `${path}.${name}`;
    const three = { base: own(base, name), mine: own(mine, name), theirs: own(theirs, name) };
    return [name, join(three, below, both)] as const;
  });
  return Object.fromEntries(joined.filter(([, value]) => value !== undefined));
}

/** Theirs, without what I took away, and with what I added behind it. */
function joinLists(
  base: readonly unknown[],
  mine: readonly unknown[],
  theirs: readonly unknown[],
): readonly unknown[] {
  const [before, after, there] = [base, mine, theirs].map(textsOf) as [Set<string>, Set<string>, Set<string>];
  const kept = theirs.filter((entry) => {
    const text = JSON.stringify(entry);
    return after.has(text) || !before.has(text);
  });
  const added = mine.filter((entry) => {
    const text = JSON.stringify(entry);
    return !before.has(text) && !there.has(text);
  });
  return [...kept, ...added];
}

function textsOf(entries: readonly unknown[]): Set<string> {
  return new Set(entries.map((entry) => JSON.stringify(entry)));
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
