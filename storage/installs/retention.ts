/** The log's age has a bound, and a person can be taken out of it. Both can be cut off and run again. */
import type { EpochMs } from "../../policy/types.ts";
import { addCell, type Cells, decodeCells, encodeCells } from "./cells.ts";
import { type FoldDeps, foldInstalls } from "./fold.ts";
import { commitAtHead } from "./fold_batch.ts";
import type { CellUpdate } from "./fold_plan.ts";
import { type IndexWrite, writesOf } from "./fold_writes.ts";
import { forgottenDigest } from "./forgotten.ts";
import {
  bucketOf,
  DAY_MS,
  dayOf,
  forgottenKey,
  HEAD_KEY,
  indexKey,
  type IndexKind,
  indexParts,
  timelineKey,
  type TimelineKind,
} from "./keys.ts";
import { boundedName, encodeEntry } from "./record.ts";
import { sweep, type SweptEntry } from "./sweep.ts";
import { decodeLines } from "./tail.ts";

const TIMELINES: readonly TimelineKind[] = ["log", "refused"];
const INDEXES: readonly IndexKind[] = ["who", "user", "package", "person", "total"];
/** For longer than a journal that was left behind may wait to be folded. */
const FORGOTTEN_FOR_MS = 90 * DAY_MS;

/** Drops an organisation's records and counts of the days (UTC) that ended before `before`. Throws StorageError. */
export async function dropInstallsBefore(
  kv: Deno.Kv,
  options: { readonly organisation: string; readonly before: EpochMs },
): Promise<void> {
  const organisation = boundedName("organisation", options.organisation);
  const firstDay = dayOf(options.before);
  const firstBucket = bucketOf(firstDay * DAY_MS as EpochMs);
  for (const kind of TIMELINES) {
    const range = {
      start: timelineKey(kind, organisation, 0),
      end: timelineKey(kind, organisation, firstBucket),
    };
    await sweep(kv, range, (page) => page.map(({ key }) => ({ key, value: null })));
  }
  for (const kind of INDEXES) {
    const prefix = ["installs", kind, organisation];
    await sweep(kv, { prefix }, (page) => page.flatMap((entry) => withoutDaysBefore(entry, firstDay)));
  }
}

function withoutDaysBefore({ key, value }: SweptEntry, firstDay: number): IndexWrite[] {
  const cells = decodeCells(value);
  const kept = cells.filter(({ labels }) => Number(labels[0]) >= firstDay);
  if (kept.length === cells.length) return [];
  return [{ key, value: kept.length === 0 ? null : encodeCells(kept) }];
}

/**
 * Takes a user's name and addresses out of every record and index of an organisation, journal included: what was
 * installed stays, as nobody's. What is still in a journal or segment loses the name when it is read or folded;
 * the running server ends and deletes its own journal file at its next fold. Throws StorageError.
 */
export async function forgetUser(
  deps: FoldDeps,
  options: { readonly organisation: string; readonly user: string },
): Promise<void> {
  const organisation = boundedName("organisation", options.organisation);
  const user = boundedName("user", options.user);
  const at = deps.clock();
  await remember(deps.kv, forgottenDigest(organisation, user), at);
  await foldInstalls(deps);
  const named: Deno.KvListSelector = { prefix: ["installs", "user", organisation, user] };
  await sweep(deps.kv, named, (page) => moveToNobody(deps.kv, "user", page));
  const persons: Deno.KvListSelector = { prefix: ["installs", "person", organisation] };
  await sweep(deps.kv, persons, (page) => {
    return moveToNobody(deps.kv, "person", page.filter(({ key }) => indexParts("person", key).user === user));
  });
  for (const kind of TIMELINES) {
    const lines: Deno.KvListSelector = { prefix: ["installs", kind, organisation] };
    await sweep(deps.kv, lines, (page) => page.flatMap((entry) => withoutUser(entry, user, at)));
  }
}

/** The same for whoever another log says is to be forgotten (`forgottenDigest`), up to an instant. */
export async function forgetAlso(
  kv: Deno.Kv,
  { digest, until }: { readonly digest: string; readonly until: EpochMs },
): Promise<void> {
  const known = await kv.get<EpochMs>(forgottenKey(digest));
  if ((known.value ?? 0) < until) await remember(kv, digest, until);
}

/** From the commit of this on, no fold writes the name into an index. */
async function remember(kv: Deno.Kv, digest: string, at: EpochMs): Promise<void> {
  const write = { key: forgottenKey(digest), value: at, expireIn: FORGOTTEN_FOR_MS };
  while (true) {
    const head = (await kv.get(HEAD_KEY)).versionstamp;
    if (await commitAtHead(kv, head, [write]) !== null) return;
  }
}

/** A user's cells, added to those of the callers without a name; the user's own keys are deleted with it. */
async function moveToNobody(
  kv: Deno.Kv,
  kind: "user" | "person",
  page: readonly SweptEntry[],
): Promise<IndexWrite[]> {
  const target = kind === "user" ? "who" : "person";
  const moved = new Map<string, CellUpdate>();
  const writes: IndexWrite[] = [];
  for (const { key, value } of page) {
    const parts = indexParts(kind, key);
    const nobody = indexKey(target, { ...parts, user: false });
    const cells: Cells = moved.get(nobody.join("\n"))?.cells ?? new Map();
    for (const cell of decodeCells(value)) addCell(cells, cell);
    moved.set(nobody.join("\n"), { key: nobody, mirror: null, single: kind === "person", cells });
    writes.push({ key, value: null });
    if (kind === "user" && parts.user !== undefined) {
      writes.push({ key: [...indexKey("who", { ...parts, user: parts.user }), parts.chunk], value: null });
    }
  }
  return [
    ...await writesOf(kv, { cells: Array.from(moved.values()), timelines: [], organisations: [] }),
    ...writes,
  ];
}

function withoutUser({ key, value }: SweptEntry, user: string, until: EpochMs): IndexWrite[] {
  const entries = decodeLines(value);
  if (!entries.some((entry) => entry?.record.user === user && entry.record.at <= until)) return [];
  const lines = entries.map((entry) => {
    if (entry === null) return "";
    const { record, cutOffAt } = entry;
    if (record.user !== user || record.at > until) return encodeEntry(entry);
    return encodeEntry({ cutOffAt, record: { ...record, user: null, address: "" } });
  });
  return [{ key, value: new TextEncoder().encode(lines.join("")) }];
}
