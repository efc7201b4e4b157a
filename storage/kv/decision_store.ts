/** Decision records in KV, as compressed JSON: their size is then known before KV is asked. */
import { gunzipSync, gzipSync } from "node:zlib";
import { LRUCache } from "lru-cache";
import type { Decision, EpochMs, Reason } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { CHUNK_BYTES } from "./chunks.ts";
import type { DecisionRecord, DecisionRecords } from "./decisions.ts";
import type { OnRestored } from "./fence.ts";
import { createHourlyBudget } from "./hourly_budget.ts";
import { keys } from "./keys.ts";

/** How long a record is kept. */
export const DECISIONS_KEPT_DAYS = 30;
const KEPT_MS = DECISIONS_KEPT_DAYS * 24 * 3_600_000;
/** Named of an index's withheld releases; the count tells the rest. */
const MAX_WITHHELD = 50;
const MAX_REASONS = 20;
const MAX_TEXT = 1_000;
/** New records that one process writes for one organisation in an hour. */
const PER_HOUR = 20_000;
const MAX_REMEMBERED = 20_000;
const MAX_INFLATED_BYTES = 16 * 1024 * 1024;

interface StoredDecision {
  readonly v: 1;
  readonly expiresAt: EpochMs;
  readonly json: Uint8Array;
}

export interface DecisionRecordsDeps {
  readonly clock: Clock;
  /** New records an hour for one organisation; beyond them nothing is written. Default 20,000. */
  readonly perHour?: number;
  readonly onRestored?: OnRestored;
}

/** Records are kept for 30 days; what does not fit loses named releases, then reasons, before it fails. */
export function createDecisionRecords(kv: Deno.Kv, deps: DecisionRecordsDeps): DecisionRecords {
  const { clock, perHour = PER_HOUR } = deps;
  const budget = createHourlyBudget({ perHour, clock });
  /** Known to be there: the same decision is made again with every rendering. */
  const written = new LRUCache<string, EpochMs>({ max: MAX_REMEMBERED });
  deps.onRestored?.(() => written.clear());

  async function put(record: DecisionRecord): Promise<void> {
    const now = clock();
    const name = `${record.organisation}/${record.id}`;
    if ((written.get(name) ?? 0) > now || !budget.take(record.organisation)) return;
    const key = keys.decision(record.organisation, record.id);
    const expiresAt = now + KEPT_MS as EpochMs;
    const stored: StoredDecision = { v: 1, expiresAt, json: encodeDecision(record) };
    await attempt(`write the decision ${record.id}`, async () => {
      const done = await kv.atomic()
        .check({ key, versionstamp: null })
        .set(key, stored, { expireIn: KEPT_MS })
        .commit();
      if (!done.ok) await renewIfEnded(key, stored, now);
    });
    // A day before it ends it is looked at again.
    written.set(name, expiresAt - 24 * 3_600_000 as EpochMs);
  }

  /** KV drops what has expired in its own time: until then it is in the way of the same decision's next record. */
  async function renewIfEnded(key: Deno.KvKey, stored: StoredDecision, now: EpochMs): Promise<void> {
    const old = await kv.get<StoredDecision>(key);
    if (old.value !== null && old.value.expiresAt > now) return;
    await kv.atomic().check(old).set(key, stored, { expireIn: KEPT_MS }).commit();
  }

  async function get(organisation: string, id: string): Promise<DecisionRecord | null> {
    const entry = await attempt(
      `read the decision ${JSON.stringify(id.slice(0, 100))}`,
      () => kv.get<StoredDecision>(keys.decision(organisation, id)),
    );
    if (entry.value === null || entry.value.expiresAt <= clock()) return null;
    return decodeDecision(entry.value.json);
  }

  return { put, get };
}

/** Cut until it fits one KV value. */
function encodeDecision(record: DecisionRecord): Uint8Array {
  let named = MAX_WITHHELD;
  while (true) {
    const packed = gzipSync(new TextEncoder().encode(JSON.stringify(cut(record, named))));
    if (packed.byteLength <= CHUNK_BYTES) return new Uint8Array(packed);
    if (named === 0) throw new StorageError(`Cannot write the decision ${record.id}: it is too large`);
    named = Math.floor(named / 2);
  }
}

function cut(record: DecisionRecord, named: number): DecisionRecord {
  const reasons = named === 0 ? 1 : MAX_REASONS;
  return {
    ...record,
    decision: record.decision && cutDecision(record.decision, reasons),
    withheld: record.withheld.slice(0, named).map(({ version, decision }) => ({
      version: version.slice(0, MAX_TEXT),
      decision: cutDecision(decision, reasons),
    })),
  };
}

function cutDecision(decision: Decision, reasons: number): Decision {
  return { ...decision, reasons: decision.reasons.slice(0, reasons).map(cutReason) };
}

function cutReason(reason: Reason): Reason {
  const message = reason.message.slice(0, MAX_TEXT);
  return reason.owner === undefined
    ? { ...reason, message }
    : { ...reason, message, owner: reason.owner.slice(0, MAX_TEXT) };
}

function decodeDecision(json: Uint8Array): DecisionRecord {
  try {
    const record = JSON.parse(
      new TextDecoder().decode(gunzipSync(json, { maxOutputLength: MAX_INFLATED_BYTES })),
    );
    if (record.v === 1) return record;
  } catch (cause) {
    throw new StorageError("Cannot read a decision: its record is damaged", { cause });
  }
  throw new StorageError("Cannot read a decision: its record has an unknown version");
}
