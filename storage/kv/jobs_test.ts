import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { createJobs, type Job, PermanentJobError } from "./jobs.ts";
import { testClock, testLog, testTimers, withMemoryKv, withTwoKvs } from "./test_support.ts";

function jobsOver(kv: Deno.Kv, clock = testClock()) {
  const log = testLog();
  const timers = testTimers();
  return { jobs: createJobs({ kv, clock, log, timers, random: () => 0.5 }), log, timers };
}

async function left(kv: Deno.Kv): Promise<unknown[]> {
  return (await Array.fromAsync(kv.list({ prefix: ["jobs"] }))).map(({ key }) => key[1]);
}

Deno.test("enqueue and runDue: a job is done once, and leaves nothing", () =>
  withMemoryKv(async (kv) => {
    const { jobs } = jobsOver(kv);
    const seen: unknown[] = [];
    const id = await jobs.enqueue({ kind: "mail", key: "a", payload: { to: "ann" } });
    assert.deepEqual((await jobs.due()).map((job) => job.id), [id]);
    const mail = (job: Job) => Promise.resolve(void seen.push(job.payload));
    assert.deepEqual(await jobs.runDue({ mail }), { done: 1, failed: 0, dead: 0 });
    assert.deepEqual(await jobs.runDue({ mail }), { done: 0, failed: 0, dead: 0 });
    assert.deepEqual(seen, [{ to: "ann" }]);
    assert.deepEqual(await left(kv), []);
  }));

Deno.test("enqueue refuses a key that is taken, also from two processes at once, until its job is done", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const both = [jobsOver(a, clock).jobs, jobsOver(b, clock).jobs];
    const ids = await Promise.all(
      Array.from({ length: 8 }, (_, i) => both[i % 2]!.enqueue({ kind: "mail", key: "a", payload: null })),
    );
    assert.equal(ids.filter((id) => id !== null).length, 1);
    assert.notEqual(await both[0]!.enqueue({ kind: "other", key: "a", payload: null }), null);
    await both[1]!.runDue({ mail: () => Promise.resolve() });
    assert.notEqual(await both[0]!.enqueue({ kind: "mail", key: "a", payload: null }), null);
  }));

Deno.test("enqueue with keepKeyMs refuses the key for so long although the job is done", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { jobs } = jobsOver(kv, clock);
    const job = { kind: "mail", key: "a", payload: null, keepKeyMs: 1_000 };
    await jobs.enqueue(job);
    await jobs.runDue({ mail: () => Promise.resolve() });
    clock.advance(999);
    assert.equal(await jobs.enqueue(job), null);
    clock.advance(1);
    assert.notEqual(await jobs.enqueue(job), null);
  }));

Deno.test("runDue leaves what is not due and kinds that it has no handler for", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { jobs } = jobsOver(kv, clock);
    await jobs.enqueue({ kind: "mail", key: "later", payload: null, runAt: clock() + 500 as EpochMs });
    await jobs.enqueue({ kind: "__proto__", key: "b", payload: null });
    const mail = () => Promise.resolve();
    assert.equal((await jobs.runDue({ mail })).done, 0);
    clock.advance(500);
    assert.equal((await jobs.runDue({ mail })).done, 1);
    assert.deepEqual((await jobs.due()).map(({ kind }) => kind), ["__proto__"]);
  }));

Deno.test("a job that fails is tried again later and later, then given up, logged and kept to be looked at", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { jobs, log } = jobsOver(kv, clock);
    await jobs.enqueue({ kind: "mail", key: "a", payload: null, maxAttempts: 4 });
    const times: number[] = [];
    const start = clock();
    const mail = () => {
      times.push(clock() - start);
      return Promise.reject(new Error("no answer"));
    };
    for (let i = 0; i < 200; i++) {
      await jobs.runDue({ mail });
      clock.advance(1_000);
    }
    assert.deepEqual(times, [0, 10_000, 30_000, 70_000]);
    assert.equal(log.lines.length, 1);
    assert.match(log.lines[0]!, /Gave up a job of kind "mail" after 4 attempts: no answer/);
    const dead = await jobs.dead();
    assert.deepEqual(dead.map(({ key, lastError }) => [key, lastError]), [["a", "no answer"]]);
    assert.deepEqual(await jobs.due(), []);
    assert.notEqual(await jobs.enqueue({ kind: "mail", key: "a", payload: null }), null);
    clock.advance(8 * 24 * 3_600_000);
    assert.deepEqual(await jobs.dead(), []);
  }));

Deno.test("a job that cannot succeed is given up at once", () =>
  withMemoryKv(async (kv) => {
    const { jobs } = jobsOver(kv);
    await jobs.enqueue({ kind: "mail", key: "a", payload: null });
    const result = await jobs.runDue({ mail: () => Promise.reject(new PermanentJobError("410")) });
    assert.deepEqual(result, { done: 0, failed: 0, dead: 1 });
  }));

Deno.test("jobs survive a restart: new objects on the same store do them, with what they had tried", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    await jobsOver(kv, clock).jobs.enqueue({ kind: "mail", key: "a", payload: 7 });
    await jobsOver(kv, clock).jobs.runDue({ mail: () => Promise.reject(new Error("x")) });
    clock.advance(10_000);
    const seen: Job[] = [];
    await jobsOver(kv, clock).jobs.runDue({ mail: (job) => Promise.resolve(void seen.push(job)) });
    assert.deepEqual(seen.map(({ payload, attempts, lastError }) => [payload, attempts, lastError]), [[
      7,
      2,
      "x",
    ]]);
  }));

Deno.test("a job whose worker died is due again after its claim, and its attempt counts", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const first = jobsOver(kv, clock);
    await first.jobs.enqueue({ kind: "mail", key: "a", payload: null, maxAttempts: 2 });
    for (let i = 0; i < 2; i++) {
      // Never ends: as far as others can see, its worker is dead.
      void first.jobs.runDue({ mail: () => new Promise(() => {}) });
      while ((await first.jobs.due()).length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
      assert.deepEqual(await jobsOver(kv, clock).jobs.runDue({ mail: () => Promise.resolve() }), {
        done: 0,
        failed: 0,
        dead: 0,
      });
      clock.advance(60_000);
    }
    const result = await jobsOver(kv, clock).jobs.runDue({ mail: () => Promise.resolve() });
    assert.deepEqual(result, { done: 0, failed: 0, dead: 1 });
  }));

Deno.test("a job that takes too long is put back, and its signal aborts", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { jobs, timers } = jobsOver(kv, clock);
    await jobs.enqueue({ kind: "mail", key: "a", payload: null });
    let aborted = false;
    const running = jobs.runDue({
      mail: (_job, signal) => {
        signal.addEventListener("abort", () => aborted = true);
        queueMicrotask(() => timers.fire());
        return new Promise(() => {});
      },
    });
    assert.deepEqual(await running, { done: 0, failed: 1, dead: 0 });
    assert.ok(aborted);
  }));

Deno.test("runDue in two processes at once does each of many jobs exactly once", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const both = [jobsOver(a, clock).jobs, jobsOver(b, clock).jobs];
    for (let i = 0; i < 30; i++) await both[0]!.enqueue({ kind: "mail", key: `${i}`, payload: i });
    const seen: unknown[] = [];
    const mail = (job: Job) => Promise.resolve(void seen.push(job.payload));
    const results = await Promise.all(both.map((jobs) => jobs.runDue({ mail })));
    assert.equal(results.reduce((sum, { done }) => sum + done, 0), 30);
    assert.equal(new Set(seen).size, 30);
    assert.equal(seen.length, 30);
  }));

Deno.test("runDue obeys its limit, its concurrency and its signal", () =>
  withMemoryKv(async (kv) => {
    const { jobs } = jobsOver(kv);
    for (let i = 0; i < 12; i++) await jobs.enqueue({ kind: "mail", key: `${i}`, payload: i });
    let running = 0;
    let most = 0;
    const stop = new AbortController();
    let begun = 0;
    // The first waits for a second to run beside it, however slow the machine is.
    const two = Promise.withResolvers<void>();
    const mail = async () => {
      most = Math.max(most, ++running);
      if (most === 2) two.resolve();
      if (++begun === 8) stop.abort();
      await two.promise;
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    assert.equal((await jobs.runDue({ mail }, { limit: 5, concurrency: 2 })).done, 5);
    assert.equal(most, 2);
    assert.equal((await jobs.runDue({ mail }, { concurrency: 1, signal: stop.signal })).done, 3);
  }));

Deno.test("enqueue refuses a payload above its bound", () =>
  withMemoryKv(async (kv) => {
    const { jobs } = jobsOver(kv);
    await assert.rejects(jobs.enqueue({ kind: "mail", key: "a", payload: "x".repeat(32_001) }), StorageError);
    assert.deepEqual(await left(kv), []);
  }));
