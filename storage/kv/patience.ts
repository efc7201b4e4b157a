/**
 * Two processes on one embedded KV file: whoever finds it being written by the other gets "database is locked" at
 * once, since Deno sets no busy time-out (seen on 2.5.7 and 2.9.6: half of all commits of two busy writers).
 * Nothing was written then, so it is tried again. Reading is never locked out once the file is open.
 */
import type { Timers } from "../runtime.ts";
import { realTimers } from "../timers.ts";

/** Tried again for so long; then the error goes through. */
const PATIENCE_MS = 5_000;
const LONGEST_PAUSE_MS = 40;
const LOCKED = /database (table )?is locked/;

export interface PatienceDeps {
  readonly timers?: Timers;
  /** From 0 (inclusive) to 1. */
  readonly random?: () => number;
}

/** Runs `work` again as long as the file is locked, with pauses of 1 to 40 ms. `work` must do nothing if it fails. */
export async function patiently<T>(work: () => Promise<T>, deps: PatienceDeps = {}): Promise<T> {
  const { timers = realTimers, random = Math.random } = deps;
  let waited = 0;
  for (let pause = 1;; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !LOCKED.test(error.message) || waited >= PATIENCE_MS) throw error;
    }
    const ms = pause * (0.5 + random());
    await timers.sleep(ms);
    waited += ms;
  }
}

/** The same store; its single operations and commits are patient. */
export function withPatience(kv: Deno.Kv, deps: PatienceDeps = {}): Deno.Kv {
  function atomic(): Deno.AtomicOperation {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    // Each method answers the operation itself, so that this holds for the whole chain.
    operation.commit = () => patiently(commit, deps);
    return operation;
  }
  return new Proxy(kv, {
    get(target, property) {
      if (property === "atomic") return atomic;
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property === "get" || property === "getMany" || property === "set" || property === "delete") {
        return (...args: unknown[]) => patiently(async () => await Reflect.apply(value, target, args), deps);
      }
      return value.bind(target);
    },
  });
}
