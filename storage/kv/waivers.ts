/** An organisation's waivers: exceptions that end by themselves, and for a while those that have. */
import type { EpochMs, Waiver } from "../../policy/types.ts";
import type { PageQuery, PastWaiver, WaiverPage } from "../waivers.ts";
import { attempt } from "./call.ts";
import { boundedText, type EntryKind, type Holder } from "./held_entries.ts";
import { keys } from "./keys.ts";

/** Of one organisation, ended ones aside. */
export const MAX_WAIVERS = 10_000;
/** Ended ones are listed for so long. */
export const HISTORY_KEPT_MS = 180 * 86_400_000;

interface WaiverRecord {
  readonly v: 1;
  readonly waiver: Waiver;
}

interface PastRecord extends PastWaiver {
  readonly v: 1;
}

export const WAIVERS: EntryKind<Waiver, WaiverRecord> = {
  what: "waiver",
  max: MAX_WAIVERS,
  all: ({ id, life }) => keys.waivers(id, life),
  one: ({ id, life }, waiver) => keys.waiver(id, life, waiver),
  count: ({ id, life }) => keys.waiverCount(id, life),
  toRecord: (waiver) => ({ v: 1, waiver: bounded(waiver) }),
  fromRecord: ({ waiver }) => waiver,
  trail: {
    added: (atomic, owner, waiver, { now }) =>
      note(atomic, owner, { waiver: bounded(waiver), endedAt: waiver.until, revokedBy: null }, now),
    removed: (atomic, owner, waiver, { now, by }) =>
      note(atomic, owner, { waiver, endedAt: now, revokedBy: boundedText(by, 200) }, now),
  },
};

/** In the same commit as the change itself. */
function note(
  atomic: Deno.AtomicOperation,
  { id, life }: Pick<Holder, "id" | "life">,
  past: PastWaiver,
  now: EpochMs,
): void {
  const record: PastRecord = { v: 1, ...past };
  const expireIn = Math.max(1, past.endedAt + HISTORY_KEPT_MS - now);
  atomic.set(keys.waiverPast(id, life, past.waiver.id), record, { expireIn });
}

/** Those that have ended, by their own end or because they were revoked; the newest ids first. */
export async function readPastWaivers(
  kv: Deno.Kv,
  { id, life }: Pick<Holder, "id" | "life">,
  { limit, after, now }: PageQuery & { readonly now: EpochMs },
): Promise<WaiverPage<PastWaiver>> {
  const prefix = keys.waiversPast(id, life);
  const selector: Deno.KvListSelector = after === undefined
    ? { prefix }
    : { start: prefix, end: keys.waiverPast(id, life, after) };
  const rows: PastWaiver[] = [];
  await attempt(`list what waivers organisation "${id}" had`, async () => {
    for await (const { value } of kv.list<PastRecord>(selector, { reverse: true, batchSize: 200 })) {
      if (value.endedAt > now || value.endedAt + HISTORY_KEPT_MS <= now) continue;
      const { v: _, ...past } = value;
      rows.push(past);
      if (rows.length > limit) break;
    }
  });
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? shown.at(-1)!.waiver.id : null };
}

function bounded(waiver: Waiver): Waiver {
  return { ...waiver, reason: boundedText(waiver.reason, 1_000), owner: boundedText(waiver.owner) };
}
