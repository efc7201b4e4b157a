import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { createTestClock, type TestClock } from "../tests/fakes/clock.ts";
import { keepServing, type Serving } from "./serving.ts";

interface FakeServer {
  readonly port: number | null;
  readonly finished: PromiseWithResolvers<void>;
}

interface Rig {
  readonly time: TestClock;
  readonly serving: Serving;
  readonly begun: readonly FakeServer[];
  readonly lines: readonly string[];
  /** How often beginning throws from now on. */
  fail(times: number): void;
}

/** Deno's own server ends only where a process has no descriptor left: here it is the test that ends it. */
function rig(): Rig {
  const time = createTestClock();
  const begun: FakeServer[] = [];
  const lines: string[] = [];
  let failing = 0;
  const begin = (port: number | null) => {
    if (failing-- > 0) throw new Error("Too many open files (os error 24)");
    const finished = Promise.withResolvers<void>();
    begun.push({ port, finished });
    return {
      addr: { transport: "tcp", hostname: "127.0.0.1", port: 4321 },
      finished: finished.promise,
      shutdown: () => Promise.resolve(finished.resolve()),
    } as Deno.HttpServer;
  };
  const log = (level: string, message: string) => void lines.push(`${level} ${message}`);
  const serving = keepServing(begin, { clock: time.clock, timers: time.timers, log });
  return { time, serving, begun, lines, fail: (times) => void (failing = times) };
}

const LOST = new Error("Too many open files (os error 24)");

Deno.test("keepServing: a server that ended by itself is begun again on its port, as often as it takes, told once", async () => {
  const { time, begun, lines, fail, serving } = rig();
  fail(3);
  begun[0]!.finished.reject(LOST);
  await time.advance(1_000);
  assert.deepEqual(begun.map(({ port }) => port), [null, 4321]);
  begun[1]!.finished.reject(LOST);
  await time.advance(250);
  assert.equal(begun.length, 3);
  assert.deepEqual(lines, ["error No connection can be taken: listening again until it can"]);
  await time.advance(60_000);
  begun[2]!.finished.reject(LOST);
  await time.advance(250);
  assert.equal(lines.length, 2);
  await serving.shutdown();
});

Deno.test("keepServing: once it is told to end, nothing begins again", async () => {
  const { time, begun, lines, serving } = rig();
  await serving.shutdown();
  await serving.finished();
  await time.advance(1_000);
  assert.equal(begun.length, 1);

  const late = rig();
  late.begun[0]!.finished.reject(LOST);
  await late.time.advance(100);
  late.serving.leave();
  await late.time.advance(10_000);
  assert.equal(late.begun.length, 1);
  assert.deepEqual(lines, []);
});

Deno.test("keepServing: what cannot begin at all throws", () => {
  const deps = { clock: () => 0 as EpochMs, timers: createTestClock().timers, log: () => {} };
  const begin = () => {
    throw new Error("taken");
  };
  assert.throws(() => keepServing(begin, deps), /taken/);
});
