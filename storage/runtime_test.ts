import assert from "node:assert/strict";
import { createTestClock } from "../tests/fakes/clock.ts";
import { createBackground } from "./background.ts";
import { StorageError } from "./errors.ts";
import { createByteCache } from "./memory.ts";
import { createSlots } from "./slots.ts";
import { realTimers } from "./timers.ts";

Deno.test("createBackground run: a failure is logged once and rejects nothing", async () => {
  const logged: string[] = [];
  const background = createBackground({ log: (level, message) => logged.push(`${level} ${message}`) });
  background.run("one", () => Promise.reject(new Error("no luck")));
  background.run("two", () => {
    throw new Error("at once");
  });
  await background.drain(1000);
  assert.deepEqual(logged.sort(), [
    'error Background work "one" failed: no luck',
    'error Background work "two" failed: at once',
  ]);
});

Deno.test("createBackground drain: waits for what was started meanwhile too, and no longer than its bound", async () => {
  const time = createTestClock();
  const background = createBackground({ log: () => {}, timers: time.timers });
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  background.run("first", async () => {
    await first.promise;
    background.run("second", () => second.promise);
  });
  let drained = false;
  const draining = background.drain(5000).then(() => {
    drained = true;
  });
  first.resolve();
  await time.advance(4999);
  assert.equal(drained, false);
  second.resolve();
  await draining;
  assert.equal(time.sleeping, 0);

  background.run("endless", () => new Promise(() => {}));
  const bounded = background.drain(5000);
  await time.advance(5000);
  await bounded;
});

Deno.test("realTimers sleep: ends in time, or with the signal's reason, and leaves no timer", async () => {
  await realTimers.sleep(1);
  const abort = new AbortController();
  const sleeping = realTimers.sleep(60_000, abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(sleeping, /enough/);
  await assert.rejects(realTimers.sleep(60_000, abort.signal), /enough/);
});

Deno.test("createTestClock advance: wakes in order, each at its own instant, and those that start on the way", async () => {
  const time = createTestClock(1000);
  const woken: string[] = [];
  async function sleeper(name: string, ms: number): Promise<void> {
    await time.timers.sleep(ms);
    woken.push(`${name}@${time.clock()}`);
  }
  sleeper("late", 300);
  sleeper("early", 100).then(() => sleeper("again", 100));
  sleeper("never", 301);
  await time.advance(300);
  assert.deepEqual(woken, ["early@1100", "again@1200", "late@1300"]);
  assert.equal(time.clock(), 1300);
  assert.equal(time.sleeping, 1);
  time.jump(-500);
  await time.advance(1);
  assert.deepEqual(woken.at(-1), "never@801");
});

Deno.test("createSlots: so many at a time, in order; above its bound it throws at once", async () => {
  const slots = createSlots({ maxConcurrent: 1, maxWaiting: 2 });
  const order: number[] = [];
  const first = await slots.acquire();
  const waiting = [1, 2].map((number) =>
    slots.acquire().then((release) => {
      order.push(number);
      return release;
    })
  );
  assert.throws(() => slots.acquire(), StorageError);
  assert.equal(slots.waiting, 2);
  first();
  first();
  const second = await waiting[0]!;
  assert.deepEqual(order, [1], "a slot given back twice is one slot");
  second();
  (await waiting[1]!)();
  assert.deepEqual(order, [1, 2]);
  (await slots.acquire())();
});

Deno.test("createByteCache: bounded in bytes, the least recently used leaves first", () => {
  const cache = createByteCache<Uint8Array>({ maxBytes: 10_000, sizeOf: (value) => value.length });
  for (const key of ["a", "b", "c", "d"]) cache.set(key, new Uint8Array(2000));
  assert.equal(cache.size, 4);
  assert.ok(cache.get("a"));
  cache.set("e", new Uint8Array(2000));
  assert.equal(cache.get("b"), undefined);
  assert.ok(cache.get("a"));
  assert.ok(cache.sizeBytes <= 10_000);
  cache.set("a", new Uint8Array(2300));
  assert.equal(
    cache.get("a"),
    undefined,
    "above a quarter, with what an entry costs: not kept, and the old one is gone",
  );
  assert.equal(cache.delete("c"), true);
  cache.clear();
  assert.equal(cache.sizeBytes, 0);
});

Deno.test("createByteCache: empty values count too; a bound of nothing keeps nothing; nonsense is refused", () => {
  const cache = createByteCache<Uint8Array>({ maxBytes: 10_000, sizeOf: (value) => value.length });
  for (let count = 0; count < 1000; count++) cache.set(`${count}`, new Uint8Array());
  assert.ok(cache.size < 50);
  const none = createByteCache<string>({ maxBytes: 0, sizeOf: (value) => value.length });
  none.set("a", "");
  assert.equal(none.get("a"), undefined);
  assert.throws(() => createByteCache({ maxBytes: -1, sizeOf: () => 1 }), RangeError);
});
