/** One package or one person in the indexes of days, which are sorted by time first. */
import { type Cell, decodeCells } from "./cells.ts";
import { dayOf, indexKey, indexParts, periodOf } from "./keys.ts";
import type { TimeRange } from "./timeline.ts";

export interface NamedOptions {
  readonly organisation: string;
  /** undefined: all of them. */
  readonly ecosystem: string | undefined;
  readonly kind: "package" | "person";
  /** Exact, bounded. */
  readonly name: string;
}

export interface Period {
  readonly period: number;
  readonly ecosystems: ReadonlySet<string>;
}

/** The periods in which anything was installed, in the order of time, with the ecosystems of each. */
export async function* periodsOf(
  kv: Deno.Kv,
  options: TimeRange & Pick<NamedOptions, "organisation" | "ecosystem"> & { readonly reverse: boolean },
): AsyncGenerator<Period> {
  const { organisation, since, until, reverse } = options;
  const prefix: Deno.KvKey = ["installs", "total", organisation];
  const range = {
    start: [...prefix, periodOf(dayOf(since))],
    end: [...prefix, periodOf(dayOf(until)) + 1],
  };
  let current: { readonly period: number; readonly ecosystems: Set<string> } | null = null;
  for await (const { key } of kv.list(range, { reverse, batchSize: 20 })) {
    const { period, ecosystem } = indexParts("total", key);
    if (options.ecosystem !== undefined && ecosystem !== options.ecosystem) continue;
    if (current !== null && current.period !== period) {
      yield current;
      current = null;
    }
    current ??= { period, ecosystems: new Set() };
    current.ecosystems.add(ecosystem);
  }
  if (current !== null) yield current;
}

/** Its days within one period. */
export async function* namedCells(
  kv: Deno.Kv,
  options: Omit<NamedOptions, "ecosystem"> & { readonly period: number; readonly ecosystem: string },
): AsyncGenerator<Cell> {
  const { kind, organisation, ecosystem, name, period } = options;
  const prefix = indexKey(kind, { organisation, ecosystem, period, package: name, user: name });
  for await (const { value } of kv.list<Uint8Array>({ prefix })) yield* decodeCells(value);
}
