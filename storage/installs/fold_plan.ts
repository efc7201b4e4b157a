/** Which index entries a batch of lines touches, and with what: added up in memory, one write for each key. */
import { addCell, type Cells } from "./cells.ts";
import {
  bucketOf,
  dayOf,
  indexKey,
  organisationKey,
  periodOf,
  timelineKey,
  type TimelineKind,
  type UserPart,
} from "./keys.ts";
import type { InstallRecord } from "./log.ts";
import { encodeEntry, type LogEntry } from "./record.ts";
import { tallyOf } from "./tally.ts";

export interface CellUpdate {
  /** Without the chunk's number. */
  readonly key: Deno.KvKey;
  /** A second key that always has the same value, chunk by chunk. */
  readonly mirror: Deno.KvKey | null;
  /** All cells are in the chunk 0. */
  readonly single: boolean;
  readonly cells: Cells;
}

export interface TimelineUpdate {
  readonly key: Deno.KvKey;
  readonly lines: string[];
}

export interface FoldPlan {
  readonly cells: readonly CellUpdate[];
  readonly timelines: readonly TimelineUpdate[];
  readonly organisations: readonly Deno.KvKey[];
}

/** A plan to which lines are added one after another. */
export interface FoldPlanner {
  add(entry: LogEntry): void;
  /** How many keys the plan writes at least, and how many UTF-16 code units its lines have. */
  size(): { readonly keys: number; readonly text: number };
  plan(): FoldPlan;
}

/** What one record of a package, user and period touches. */
interface Touched {
  /** By version. */
  readonly detail: CellUpdate;
  /** By day alone. */
  readonly totals: readonly CellUpdate[];
}

export function createFoldPlanner(): FoldPlanner {
  const touched = new Map<string, Touched>();
  const cells = new Map<string, CellUpdate>();
  const timelines = new Map<string, TimelineUpdate>();
  const organisations = new Set<string>();
  let keys = 0;
  let text = 0;

  function add(entry: LogEntry): void {
    const { record } = entry;
    const tally = tallyOf(entry);
    const day = dayOf(record.at);
    const { detail, totals } = touchedBy(record, periodOf(day));
    addCell(detail.cells, { labels: [day, record.version, record.outcome === "refused" ? 1 : 0], tally });
    for (const total of totals) addCell(total.cells, { labels: [day], tally });
    const line = encodeEntry(entry);
    addLine("log", record, line);
    if (wasSpokenAgainst(record)) addLine("refused", record, line);
  }

  function touchedBy(record: InstallRecord, period: number): Touched {
    const { organisation, ecosystem } = record;
    const user: UserPart = record.user ?? false;
    const id = `${organisation}\n${ecosystem}\n${record.package}\n${
      user === false ? "" : `+${user}`
    }\n${period}`;
    const known = touched.get(id);
    if (known !== undefined) return known;
    organisations.add(organisation);
    const parts = { organisation, ecosystem, package: record.package, user, period };
    // Nobody asks for the packages of nobody.
    const mirror = user === false ? null : indexKey("user", parts);
    const made = {
      detail: { key: indexKey("who", parts), mirror, single: false, cells: new Map() },
      totals: (["package", "person", "total"] as const).map((kind) => totalOf(indexKey(kind, parts))),
    };
    keys += mirror === null ? 1 : 2;
    cells.set(`who\n${id}`, made.detail);
    touched.set(id, made);
    return made;
  }

  function totalOf(key: Deno.KvKey): CellUpdate {
    return getOrAdd(cells, key.map((part) => `${typeof part} ${String(part)}`).join("\n"), () => {
      keys += 1;
      return { key, mirror: null, single: true, cells: new Map() };
    });
  }

  function addLine(kind: TimelineKind, { organisation, at }: InstallRecord, line: string): void {
    const bucket = bucketOf(at);
    const update = getOrAdd(timelines, `${kind}\n${organisation}\n${bucket}`, () => {
      keys += 1;
      return { key: timelineKey(kind, organisation, bucket), lines: [] };
    });
    update.lines.push(line);
    text += line.length;
  }

  function plan(): FoldPlan {
    return {
      cells: Array.from(cells.values()),
      timelines: Array.from(timelines.values()),
      organisations: Array.from(organisations, organisationKey),
    };
  }

  return { add, plan, size: () => ({ keys: keys + organisations.size, text }) };
}

/** By the outcome as it was appended, which an amendment carries too. */
function wasSpokenAgainst({ outcome }: InstallRecord): boolean {
  return outcome === "refused" || outcome === "observed";
}

function getOrAdd<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
