/** How often files were served thanks to a waiver: counted in memory, added up in KV each minute. */
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import type { WaiverUse } from "../waivers.ts";
import { attempt, getAll } from "./call.ts";
import { keys } from "./keys.ts";

export interface WaiverUses {
  /** A file was served that a waiver let through. No I/O. */
  used(organisation: string, waiver: string): void;
  /** Adds what this process counted since the last call; throws StorageError, and then the next call adds it. */
  fold(): Promise<void>;
  /** In the order asked for; what this process has not folded is counted in. */
  read(organisation: string, waivers: readonly string[]): Promise<readonly WaiverUse[]>;
}

interface Counted {
  readonly organisation: string;
  readonly waiver: string;
  count: number;
  lastAt: EpochMs;
}

const DAY_MS = 86_400_000;
/** Waivers end after a year at most, and are listed for half another. */
const KEPT_MS = 550 * DAY_MS;
/** Counted at once; of more, the use is not told until the next minute. */
const MAX_COUNTED = 10_000;

/** One for the process. */
export function createWaiverUses(kv: Deno.Kv, { clock }: { readonly clock: Clock }): WaiverUses {
  let counted = new Map<string, Counted>();
  let folding: Promise<void> | null = null;
  let prunedOn = -1;

  function used(organisation: string, waiver: string): void {
    const name = nameOf(organisation, waiver);
    const known = counted.get(name);
    if (known !== undefined) {
      known.count++;
      known.lastAt = clock();
    } else if (counted.size < MAX_COUNTED) {
      counted.set(name, { organisation, waiver, count: 1, lastAt: clock() });
    }
  }

  async function foldNow(): Promise<void> {
    const mine = counted;
    counted = new Map();
    const left = new Map(mine);
    try {
      for (const [name, each] of mine) {
        await add(each);
        left.delete(name);
      }
    } catch (error) {
      for (const each of left.values()) putBack(each);
      throw error;
    }
    await prune();
  }

  async function add({ organisation, waiver, count, lastAt }: Counted): Promise<void> {
    await attempt("write down the use of a waiver", () =>
      kv.atomic()
        .sum(keys.waiverUse(organisation, waiver, "count"), BigInt(count))
        .max(keys.waiverUse(organisation, waiver, "last"), BigInt(lastAt))
        .commit());
  }

  function putBack({ organisation, waiver, count, lastAt }: Counted): void {
    const name = nameOf(organisation, waiver);
    const now = counted.get(name);
    counted.set(name, {
      organisation,
      waiver,
      count: count + (now?.count ?? 0),
      lastAt: Math.max(lastAt, now?.lastAt ?? 0) as EpochMs,
    });
  }

  /** Sums have no end of their own. */
  async function prune(): Promise<void> {
    const day = Math.floor(clock() / DAY_MS);
    if (day === prunedOn) return;
    await attempt("drop what was counted of old waivers", async () => {
      for await (const { key, value } of kv.list<Deno.KvU64>({ prefix: keys.waiverUses() })) {
        if (key.at(-1) !== "last" || Number(value.value) >= clock() - KEPT_MS) continue;
        await kv.atomic().delete(key).delete([...key.slice(0, -1), "count"]).commit();
      }
    });
    prunedOn = day;
  }

  async function read(organisation: string, waivers: readonly string[]): Promise<readonly WaiverUse[]> {
    const places = waivers.flatMap((waiver) =>
      (["count", "last"] as const).map((what) => keys.waiverUse(organisation, waiver, what))
    );
    const found = await attempt("read the use of waivers", () => getAll<Deno.KvU64>(kv, places));
    return waivers.map((waiver, at) => {
      const mine = counted.get(nameOf(organisation, waiver));
      const last = Math.max(Number(found[2 * at + 1]?.value?.value ?? 0), mine?.lastAt ?? 0);
      return {
        count: Number(found[2 * at]?.value?.value ?? 0) + (mine?.count ?? 0),
        lastAt: last === 0 ? null : last as EpochMs,
      };
    });
  }

  return {
    used,
    fold: () => folding ??= foldNow().finally(() => folding = null),
    read,
  };
}

function nameOf(organisation: string, waiver: string): string {
  return `${organisation}\n${waiver}`;
}
