import assert from "node:assert/strict";
import { StorageError } from "../errors.ts";
import { createAskedPackages } from "./asked_packages.ts";
import { keys } from "./keys.ts";
import { countingKv, testClock, testOrganisations, withMemoryKv, withTwoKvs } from "./test_support.ts";

const ACME = { id: "acme", life: "1" };
const OTHER = { id: "other", life: "1" };
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const npm = (name: string) => ({ ecosystem: "npm", name });

async function namesOf(asked: ReturnType<typeof createAskedPackages>, asker = ACME): Promise<string[]> {
  return (await asked.read(asker)).packages.map(({ ecosystem, name }) => `${ecosystem} ${name}`);
}

Deno.test("asked packages: the last first, to each organisation its own, before and after they are written down", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const asked = createAskedPackages(kv, { clock });
    asked.note({}, ACME, npm("a"));
    clock.advance(MINUTE_MS);
    asked.note({}, ACME, { ecosystem: "cargo", name: "a" });
    asked.note({}, OTHER, npm("secret"));
    assert.deepEqual(await namesOf(asked), ["cargo a", "npm a"]);
    assert.deepEqual(await namesOf(asked, { ...ACME, life: "2" }), []);
    const folding = asked.fold();
    assert.deepEqual(await namesOf(asked), ["cargo a", "npm a"]);
    await folding;
    assert.deepEqual(await namesOf(asked), ["cargo a", "npm a"]);
    assert.deepEqual(await namesOf(asked, OTHER), ["npm secret"]);
    assert.deepEqual(await namesOf(asked, { ...ACME, life: "2" }), []);
    const restarted = createAskedPackages(kv, { clock });
    clock.advance(11 * MINUTE_MS);
    restarted.note({}, ACME, npm("a"));
    await restarted.fold();
    assert.deepEqual(await namesOf(restarted), ["npm a", "cargo a"]);
    assert.equal((await restarted.read(ACME)).isCut, false);
  }));

Deno.test("asked packages: one that is asked for all day is read and written once in ten minutes", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const counted = countingKv(kv);
    const asked = createAskedPackages(counted.kv, { clock });
    const stamps = new Set<string | null>();
    async function pass(minutes: number, occasion: () => object) {
      for (let minute = 0; minute < minutes; minute++) {
        for (let i = 0; i < 50; i++) asked.note(occasion(), ACME, npm("a"));
        await asked.fold();
        stamps.add((await kv.get(keys.askedPackages(ACME.id, ACME.life))).versionstamp);
        clock.advance(MINUTE_MS);
      }
    }
    const kept = {};
    await pass(25, () => kept);
    assert.deepEqual([counted.reads, stamps.size], [3, 3]);
    // What is decided anew for each request is an occasion of its own.
    await pass(25, () => ({}));
    assert.equal(stamps.size, 5);
  }));

Deno.test("asked packages: what several processes noted adds up", () =>
  withTwoKvs(async (a, b) => {
    const clock = testClock();
    const processes = [a, b, a, b].map((kv) => createAskedPackages(kv, { clock }));
    for (const [at, asked] of processes.entries()) asked.note({}, ACME, npm(`p${at}`));
    await Promise.all(processes.map((asked) => asked.fold()));
    assert.deepEqual((await namesOf(processes[0]!)).sort(), ["npm p0", "npm p1", "npm p2", "npm p3"]);
  }));

Deno.test("asked packages: a thousand, and it says that there were more; after 30 days none is left", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const asked = createAskedPackages(kv, { clock });
    for (let i = 0; i < 1_000; i++) asked.note({}, ACME, npm(`p${i}`));
    await asked.fold();
    clock.advance(MINUTE_MS);
    assert.deepEqual([(await asked.read(ACME)).packages.length, (await asked.read(ACME)).isCut], [
      1_000,
      false,
    ]);
    asked.note({}, ACME, npm("newest"));
    for (const when of ["noted", "written down"]) {
      const { packages, isCut } = await asked.read(ACME);
      assert.deepEqual([packages.length, packages[0]?.name, isCut], [1_000, "newest", true], when);
      await asked.fold();
    }
    clock.advance(30 * DAY_MS - 1);
    assert.deepEqual(await namesOf(asked), ["npm newest"]);
    clock.advance(MINUTE_MS);
    assert.deepEqual(await asked.read(ACME), { packages: [], isCut: false });
  }));

Deno.test("asked packages: in memory there are a thousand of each organisation, whatever is asked for", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const asked = createAskedPackages(kv, { clock });
    for (let i = 0; i < 20_500; i++) {
      asked.note({}, ACME, npm(`p${i}`));
      clock.advance(1);
    }
    const { packages, isCut } = await asked.read(ACME);
    assert.deepEqual([packages.length, packages.at(-1)?.name, isCut], [1_000, "p19500", true]);
  }));

Deno.test("asked packages: what an organisation was forgotten for is noted when it is asked for again", () =>
  withMemoryKv(async (kv) => {
    const asked = createAskedPackages(kv, { clock: testClock() });
    const occasion = {};
    asked.note(occasion, ACME, npm("a"));
    for (let i = 0; i < 20_000; i++) asked.note({}, { id: `o${i % 20}`, life: "1" }, npm(`p${i}`));
    assert.deepEqual(await namesOf(asked), []);
    asked.note(occasion, ACME, npm("a"));
    assert.deepEqual(await namesOf(asked), ["npm a"]);
  }));

Deno.test("asked packages: names too long for one value are fewer, and it says so", () =>
  withMemoryKv(async (kv) => {
    const asked = createAskedPackages(kv, { clock: testClock() });
    for (let i = 0; i < 1_000; i++) asked.note({}, ACME, npm(`${"ü".repeat(100)}${i}`));
    await asked.fold();
    const { packages, isCut } = await asked.read(ACME);
    assert.ok(packages.length > 200 && packages.length < 300, `${packages.length}`);
    assert.equal(isCut, true);
  }));

Deno.test("asked packages: what could not be written down is written the next time", () =>
  withMemoryKv(async (kv) => {
    let broken = true;
    const faulty = new Proxy(kv, {
      get(target, property) {
        if (property === "atomic" && broken) throw new Error("no room");
        const value = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const asked = createAskedPackages(faulty, { clock: testClock() });
    asked.note({}, ACME, npm("a"));
    asked.note({}, OTHER, npm("b"));
    await assert.rejects(asked.fold(), StorageError);
    broken = false;
    await asked.fold();
    const restarted = createAskedPackages(kv, { clock: testClock() });
    assert.deepEqual([await namesOf(restarted), await namesOf(restarted, OTHER)], [["npm a"], ["npm b"]]);
  }));

Deno.test("asked packages: a restore takes what was noted before it, and the next ask notes it anew", () =>
  withMemoryKv(async (kv) => {
    let restored = () => {};
    const onRestored = (forget: () => void) => void (restored = forget);
    const asked = createAskedPackages(kv, { clock: testClock(), onRestored });
    const occasion = {};
    asked.note(occasion, ACME, npm("a"));
    restored();
    assert.deepEqual(await namesOf(asked), []);
    asked.note(occasion, ACME, npm("a"));
    assert.deepEqual(await namesOf(asked), ["npm a"]);
  }));

Deno.test("asked packages: they go with their organisation", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const organisations = testOrganisations(kv, clock);
    await organisations.create("acme", { author: "test" });
    const { id, life } = (await organisations.snapshot("acme", null))!;
    const asked = createAskedPackages(kv, { clock });
    asked.note({}, { id, life }, npm("a"));
    await asked.fold();
    assert.deepEqual(await namesOf(asked, { id, life }), ["npm a"]);
    await organisations.delete("acme");
    assert.equal((await kv.get(keys.askedPackages(id, life))).value, null);
  }));
