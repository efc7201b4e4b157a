import assert from "node:assert/strict";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { createFaultyKv } from "../../tests/fakes/faulty_kv.ts";
import { StorageError } from "../errors.ts";
import { withBound } from "./bounded.ts";

const CALLS: Readonly<Record<string, (kv: Deno.Kv) => Promise<unknown>>> = {
  get: (kv) => kv.get(["a"]),
  getMany: (kv) => kv.getMany([["a"], ["b"]]),
  set: (kv) => kv.set(["a"], 1),
  delete: (kv) => kv.delete(["b"]),
  commit: (kv) => kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 1).commit(),
  list: (kv) => Array.fromAsync(kv.list({ prefix: [] })),
};

Deno.test("withBound: every call on a store that does not answer is a StorageError after its time, and no timer is left", async () => {
  const kv = await Deno.openKv(":memory:");
  const faulty = createFaultyKv(kv);
  const time = createTestClock();
  const bounded = withBound(faulty.kv, { timers: time.timers, answerMs: 7_000 });
  faulty.break(() => "stalls");
  for (const [name, call] of Object.entries(CALLS)) {
    let ended = false;
    const calling = call(bounded).finally(() => ended = true);
    calling.catch(() => {});
    await time.advance(6_999);
    assert.equal(ended, false, name);
    await time.advance(1);
    await assert.rejects(calling, StorageError, name);
    assert.equal(time.sleeping, 0, name);
  }
  faulty.break(null);
  for (let i = 0; i < 100 && (await kv.get(["a"])).value === null; i++) await time.advance(0);
  assert.equal((await kv.get(["a"])).value, 1, "what was given up is done all the same");
  await time.advance(0);
  kv.close();
});

Deno.test("withBound: what answers in time is what it is, lists included", async () => {
  const kv = await Deno.openKv(":memory:");
  const time = createTestClock();
  const bounded = withBound(kv, { timers: time.timers });
  for (let i = 0; i < 250; i++) await bounded.set(["n", i], i);
  assert.equal((await bounded.get(["n", 7])).value, 7);
  assert.deepEqual((await bounded.getMany([["n", 1], ["m"]])).map(({ value }) => value), [1, null]);
  const taken = bounded.atomic().check({ key: ["n", 1], versionstamp: null }).set(["n", 1], 2);
  assert.equal((await taken.commit()).ok, false);
  assert.equal((await Array.fromAsync(bounded.list({ prefix: ["n"] }, { batchSize: 100 }))).length, 250);
  await bounded.delete(["n", 7]);
  assert.equal((await bounded.get(["n", 7])).value, null);
  assert.equal(time.sleeping, 0);
  bounded.close();
});
