/** Alerts in KV: a record for each thing that is wrong, whichever process found it. */
import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import type { Alert, AlertKind, Alerts, NewAlert } from "../alerts.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import type { OnRestored } from "./fence.ts";
import { keys } from "./keys.ts";

interface AlertRecord {
  readonly v: 1;
  readonly alert: Alert;
  readonly told: "nothing" | "raised" | "over";
  /** KV deletes later than it was told to. */
  readonly expiresAt: EpochMs | null;
}

type Entry = Deno.KvEntryMaybe<AlertRecord>;

const RENEWED_EVERY_MS = 60_000;
const KEPT_AFTER_END_MS = 30 * 86_400_000;
/** An upstream that goes mad may change every digest it has: beyond these it is known anyhow. */
const MAX_OPEN_OF_A_KIND = 200;
const MAX_DETAIL = 500;
const ATTEMPTS = 10;
/** Over when it was seen, since nothing tells that it no longer is so. */
const ONCE: ReadonlySet<AlertKind> = new Set<AlertKind>(["digest-changed"]);

/** One for the process; several may share the store. */
export function createAlerts(
  kv: Deno.Kv,
  { clock, onRestored }: { readonly clock: Clock; readonly onRestored?: OnRestored },
): Alerts {
  const renewedAt = new LRUCache<string, EpochMs>({ max: 2_000 });
  onRestored?.(() => renewedAt.clear());

  async function raise(given: NewAlert): Promise<void> {
    const { kind, subject } = given;
    const name = `${kind}\n${subject}`;
    const before = renewedAt.get(name);
    const now = clock();
    if (before !== undefined && now >= before && now - before < RENEWED_EVERY_MS) return;
    const detail = given.detail.slice(0, MAX_DETAIL).toWellFormed();
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry = await read(kind, subject);
      const known = entry.value === null || isGone(entry.value, now) ? null : entry.value;
      if (known === null || known.alert.overAt !== null) {
        if (await openOf(kind) >= MAX_OPEN_OF_A_KIND) return;
        if (await write(entry, firstOf({ ...given, detail }, now))) break;
      } else if (now - known.alert.lastAt < RENEWED_EVERY_MS) break;
      else {
        const alert = { ...known.alert, detail, lastAt: now, count: known.alert.count + 1 };
        if (await write(entry, { ...known, alert })) break;
      }
    }
    renewedAt.set(name, now);
  }

  function read(kind: AlertKind, subject: string): Promise<Entry> {
    return attempt("read an alert", () => kv.get<AlertRecord>(keys.alert(kind, subject)));
  }

  async function write(entry: Entry | Deno.KvEntry<AlertRecord>, record: AlertRecord): Promise<boolean> {
    const left = record.expiresAt === null ? null : record.expiresAt - clock();
    const done = await attempt("write an alert", () =>
      kv.atomic().check(entry)
        .set(entry.key, record, left === null ? {} : { expireIn: Math.max(1, left) })
        .commit());
    return done.ok;
  }

  async function* entries(kind?: AlertKind): AsyncGenerator<Deno.KvEntry<AlertRecord>> {
    const all = kv.list<AlertRecord>({ prefix: keys.alerts(kind) }, { batchSize: 500 });
    while (true) {
      const { done, value } = await attempt("list the alerts", () => all.next());
      if (done) return;
      if (!isGone(value.value, clock())) yield value;
    }
  }

  async function openOf(kind: AlertKind): Promise<number> {
    let open = 0;
    for await (const { value } of entries(kind)) if (value.alert.overAt === null) open++;
    return open;
  }

  async function settle(kind: AlertKind, quietMs: number): Promise<void> {
    const now = clock();
    for await (const entry of entries(kind)) {
      const { alert } = entry.value;
      if (alert.overAt !== null || now - alert.lastAt < quietMs) continue;
      await write(entry, ended(entry.value, now));
      renewedAt.delete(`${kind}\n${alert.subject}`);
    }
  }

  async function list(): Promise<readonly Alert[]> {
    const found = (await Array.fromAsync(entries())).map(({ value }) => value.alert);
    return found.sort((a, b) =>
      Number(a.overAt !== null) - Number(b.overAt !== null) || b.lastAt - a.lastAt || (a.id < b.id ? -1 : 1)
    );
  }

  async function acknowledge(id: string, by: string): Promise<Alert | null> {
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry = (await Array.fromAsync(entries())).find(({ value }) => value.alert.id === id);
      if (entry === undefined) return null;
      const { value } = entry;
      if (value.alert.acknowledgedAt !== null) return value.alert;
      const now = clock();
      const alert = { ...value.alert, acknowledgedAt: now, acknowledgedBy: by };
      const isOnce = ONCE.has(alert.kind) && alert.overAt === null;
      const next = isOnce ? ended({ ...value, alert }, now) : { ...value, alert };
      if (await write(entry, next)) {
        if (isOnce) renewedAt.delete(`${alert.kind}\n${alert.subject}`);
        return next.alert;
      }
    }
    return null;
  }

  async function tell(send: Parameters<Alerts["tell"]>[0]): Promise<void> {
    for await (const entry of entries()) {
      const { alert, told } = entry.value;
      const state = alert.overAt === null ? "raised" : "over";
      if (told === state) continue;
      if (told === "nothing") await send(alert, "raised");
      if (state === "over") await send(alert, "over");
      // Lost to another process: whoever is told twice by the same id is told once.
      await write(entry, { ...entry.value, told: state });
    }
  }

  return { raise, settle, list, acknowledge, tell };
}

function firstOf(given: NewAlert, now: EpochMs): AlertRecord {
  const { kind, subject, detail, organisation } = given;
  const id = createHash("sha256").update([kind, subject, now].join("\n")).digest("hex").slice(0, 12);
  const times = { firstAt: now, lastAt: now, acknowledgedAt: null, acknowledgedBy: null, overAt: null };
  const alert: Alert = { id, kind, subject, detail, organisation, count: 1, ...times };
  return { v: 1, alert, told: "nothing", expiresAt: null };
}

function ended(record: AlertRecord, now: EpochMs): AlertRecord {
  const expiresAt = now + KEPT_AFTER_END_MS as EpochMs;
  return { ...record, alert: { ...record.alert, overAt: now }, expiresAt };
}

function isGone({ expiresAt }: AlertRecord, now: EpochMs): boolean {
  return expiresAt !== null && expiresAt <= now;
}
