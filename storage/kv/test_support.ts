/** What the tests of storage/ have in common; nothing else imports it. */
import type { EpochMs } from "../../policy/types.ts";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import type { Background, Clock, Log, Timers } from "../runtime.ts";
import { openStorage } from "./kv.ts";
import { createOrganisations, type Organisations } from "./organisations.ts";

export interface TestClock extends Clock {
  advance(ms: number): void;
}

/** Stands still until it is moved; begins in the present, since KV's own expiry follows the real clock. */
export function testClock(start: number = Date.UTC(2026, 10, 21, 9)): TestClock {
  let now = start;
  return Object.assign(() => now as EpochMs, { advance: (ms: number) => void (now += ms) });
}

/** Sleeps end only when they are told to (`fire`), or by their signal. */
export function testTimers(): Timers & { fire(): void; readonly sleeping: number } {
  const waiting = new Set<() => void>();
  return {
    sleep(_ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      if (signal?.aborted) return Promise.reject(signal.reason);
      const fire = () => resolve();
      waiting.add(fire);
      signal?.addEventListener("abort", () => {
        waiting.delete(fire);
        reject(signal.reason);
      }, { once: true });
      return promise;
    },
    fire() {
      for (const fire of waiting) fire();
      waiting.clear();
    },
    get sleeping() {
      return waiting.size;
    },
  };
}

export interface TestLog extends Log {
  readonly lines: string[];
}

export function testLog(): TestLog {
  const lines: string[] = [];
  const log: Log = (level, message, fields) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  return Object.assign(log, { lines });
}

/** Runs at once; `idle` waits for all of it. */
export function testBackground(): Background & { idle(): Promise<void> } {
  const running = new Set<Promise<void>>();
  async function idle(): Promise<void> {
    while (running.size > 0) await Promise.all(running);
  }
  return {
    run(_name, work) {
      const task: Promise<void> = work().finally(() => running.delete(task));
      running.add(task);
    },
    idle,
    drain: idle,
  };
}

/** A store in memory, closed at the end. */
export async function withMemoryKv(test: (kv: Deno.Kv) => Promise<void>): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await test(kv);
  } finally {
    kv.close();
  }
}

/** Two handles on one file, as two processes have them. */
export async function withTwoKvs(test: (a: Deno.Kv, b: Deno.Kv) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-kv-" });
  const a = await openStorage(`${folder}/kv.sqlite3`);
  const b = await openStorage(`${folder}/kv.sqlite3`);
  try {
    await test(a, b);
  } finally {
    a.close();
    b.close();
    await Deno.remove(folder, { recursive: true });
  }
}

export function testOrganisations(kv: Deno.Kv, clock: Clock = testClock()): Organisations {
  return createOrganisations(kv, { clock, parsePolicy, parseFloor });
}

/** How many reads of KV were made; all else passes through. */
export function countingKv(kv: Deno.Kv): { readonly kv: Deno.Kv; reads: number } {
  const counter = { kv, reads: 0 };
  counter.kv = new Proxy(kv, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (property === "get" || property === "getMany" || property === "list") counter.reads++;
        return Reflect.apply(value, target, args);
      };
    },
  });
  return counter;
}

/** Bytes that do not compress, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    bytes[i] = state & 0xff;
  }
  return bytes;
}
