import assert from "node:assert/strict";
import { createTestClock, type TestClock } from "../tests/fakes/clock.ts";
import { StorageError, TooLargeError, UpstreamError } from "./errors.ts";
import { createLeases, type Leases } from "./kv/leases.ts";
import { keys } from "./kv/keys.ts";
import { testBackground, testLog, withMemoryKv } from "./kv/test_support.ts";
import { createOnce, type Once, type SharedWork } from "./once.ts";

/** KV takes real time, in which this one stands still. */
const STEP_MS = 250;

/** Processes over one KV, in one time; the "storage" is what work has left. */
interface World {
  readonly time: TestClock;
  readonly kv: Deno.Kv;
  process(options?: { readonly clockAheadMs?: number; readonly leases?: (own: Leases) => Leases }): Once;
  /** Time passes until it settles. */
  settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>>;
  /** Time passes. */
  pass(ms: number): Promise<void>;
  leases(): Promise<number>;
}

function inWorld(test: (world: World) => Promise<void>): Promise<void> {
  return withMemoryKv(async (kv) => {
    const time = createTestClock();
    const backgrounds: { idle(): Promise<void> }[] = [];
    async function settled<T>(work: Promise<T>): Promise<PromiseSettledResult<T>> {
      const all = Promise.allSettled([work]);
      let isOver = false;
      all.then(() => isOver = true);
      for (let ms = 20; !isOver && ms < 10_000; ms *= 1.2) await time.advance(Math.min(ms, STEP_MS));
      assert.ok(isOver, "it settles within two minutes");
      return (await all)[0];
    }
    await test({
      time,
      kv,
      settled,
      process({ clockAheadMs = 0, leases = (own: Leases) => own } = {}) {
        const clock = () => time.clock() + clockAheadMs as ReturnType<typeof time.clock>;
        const background = testBackground();
        backgrounds.push(background);
        const own = createLeases({ kv, clock, timers: time.timers });
        return createOnce({
          leases: leases(own),
          owner: "p",
          timers: time.timers,
          background,
          log: testLog(),
        });
      },
      async pass(ms) {
        for (let passed = 0; passed < ms; passed += STEP_MS) {
          await time.advance(Math.min(ms - passed, STEP_MS));
        }
      },
      async leases() {
        for (const background of backgrounds) await background.idle();
        return (await Array.fromAsync(kv.list({ prefix: keys.leases() }))).length;
      },
    });
    for (const background of backgrounds) await background.idle();
    assert.equal(time.sleeping, 0, "no timer is left");
  });
}

/** Work that ends when it is told to; what it ends with is in the storage then. */
function job(name = "fill a") {
  const done = Promise.withResolvers<string>();
  let stored: string | null = null;
  let begun = 0;
  const shared: SharedWork<string> = {
    name,
    find: () => Promise.resolve(stored),
    async work() {
      begun++;
      const result = await done.promise;
      if (result !== "nothing") stored = result;
      return result;
    },
    nothing: "nothing",
    patienceMs: 6_000,
  };
  return {
    shared,
    end: done.resolve,
    fail: done.reject,
    get begun() {
      return begun;
    },
  };
}

Deno.test("run: of two processes one works, and the other has what it left", () =>
  inWorld(async (world) => {
    const { shared, end, ...rest } = job();
    const work = { shared, end, ...rest };
    let waited = 0;
    let begun = 0;
    const counted = {
      ...work.shared,
      waiting: () => void waited++,
      work: (turn: never) => (begun++, shared.work(turn)),
    };
    const both = Promise.all([world.process().run(counted), world.process().run(counted)]);
    await world.pass(400);
    assert.deepEqual([begun, waited], [1, 1]);
    end("bytes");
    const settled = await world.settled(both);
    assert.deepEqual(settled, { status: "fulfilled", value: ["bytes", "bytes"] });
    assert.equal(begun, 1);
    assert.equal(await world.leases(), 0, "no lease is left");
  }));

Deno.test("run: what was left between the caller's look and the lease is not worked for again", () =>
  inWorld(async (world) => {
    const found = { ...job().shared, find: () => Promise.resolve("left"), work: () => assert.fail("worked") };
    assert.deepEqual(await world.settled(world.process().run(found)), { status: "fulfilled", value: "left" });
    assert.equal(await world.leases(), 0);
  }));

Deno.test("run: a holder at work keeps its lease for as long as it takes", () =>
  inWorld(async (world) => {
    const work = job();
    const shared = { ...work.shared, patienceMs: 60_000 };
    const both = Promise.all([world.process().run(shared), world.process().run(shared)]);
    await world.pass(12_000);
    assert.equal(work.begun, 1);
    work.end("bytes");
    assert.equal((await world.settled(both)).status, "fulfilled");
    assert.equal(work.begun, 1);
  }));

for (const clockAheadMs of [0, 3_600_000, -3_600_000]) {
  Deno.test(`run: a holder that died is replaced when its lease has ended, its clock ${clockAheadMs} ms ahead`, () =>
    inWorld(async (world) => {
      const work = job();
      const dead = createLeases({
        kv: world.kv,
        clock: () => world.time.clock() + clockAheadMs as ReturnType<typeof world.time.clock>,
        timers: { sleep: () => new Promise(() => {}) },
      });
      await dead.acquire("fill a", { owner: "dead", ttlMs: 5_000 });
      work.end("bytes");
      const running = world.process().run({ ...work.shared, patienceMs: 60_000 });
      await world.pass(1_000);
      // A clock that is behind has ended the lease already: done twice, and nobody waits.
      assert.equal(work.begun, clockAheadMs < 0 ? 1 : 0);
      await world.pass(6_500);
      assert.equal(work.begun, 1);
      assert.equal((await world.settled(running)).status, "fulfilled");
    }));
}

Deno.test("run: whose patience ends does it too, and nobody waits for longer", () =>
  inWorld(async (world) => {
    const [mine, theirs] = [job(), job()];
    const first = world.process().run(theirs.shared);
    await world.pass(100);
    const second = world.process().run(mine.shared);
    await world.pass(5_800);
    assert.deepEqual([theirs.begun, mine.begun], [1, 0]);
    await world.pass(400);
    assert.deepEqual([theirs.begun, mine.begun], [1, 1]);
    mine.end("mine");
    assert.deepEqual(await world.settled(second), { status: "fulfilled", value: "mine" });
    theirs.end("theirs");
    assert.deepEqual(await world.settled(first), { status: "fulfilled", value: "theirs" });
  }));

const STATUS = new UpstreamError("Cannot fetch a: 503", {
  kind: "status",
  origin: "http://registry.example",
  status: 503,
  retryAfterSeconds: 7,
});

for (const error of [STATUS, new SyntaxError("not a packument"), new TooLargeError("too large", 12)]) {
  Deno.test(`run: what upstream has failed with is told to those who waited: ${error.name}`, () =>
    inWorld(async (world) => {
      const work = job();
      const all = Promise.allSettled([1, 2, 3].map(() => world.process().run(work.shared)));
      await world.pass(300);
      work.fail(error);
      const settled = await world.settled(all);
      assert.ok(settled.status === "fulfilled");
      for (const each of settled.value) {
        assert.ok(each.status === "rejected");
        assert.equal(each.reason.name, error.name);
        assert.equal(each.reason.message, error.message);
        assert.deepEqual({ ...each.reason }, { ...error });
      }
      assert.equal(work.begun, 1);
      // Whoever comes afterwards tries it anew.
      const next = job();
      next.end("bytes");
      assert.equal((await world.settled(world.process().run(next.shared))).status, "fulfilled");
      assert.equal(next.begun, 1);
    }));
}

Deno.test("run: who asks again once it was told of a failure is no longer one of those that waited: it works anew", () =>
  inWorld(async ({ process, settled }) => {
    // A KV that takes its time to commit, as a disk under load does.
    const slowly = (own: Leases): Leases => ({
      ...own,
      async acquire(...args) {
        const lease = await own.acquire(...args);
        if (lease === null) return null;
        const release: typeof lease.release = async (note) => {
          await new Promise((resolve) => setTimeout(resolve, 30));
          return await lease.release(note);
        };
        return { ...lease, release, renew: () => lease.renew(), name: lease.name };
      },
    });
    const once = process({ leases: slowly });
    const failure = new UpstreamError("Cannot fetch x", {
      kind: "timeout",
      origin: "http://registry.example",
    });
    const shared = (work: () => Promise<string>): SharedWork<string> => ({
      name: "load x",
      find: () => Promise.resolve(null),
      work,
      patienceMs: 60_000,
    });
    const first = await settled(once.run(shared(() => Promise.reject(failure))));
    assert.equal(first.status === "rejected" && first.reason, failure);
    const again = await settled(once.run(shared(() => Promise.resolve("done"))));
    assert.deepEqual(again, { status: "fulfilled", value: "done" });
  }));

Deno.test("run: where the failure may be the holder's own, those who waited try in turn, one at a time", () =>
  inWorld(async (world) => {
    let begun = 0;
    let running = 0;
    let atOnce = 0;
    const broken = new UpstreamError("Cannot fetch a: the connection broke", {
      kind: "connection",
      origin: "http://registry.example",
    });
    const shared: SharedWork<string> = {
      ...job().shared,
      patienceMs: 60_000,
      async work() {
        begun++;
        atOnce = Math.max(atOnce, ++running);
        await world.time.timers.sleep(500);
        running--;
        throw broken;
      },
    };
    const all = Promise.allSettled([1, 2, 3].map(() => world.process().run(shared)));
    await world.settled(all);
    assert.deepEqual([begun, atOnce], [3, 1]);
  }));

Deno.test("run: a result that leaves nothing behind is told to those who waited", () =>
  inWorld(async (world) => {
    const work = job();
    const all = Promise.all([1, 2, 3].map(() => world.process().run(work.shared)));
    await world.pass(300);
    work.end("nothing");
    assert.deepEqual(await world.settled(all), {
      status: "fulfilled",
      value: ["nothing", "nothing", "nothing"],
    });
    assert.equal(work.begun, 1);
  }));

Deno.test("end: the others may work before the first has ended, where there will be nothing for them", () =>
  inWorld(async (world) => {
    const [mine, theirs] = [job(), job()];
    const first = world.process().run({
      ...theirs.shared,
      work: (turn) => {
        turn.end();
        return theirs.shared.work(turn);
      },
    });
    await world.pass(100);
    mine.end("mine");
    assert.deepEqual(await world.settled(world.process().run(mine.shared)), {
      status: "fulfilled",
      value: "mine",
    });
    theirs.end("theirs");
    assert.deepEqual(await world.settled(first), { status: "fulfilled", value: "theirs" });
  }));

Deno.test("run: a holder that has lost its lease (paused, a clock set) ends its work all the same", () =>
  inWorld(async (world) => {
    const [mine, theirs] = [job(), job()];
    const first = world.process().run(mine.shared);
    await world.pass(100);
    // An hour ahead, the lease of the first looks as if it had ended long ago.
    const second = world.process({ clockAheadMs: 3_600_000 }).run(theirs.shared);
    await world.pass(3_000);
    assert.deepEqual([mine.begun, theirs.begun], [1, 1]);
    mine.end("mine");
    assert.deepEqual(await world.settled(first), { status: "fulfilled", value: "mine" });
    theirs.end("theirs");
    assert.deepEqual(await world.settled(second), { status: "fulfilled", value: "theirs" });
    assert.equal(await world.leases(), 0);
  }));

Deno.test("run: KV that fails before the work ends it; KV that fails during the work does not", () =>
  inWorld(async (world) => {
    const down = () => Promise.reject(new StorageError("Cannot take the lease: KV is away"));
    const work = job();
    const none = world.process({ leases: (own) => ({ ...own, acquire: down }) });
    const settled = await world.settled(none.run(work.shared));
    assert.ok(settled.status === "rejected" && settled.reason instanceof StorageError);
    assert.equal(work.begun, 0);

    const silent = world.process({ leases: (own) => ({ ...own, acquire: () => new Promise(() => {}) }) });
    const late = await world.settled(silent.run(work.shared));
    assert.ok(
      late.status === "rejected" && late.reason instanceof StorageError,
      "bounded where KV is silent",
    );
    assert.equal(work.begun, 0);

    const later = world.process({
      leases: (own) => ({
        ...own,
        async acquire(name, options) {
          const lease = await own.acquire(name, options);
          return lease && { ...lease, renew: down, release: down };
        },
      }),
    });
    const running = later.run(work.shared);
    await world.pass(6_000);
    work.end("bytes");
    assert.deepEqual(await world.settled(running), { status: "fulfilled", value: "bytes" });
  }));

Deno.test("run: KV that fails while another process is waited for is tried again, within the patience", () =>
  inWorld(async (world) => {
    const work = job();
    let looks = 0;
    const flaky = world.process({
      leases: (own) => ({
        ...own,
        look: (name) => looks++ < 5 ? Promise.reject(new StorageError("Cannot look")) : own.look(name),
      }),
    });
    const both = Promise.all([
      world.process().run(work.shared),
      world.pass(100).then(() => flaky.run(work.shared)),
    ]);
    await world.pass(1_000);
    work.end("bytes");
    assert.deepEqual(await world.settled(both), { status: "fulfilled", value: ["bytes", "bytes"] });
    assert.ok(looks > 5);
    assert.equal(work.begun, 1);
  }));
