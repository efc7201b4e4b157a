/**
 * Which packages each organisation asked for lately: noted in memory, joined each minute with one value in KV for each
 * organisation, so that no request writes and several processes add up.
 */
import { LRUCache } from "lru-cache";
import type { EpochMs } from "../../policy/types.ts";
import type { AskedLately, AskedPackage, AskedPackages, Asker } from "../asked.ts";
import type { Clock } from "../runtime.ts";
import { StorageError } from "../errors.ts";
import {
  type AskedRecord,
  idOf,
  join,
  KEPT_MS,
  later,
  MOST,
  NEVER,
  recordOf,
  RENEWED_MS,
} from "./asked_record.ts";
import { attempt } from "./call.ts";
import type { OnRestored } from "./fence.ts";
import { keys } from "./keys.ts";

/** What was noted of one organisation since it was last written down. */
interface Noted {
  readonly asker: Asker;
  /** By ecosystem and name, in the order of time. */
  readonly packages: Map<string, AskedPackage>;
  cutAt: EpochMs;
}

/** Noted in memory at once, of all organisations. */
const MOST_NOTED = 20_000;
const ORGANISATIONS_AT_ONCE = 8;
const ATTEMPTS = 10;

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

  function note(occasion: object, asker: Asker, of: Pick<AskedPackage, "ecosystem" | "name">): void {
    if (seen.has(occasion)) return;
    seen.add(occasion);
    const { ecosystem, name } = of;
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
        const record = recordOf(joined, now);
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

function placeOf({ id, life }: Asker): string {
  return `${id}\n${life}`;
}
