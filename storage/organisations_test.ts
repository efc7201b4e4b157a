import assert from "node:assert/strict";
import { parseFloor, parsePolicy } from "../policy/config.ts";
import { StorageError } from "./errors.ts";
import { createOrganisations } from "./kv/organisations.ts";
import {
  countingKv,
  type TestClock,
  testClock,
  testLog,
  testOrganisations,
  testTimers,
  withMemoryKv,
  withTwoKvs,
} from "./kv/test_support.ts";
import { createOrganisationViews } from "./organisations.ts";

function viewsOver(kv: Deno.Kv, clock: TestClock) {
  const timers = testTimers();
  const log = testLog();
  const organisations = testOrganisations(kv, clock);
  return {
    views: createOrganisationViews({ organisations, kv, clock, log, timers }),
    timers,
    log,
    organisations,
  };
}

/** Fails, hangs or works, as it is told. */
function moodyKv(kv: Deno.Kv) {
  const state = { mood: "works" as "works" | "fails" | "hangs", calls: 0, kv };
  state.kv = new Proxy(kv, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        state.calls++;
        if (state.mood === "works") return Reflect.apply(value, target, args);
        if (state.mood === "hangs") return new Promise(() => {});
        return Promise.reject(new TypeError("the network is gone"));
      };
    },
  });
  return state;
}

Deno.test("view is held for a second without a question, and followed within it by a changed policy", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const counted = countingKv(a);
    const { views } = viewsOver(counted.kv, clock);
    const other = testOrganisations(b, clock);
    await other.create("acme", { author: "ann" });
    const first = await views.view("acme");
    assert.equal(first?.revision, 1);
    const reads = counted.reads;
    await other.set({ id: "acme", source: { minimumAge: "1d" }, author: "bob" });
    clock.advance(999);
    assert.equal(await views.view("acme"), first);
    assert.equal(counted.reads, reads);
    clock.advance(1);
    assert.equal((await views.view("acme"))?.revision, 2);
  }));

Deno.test("view: two changes within one moment of the clock are both seen", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const { views } = viewsOver(a, clock);
    const other = testOrganisations(b, clock);
    await other.create("acme", { author: "ann" });
    for (let revision = 1; revision < 5; revision++) {
      assert.equal((await views.view("acme"))?.revision, revision);
      await other.set({ id: "acme", source: {}, author: "ann" });
      clock.advance(1_000);
    }
  }));

Deno.test("view that is confirmed unchanged costs one read, and is the same object", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const counted = countingKv(kv);
    const { views, organisations } = viewsOver(counted.kv, clock);
    await organisations.create("acme", { author: "ann" });
    const first = await views.view("acme");
    const before = counted.reads;
    clock.advance(1_000);
    const all = await Promise.all(Array.from({ length: 50 }, () => views.view("acme")));
    assert.ok(all.every((view) => view === first));
    assert.equal(counted.reads, before + 1);
  }));

Deno.test("view: while this process changes one thing after another, everybody is answered, with what was changed before they asked", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    let changes = 0;
    // Something else is changed during every look.
    const busy = new Proxy(kv, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (property !== "getMany") return typeof value === "function" ? value.bind(target) : value;
        return (...args: unknown[]) => {
          if (changes++ < 20) views.lookAgain();
          return Reflect.apply(value, target, args);
        };
      },
    });
    const { views, organisations } = viewsOver(busy, clock);
    await organisations.create("acme", { author: "ann" });
    for (let revision = 1; revision < 5; revision++) {
      assert.equal((await views.view("acme"))?.revision, revision);
      await organisations.set({ id: "acme", source: {}, author: "ann" });
      views.lookAgain();
    }
    assert.ok(changes > 4);
  }));

Deno.test("view of an organisation that did not change stays the same object when another does", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { views, organisations } = viewsOver(kv, clock);
    await organisations.create("acme", { author: "ann" });
    await organisations.create("other", { author: "ann" });
    const first = await views.view("acme");
    await organisations.set({ id: "other", source: {}, author: "ann" });
    clock.advance(1_000);
    assert.equal(await views.view("acme"), first);
  }));

Deno.test("view of names nobody has costs no read, however many; a new organisation is known within a second", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const counted = countingKv(kv);
    const { views, organisations } = viewsOver(counted.kv, clock);
    await organisations.create("acme", { author: "ann" });
    await views.view("acme");
    const before = counted.reads;
    for (let i = 0; i < 1_000; i++) assert.equal(await views.view(`stranger-${i}`), null);
    assert.equal(await views.view("No Name"), null);
    assert.equal(await views.view("constructor"), null);
    assert.equal(counted.reads, before);
    await organisations.create("stranger-7", { author: "ann" });
    clock.advance(1_000);
    assert.equal((await views.view("stranger-7"))?.revision, 1);
    await organisations.delete("stranger-7");
    clock.advance(1_000);
    assert.equal(await views.view("stranger-7"), null);
  }));

Deno.test("count follows creation and deletion", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { views, organisations } = viewsOver(kv, clock);
    assert.equal(await views.count(), 0);
    await organisations.ensureDefault();
    await organisations.create("acme", { author: "ann" });
    clock.advance(1_000);
    assert.equal(await views.count(), 2);
    await organisations.delete("acme");
    clock.advance(1_000);
    assert.equal(await views.count(), 1);
  }));

for (const mood of ["fails", "hangs"] as const) {
  Deno.test(`view goes on for five seconds while KV ${mood}, then throws StorageError, then recovers`, () =>
    withMemoryKv(async (real) => {
      const clock = testClock();
      const moody = moodyKv(real);
      const { views, timers, organisations } = viewsOver(moody.kv, clock);
      await organisations.create("acme", { author: "ann" });
      const first = await views.view("acme");
      moody.mood = mood;
      async function ask() {
        const asked = views.view("acme");
        asked.catch(() => {});
        // What hangs is given up by the timer.
        for (let i = 0; i < 20; i++) await Promise.resolve();
        timers.fire();
        return await asked;
      }
      for (const ms of [1_000, 1_000, 2_000, 999]) {
        clock.advance(ms);
        assert.equal(await ask(), first);
      }
      clock.advance(1);
      await assert.rejects(
        ask(),
        (error) => error instanceof StorageError && /five seconds/.test(error.message),
      );
      moody.mood = "works";
      clock.advance(250);
      assert.equal((await views.view("acme"))?.revision, 1);
      assert.equal(timers.sleeping, 0);
    }));
}

Deno.test("view without KV from the start throws StorageError, and asks KV at most four times a second", () =>
  withMemoryKv(async (real) => {
    const clock = testClock();
    const moody = moodyKv(real);
    const { views, log } = viewsOver(moody.kv, clock);
    moody.mood = "fails";
    for (let i = 0; i < 100; i++) {
      await assert.rejects(views.view("acme"), StorageError);
      clock.advance(10);
    }
    assert.ok(moody.calls <= 4, String(moody.calls));
    assert.ok(log.lines.length <= 4);
  }));

Deno.test("view after the clock was set back is confirmed anew", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const { views, organisations } = viewsOver(kv, clock);
    await organisations.create("acme", { author: "ann" });
    await views.view("acme");
    await organisations.set({ id: "acme", source: {}, author: "ann" });
    clock.advance(-60_000);
    assert.equal((await views.view("acme"))?.revision, 2);
  }));

Deno.test("view of a policy that no longer parses fails closed, again and again, without reading it again", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    await testOrganisations(kv, clock).create("acme", { author: "ann", source: { minimumAge: "1d" } });
    const counted = countingKv(kv);
    let broken = true;
    const organisations = createOrganisations(counted.kv, {
      clock,
      parseFloor,
      parsePolicy: (input) => broken ? { ok: false, errors: [] } : parsePolicy(input),
    });
    const views = createOrganisationViews({
      organisations,
      kv: counted.kv,
      clock,
      log: testLog(),
      timers: testTimers(),
    });
    await assert.rejects(
      views.view("acme"),
      (error) => error instanceof StorageError && /"acme"/.test(error.message),
    );
    const reads = counted.reads;
    await assert.rejects(views.view("acme"), StorageError);
    assert.equal(counted.reads, reads);
    broken = false;
    await organisations.set({ id: "acme", source: {}, author: "ann" });
    clock.advance(1_000);
    assert.equal((await views.view("acme"))?.revision, 2);
  }));

Deno.test("view asked while an older reading is under way does not join it", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "ann" });
    const gate = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    let slow = true;
    const delayed = {
      ...organisations,
      snapshot: async (...args: Parameters<typeof organisations.snapshot>) => {
        const view = await organisations.snapshot(...args);
        taken.resolve();
        if (slow) await gate.promise;
        return view;
      },
    };
    const views = createOrganisationViews({
      organisations: delayed,
      kv,
      clock,
      log: testLog(),
      timers: testTimers(),
    });
    const old = views.view("acme");
    await taken.promise;
    slow = false;
    await organisations.set({ id: "acme", source: {}, author: "ann" });
    clock.advance(1_000);
    assert.equal((await views.view("acme"))?.revision, 2);
    gate.resolve();
    assert.equal((await old)?.revision, 1);
    assert.equal((await views.view("acme"))?.revision, 2);
  }));
