/**
 * A KV that does not answer must not hold its callers: a server that is stopped or cut off leaves each call waiting
 * for ever, since Deno's client tries again for as long as it takes.
 */
import type { Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";
import { within } from "./within.ts";

/** Longer than a busy file is waited for (patience.ts), and shorter than the clients of registries wait. */
const ANSWER_MS = 7_000;

export interface BoundedDeps {
  readonly timers?: Timers;
  readonly answerMs?: number;
}

const SINGLE: ReadonlySet<PropertyKey> = new Set(["get", "getMany", "set", "delete"]);

/**
 * The same store; each operation, commit and batch of a list rejects with StorageError once it has waited for so long.
 * WARNING: a commit that was given up may have been applied, or may be later.
 */
export function withBound(kv: Deno.Kv, deps: BoundedDeps = {}): Deno.Kv {
  const { timers = realTimers, answerMs: ms = ANSWER_MS } = deps;

  function atomic(): Deno.AtomicOperation {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    // Each method answers the operation itself, so that this holds for the whole chain.
    operation.commit = () => within(timers, { ms, action: "write to KV" }, commit());
    return operation;
  }

  function list<T>(...args: Parameters<Deno.Kv["list"]>): Deno.KvListIterator<T> {
    const entries = kv.list<T>(...args);
    const next = entries.next.bind(entries);
    entries.next = () => within(timers, { ms, action: "list what is in KV" }, next());
    return entries;
  }

  return new Proxy(kv, {
    get(target, property) {
      if (property === "atomic") return atomic;
      if (property === "list") return list;
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (!SINGLE.has(property)) return value.bind(target);
      const action = property === "set" || property === "delete" ? "write to KV" : "read from KV";
      return (...args: unknown[]) =>
        within(timers, { ms, action }, Promise.resolve(Reflect.apply(value, target, args)));
    },
  });
}
