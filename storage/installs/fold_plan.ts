/** Which index entries a batch of lines touches, and with what: added up in memory, one write for each key. */
import type { InstallRecord } from "./log.ts";
import { addCell, type Cells, type Labels } from "./cells.ts";
import {
  bucketOf,
  dayOf,
  indexKey,
  organisationKey,
  periodOf,
  timelineKey,
  type TimelineKind,
} from "./keys.ts";
import { encodeEntry, type LogEntry } from "./record.ts";
import { tallyOf } from "./tally.ts";

export interface CellUpdate {
  /** Without the chunk's number. */
  readonly key: Deno.KvKey;
  /** A second key that always has the same value, chunk by chunk. */
  readonly mirror: Deno.KvKey | null;
  readonly cells: Cells;
}

export interface TimelineUpdate {
  readonly key: Deno.KvKey;
  readonly lines: string[];
}

export interface FoldPlan {
  readonly cells: ReadonlyMap<string, CellUpdate>;
  readonly timelines: ReadonlyMap<string, TimelineUpdate>;
  readonly organisations: readonly Deno.KvKey[];
}

export function planFold(entries: readonly LogEntry[]): FoldPlan {
  const cells = new Map<string, CellUpdate>();
  const timelines = new Map<string, TimelineUpdate>();
  const organisations = new Set<string>();
  for (const entry of entries) {
    organisations.add(entry.record.organisation);
    addToTimeline(timelines, "log", entry);
    if (isOfRefused(entry.record)) addToTimeline(timelines, "refused", entry);
    for (const { key, mirror, labels } of touched(entry.record)) {
      const update = getOrAdd(cells, key.join("\n"), () => ({ key, mirror, cells: new Map() }));
      addCell(update.cells, { labels, tally: tallyOf(entry) });
    }
  }
  return { cells, timelines, organisations: Array.from(organisations, organisationKey) };
}

/** How many keys a plan will write, at least. */
export function touchedKeys(plan: FoldPlan): number {
  let count = plan.timelines.size + plan.organisations.length;
  for (const { mirror } of plan.cells.values()) count += mirror === null ? 1 : 2;
  return count;
}

/** By the outcome as it was appended, which an amendment carries too. */
function isOfRefused({ outcome }: InstallRecord): boolean {
  return outcome === "refused" || outcome === "observed";
}

function addToTimeline(timelines: Map<string, TimelineUpdate>, kind: TimelineKind, entry: LogEntry): void {
  const { organisation, at } = entry.record;
  const key = timelineKey(kind, organisation, bucketOf(at));
  getOrAdd(timelines, key.join("\n"), () => ({ key, lines: [] })).lines.push(encodeEntry(entry));
}

function touched(record: InstallRecord): { key: Deno.KvKey; mirror: Deno.KvKey | null; labels: Labels }[] {
  const day = dayOf(record.at);
  const user = record.user ?? false;
  const { organisation, ecosystem } = record;
  const parts = { organisation, ecosystem, package: record.package, user, period: periodOf(day) } as const;
  const detail = [day, record.version, record.outcome === "refused" ? 1 : 0];
  return [
    // Nobody asks for the packages of nobody.
    { key: indexKey("who", parts), mirror: user === false ? null : indexKey("user", parts), labels: detail },
    { key: indexKey("package", parts), mirror: null, labels: [day] },
    { key: indexKey("person", parts), mirror: null, labels: [day] },
    { key: indexKey("total", parts), mirror: null, labels: [day] },
  ];
}

function getOrAdd<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
