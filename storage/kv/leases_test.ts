import assert from "node:assert/strict";
import { createLeases } from "./leases.ts";
import { testClock, testTimers, withMemoryKv, withTwoKvs } from "./test_support.ts";

Deno.test("acquire gives a lease to one owner at a time, over processes", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const timers = testTimers();
    const [mine, theirs] = [a, b].map((kv) => createLeases({ kv, clock, timers }));
    const got = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        (i % 2 ? mine! : theirs!).acquire("fold", { owner: `process ${i}`, ttlMs: 1_000 })),
    );
    const held = got.filter((lease) =>
      lease !== null
    );
    assert.equal(held.length, 1);
    await held[0]!.release();
    assert.ok(held[0]!.signal.aborted);
    const next = await theirs!.acquire("fold", { owner: "next", ttlMs: 1_000 });
    assert.equal(next?.owner, "next");
    assert.notEqual(await mine!.acquire("other", { owner: "next", ttlMs: 1_000 }), null);
    timers.fire();
  }));

Deno.test("a holder that died is replaced after its time, and finds out when it comes back", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const leases = createLeases({ kv, clock, timers: testTimers() });
    const dead = await leases.acquire("fold", { owner: "dead", ttlMs: 1_000 });
    clock.advance(999);
    assert.equal(await leases.acquire("fold", { owner: "next", ttlMs: 1_000 }), null);
    clock.advance(1);
    const next = await leases.acquire("fold", { owner: "next", ttlMs: 1_000 });
    assert.notEqual(next, null);
    assert.equal(await dead!.renew(), false);
    assert.ok(dead!.signal.aborted);
    await dead!.release();
    assert.equal(await leases.acquire("fold", { owner: "third", ttlMs: 1_000 }), null);
    assert.equal(next!.signal.aborted, false);
  }));

Deno.test("renew holds a lease for another full length", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const leases = createLeases({ kv, clock, timers: testTimers() });
    const lease = await leases.acquire("fold", { owner: "a", ttlMs: 1_000 });
    for (let i = 0; i < 5; i++) {
      clock.advance(900);
      assert.equal(await lease!.renew(), true);
      assert.equal(await leases.acquire("fold", { owner: "b", ttlMs: 1_000 }), null);
    }
    assert.equal(lease!.signal.aborted, false);
  }));

Deno.test("signal aborts when the lease was not renewed in time", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const timers = testTimers();
    const lease = await createLeases({ kv, clock, timers }).acquire("fold", { owner: "a", ttlMs: 1_000 });
    timers.fire();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assert.ok(lease!.signal.aborted);
    assert.match(String(lease!.signal.reason), /"fold" has ended/);
    assert.equal(await lease!.renew(), false);
  }));
