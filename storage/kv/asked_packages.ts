/**
 * Which packages each organisation asked for lately: noted in memory, joined each minute with one value in KV for each
 * organisation, so that no request writes and several processes add up.
 */
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import type { AskedLately, AskedPackage, AskedPackages, Asker } from "../asked.ts";
import type { Clock } from "../runtime.ts";
import { StorageError } from "../errors.ts";
import { attempt } from "./call.ts";
import type { OnRestored } from "./fence.ts";
import { keys } from "./keys.ts";

/** As kept in KV. */
interface AskedRecord {
  readonly v: 1;
  /** JSON: `[ecosystem, name, minutes since 1970]`, the last asked for first. */
  readonly packages: Uint8Array;
  /** When the last was asked for that there was no room for; 0: there was room for all. */
  readonly cutAt: EpochMs;
  readonly expiresAt: EpochMs;
}

/** What was noted of one organisation since it was last written down. */
interface Noted {
  readonly asker: Asker;
  /** By ecosystem and name, in the order of time. */
  readonly packages: Map<string, AskedPackage>;
  cutAt: EpochMs;
}

interface Joined {
  readonly packages: readonly AskedPackage[];
  readonly cutAt: EpochMs;
  /** Nothing that is worth a write. */
  readonly isKnown: boolean;
}

const MINUTE_MS = 60_000;
const KEPT_MS = 30 * 24 * 60 * MINUTE_MS;
/** Of one that is asked for all day, the time is written down this often. */
const RENEWED_MS = 10 * MINUTE_MS;
const MOST = 1_000;
/** KV takes 65,536 bytes per value. Long names: fewer of them. */
const MOST_BYTES = 60_000;
/** Noted in memory at once, of all organisations. */
const MOST_NOTED = 20_000;
const ORGANISATIONS_AT_ONCE = 8;
const ATTEMPTS = 10;
const NEVER = 0 as EpochMs;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** One for the process; several may share the store. */
export function createAskedPackages(
  kv: Deno.Kv,
  { clock, onRestored }: { readonly clock: Clock; readonly onRestored?: OnRestored },
): AskedPackages {
  let seen = new WeakSet<object>();
  let seenSince = clock();
  let folding: Promise<void> | null = null;
  const noted = new LRUCache<string, Noted>({
    maxSize: MOST_NOTED,
    sizeCalculation: ({ packages }) => packages.size,
    // Whoever comes again is noted again.
    dispose: (_value, _place, reason) => reason === "evict" ? seen = new WeakSet() : undefined,
  });
  onRestored?.(() => {
    noted.clear();
    seen = new WeakSet();
  });

  function note(...[occasion, asker, { ecosystem, name }]: Parameters<AskedPackages["note"]>): void {
    if (seen.has(occasion)) return;
    seen.add(occasion);
    add({
      asker,
      packages: new Map([[idOf({ ecosystem, name }), { ecosystem, name, at: clock() }]]),
      cutAt: NEVER,
    });
  }

  function add(more: Noted): void {
    const place = placeOf(more.asker);
    const known = noted.get(place) ?? { asker: more.asker, packages: new Map(), cutAt: NEVER };
    for (const [id, each] of more.packages) {
      const before = known.packages.get(id);
      known.packages.delete(id);
      known.packages.set(id, before !== undefined && before.at > each.at ? before : each);
    }
    known.cutAt = later(known.cutAt, more.cutAt);
    for (const [id, { at }] of known.packages) {
      if (known.packages.size <= MOST) break;
      known.packages.delete(id);
      known.cutAt = later(known.cutAt, at);
    }
    noted.delete(place);
    noted.set(place, known);
  }

  async function foldNow(): Promise<void> {
    const now = clock();
    if (now < seenSince || now - seenSince >= RENEWED_MS) {
      seen = new WeakSet();
      seenSince = now;
    }
    const mine = [...noted.values()];
    noted.clear();
    const waiting = mine.values();
    const done = new Set<Noted>();
    const lanes = await Promise.allSettled(Array.from({ length: ORGANISATIONS_AT_ONCE }, async () => {
      for (const each of waiting) {
        await write(each);
        done.add(each);
      }
    }));
    for (const each of mine) if (!done.has(each)) add(each);
    const failed = lanes.find((lane) => lane.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async function write(mine: Noted): Promise<void> {
    const key = keys.askedPackages(mine.asker.id, mine.asker.life);
    await attempt("write down which packages were asked for", async () => {
      for (let i = 0; i < ATTEMPTS; i++) {
        const now = clock();
        const entry = await kv.get<AskedRecord>(key);
        const joined = join(entry.value, mine, now);
        if (joined.isKnown) return;
        const record = recordOf(joined, now + KEPT_MS as EpochMs);
        if ((await kv.atomic().check(entry).set(key, record, { expireIn: KEPT_MS }).commit()).ok) return;
      }
      throw new StorageError("Cannot write down which packages were asked for: too many processes do");
    });
  }

  async function read(asker: Asker): Promise<AskedLately> {
    // What is being written down is in neither place.
    await folding?.catch(() => {});
    const mine = noted.peek(placeOf(asker)) ?? { asker, packages: new Map(), cutAt: NEVER };
    const { value } = await attempt(
      "read which packages were asked for",
      () => kv.get<AskedRecord>(keys.askedPackages(asker.id, asker.life)),
    );
    const now = clock();
    const { packages, cutAt } = join(value, mine, now);
    return { packages: packages.slice(0, MOST), isCut: packages.length > MOST || cutAt > now - KEPT_MS };
  }

  return {
    note,
    fold: () => folding ??= foldNow().finally(() => folding = null),
    read,
  };
}

/** The last asked for first; none that is too old, or (a clock that ran ahead) of a time that has yet to come. */
function join(record: AskedRecord | null, { packages: mine, cutAt }: Noted, now: EpochMs): Joined {
  const all = new Map(packagesOf(record).map((each) => [idOf(each), { ...each, at: earlier(each.at, now) }]));
  let isKnown = cutAt <= (record?.cutAt ?? NEVER);
  for (const [id, each] of mine) {
    const known = all.get(id);
    if (known !== undefined && each.at - known.at < RENEWED_MS) continue;
    all.set(id, each);
    isKnown = false;
  }
  const packages = [...all.values()].filter(({ at }) => at > now - KEPT_MS).sort((a, b) => b.at - a.at);
  return { packages, cutAt: later(cutAt, record?.cutAt ?? NEVER), isKnown };
}

/** As many as there is room for. */
function recordOf({ packages, cutAt }: Joined, expiresAt: EpochMs): AskedRecord {
  const rows: string[] = [];
  let bytes = 2;
  for (const { ecosystem, name, at } of packages) {
    const row = JSON.stringify([ecosystem, name, Math.floor(at / MINUTE_MS)]);
    bytes += encoder.encode(row).byteLength + 1;
    if (rows.length >= MOST || bytes > MOST_BYTES) break;
    rows.push(row);
  }
  const firstCut = packages[rows.length]?.at ?? NEVER;
  return { v: 1, packages: encoder.encode(`[${rows.join(",")}]`), cutAt: later(cutAt, firstCut), expiresAt };
}

function packagesOf(record: AskedRecord | null): readonly AskedPackage[] {
  if (record === null) return [];
  const rows = JSON.parse(decoder.decode(record.packages)) as [string, string, number][];
  return rows.map(([ecosystem, name, minutes]) => ({ ecosystem, name, at: minutes * MINUTE_MS as EpochMs }));
}

function idOf({ ecosystem, name }: Pick<AskedPackage, "ecosystem" | "name">): string {
  return `${ecosystem}\n${name}`;
}

function placeOf({ id, life }: Asker): string {
  return `${id}\n${life}`;
}

function later(a: EpochMs, b: EpochMs): EpochMs {
  return a > b ? a : b;
}

function earlier(a: EpochMs, b: EpochMs): EpochMs {
  return a < b ? a : b;
}
