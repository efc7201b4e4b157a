/** What is kept whatever is evicted: a package, or one release of it; of the whole instance. */
import type { EpochMs } from "../../policy/types.ts";
import type { Clock } from "../runtime.ts";
import { attempt } from "./call.ts";
import { boundedText } from "./held_entries.ts";
import { keys } from "./keys.ts";

export interface Pin {
  readonly ecosystem: string;
  /** Registry-exact. */
  readonly name: string;
  /** null: all of the package. */
  readonly version: string | null;
  readonly reason: string;
  /** Who pinned it: a person, or the part of Sluice that keeps it filled. */
  readonly owner: string;
  readonly at: EpochMs;
}

type Pinned = Pick<Pin, "ecosystem" | "name" | "version">;

/** All throw StorageError where KV fails. */
export interface Pins {
  /** One of the same package and release is replaced. */
  add(pin: Omit<Pin, "at">): Promise<Pin>;
  /** false: there is none. */
  remove(pinned: Pinned): Promise<boolean>;
  /** By ecosystem, name and version. */
  list(): Promise<readonly Pin[]>;
}

interface PinRecord {
  readonly v: 1;
  readonly pin: Pin;
}

function keyOf({ ecosystem, name, version }: Pinned): Deno.KvKey {
  return keys.pin(ecosystem, name, version ?? "");
}

export function createPins({ kv, clock }: { readonly kv: Deno.Kv; readonly clock: Clock }): Pins {
  async function add(given: Omit<Pin, "at">): Promise<Pin> {
    const pin: Pin = {
      ...given,
      reason: boundedText(given.reason),
      owner: boundedText(given.owner),
      at: clock(),
    };
    const record: PinRecord = { v: 1, pin };
    await attempt(`pin ${JSON.stringify(given.name)}`, () => kv.set(keyOf(pin), record));
    return pin;
  }

  async function remove(pinned: Pinned): Promise<boolean> {
    const action = `unpin ${JSON.stringify(pinned.name)}`;
    const entry = await attempt(action, () => kv.get<PinRecord>(keyOf(pinned)));
    if (entry.value === null) return false;
    await attempt(action, () => kv.delete(entry.key));
    return true;
  }

  async function list(): Promise<readonly Pin[]> {
    return await attempt("list what is pinned", async () => {
      const pins: Pin[] = [];
      for await (const { value } of kv.list<PinRecord>({ prefix: keys.pins() })) pins.push(value.pin);
      return pins;
    });
  }

  return { add, remove, list };
}
