/** A real KV before which something goes wrong: calls fail, wait, or are done and fail all the same. */

/** What a call is: `get` and `list` (each batch of it) read, `set` and `commit` write (`delete` counts as `set`). */
export type KvCall = "get" | "list" | "set" | "commit";

/**
 * `fails`: nothing is done. `lost`: it is done, and its answer gets lost. `stalls`: nothing is done before the fault is
 * over. A number: it is done after so many milliseconds.
 */
export type KvFault = "fails" | "lost" | "stalls" | number;

/** Says of each call what goes wrong with it; null: nothing. */
export type KvFaults = (call: KvCall) => KvFault | null;

export interface FaultyKv {
  /** To be used in its place; closing it closes the real one. */
  readonly kv: Deno.Kv;
  /** From now on; null: nothing any more, and what is stalled goes on. */
  break(faults: KvFaults | null): void;
  readonly isBroken: boolean;
  /** How many calls something went wrong with. */
  readonly hit: number;
}

const isWrite = (call: KvCall) => call === "set" || call === "commit";

/** Every way that KV is broken in by the tests of a whole Sluice. `chance` is from 0 to 1, seeded. */
export const KV_FAULTS: Readonly<Record<string, (chance: () => number) => KvFaults>> = {
  "every call fails": () => () => "fails",
  "every read fails": () => (call) => isWrite(call) ? null : "fails",
  "one write in ten fails": (chance) => (call) => isWrite(call) && chance() < 0.1 ? "fails" : null,
  "one call in ten fails": (chance) => () => chance() < 0.1 ? "fails" : null,
  "every write fails": () => (call) => isWrite(call) ? "fails" : null,
  "every call is slow": (chance) => () => 1 + Math.floor(chance() * 20),
  "half of all writes are done and their answers lost": (chance) => (call) =>
    isWrite(call) && chance() < 0.5 ? "lost" : null,
  "every write stalls": () => (call) => isWrite(call) ? "stalls" : null,
  "every call stalls": () => () => "stalls",
};

/** Numbers from 0 (inclusive) to 1, the same for the same seed (mulberry32). */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Nothing is wrong with it before `break`. */
export function createFaultyKv(real: Deno.Kv): FaultyKv {
  let faults: KvFaults | null = null;
  let healed = Promise.withResolvers<void>();
  let hit = 0;

  async function through<T>(call: KvCall, work: () => Promise<T>): Promise<T> {
    const fault = faults?.(call) ?? null;
    if (fault === null) return await work();
    hit++;
    if (fault === "fails") throw new Error("KV is out of order");
    if (fault === "stalls") await healed.promise;
    if (typeof fault === "number") await new Promise((resolve) => setTimeout(resolve, fault));
    const done = await work();
    if (fault === "lost") throw new Error("KV timed out");
    return done;
  }

  function atomic(): Deno.AtomicOperation {
    const operation = real.atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = () => through("commit", commit);
    return operation;
  }

  function list<T>(...args: Parameters<Deno.Kv["list"]>): Deno.KvListIterator<T> {
    const entries = real.list<T>(...args);
    const next = entries.next.bind(entries);
    entries.next = () => through("list", next);
    return entries;
  }

  const kv = new Proxy(real, {
    get(target, property) {
      if (property === "atomic") return atomic;
      if (property === "list") return list;
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      const call = { get: "get", getMany: "get", set: "set", delete: "set" }[String(property)];
      if (call === undefined) return value.bind(target);
      return (...args: unknown[]) =>
        through(call as KvCall, async () => await Reflect.apply(value, target, args));
    },
  });

  return {
    kv,
    break(next) {
      faults = next;
      if (next !== null) return;
      healed.resolve();
      healed = Promise.withResolvers();
    },
    get isBroken() {
      return faults !== null;
    },
    get hit() {
      return hit;
    },
  };
}
