/** Observations added up by a key, and the order of the rows that come of it. */
import type { Observation } from "./observations.ts";
import { addTallies, type Tally } from "./tally.ts";

export interface GroupRow<K> {
  readonly key: K;
  readonly tally: Tally;
  /** Sorted by code unit. */
  readonly versions: readonly string[];
}

export interface GroupTable<K> {
  add(key: K, observation: Observation): void;
  rows(): GroupRow<K>[];
}

/** Keys with equal members, in equal order, are one group. */
export function groups<K extends object>(): GroupTable<K> {
  const known = new Map<string, { readonly key: K; tally: Tally; readonly versions: Map<string, number> }>();

  function add(key: K, { tally, version }: Observation): void {
    const id = JSON.stringify(Object.values(key));
    const group = known.get(id);
    const sent = tally.served + tally.observed + tally.partial;
    if (group === undefined) {
      known.set(id, { key, tally, versions: new Map([[version, sent]]) });
      return;
    }
    group.tally = addTallies(group.tally, tally);
    group.versions.set(version, (group.versions.get(version) ?? 0) + sent);
  }

  function rows(): GroupRow<K>[] {
    return Array.from(known.values(), ({ key, tally, versions }) => ({
      key,
      tally,
      versions: Array.from(versions).flatMap(([version, sent]) => sent > 0 ? [version] : []).sort(),
    }));
  }

  return { add, rows };
}

/** Greatest first by one member (null: none), then rising by the others. */
export function rowOrder<R extends object>(
  falling: keyof R & string | null,
  ...rising: (keyof R & string)[]
) {
  return (a: R, b: R): number => {
    const first = falling === null ? 0 : -compare(a[falling], b[falling]);
    if (first !== 0) return first;
    for (const member of rising) {
      const order = compare(a[member], b[member]);
      if (order !== 0) return order;
    }
    return 0;
  };
}

/** Numbers by value, texts by code unit, nothing before everything. */
function compare(a: unknown, b: unknown): number {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  return (a as string | number) < (b as string | number) ? -1 : 1;
}
