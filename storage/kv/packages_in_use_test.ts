import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createPackagesInUse } from "./packages_in_use.ts";
import type { PackageKey } from "./packages.ts";

function keyOf(name: string, upstreamId = "registry-1"): PackageKey {
  return { ecosystem: "npm", upstreamId, scope: "public", subject: "package", name };
}

const at = (ms: number) => ms as EpochMs;

async function withStore(
  work: (store: ReturnType<typeof createPackagesInUse>, kv: Deno.Kv) => Promise<void>,
) {
  using kv = await Deno.openKv(":memory:");
  await work(createPackagesInUse(kv), kv);
}

Deno.test("due: of one upstream, the longest due first, none before its time", () =>
  withStore(async (store) => {
    // Above 240 bytes a name is kept as a hash.
    const names = ["late", "early", `@scope/${"x".repeat(300)}`];
    for (const [index, name] of names.entries()) {
      await store.note(keyOf(name), { usedAt: at(1), firstDue: at([300, 100, 200][index]!) });
    }
    await store.note(keyOf("elsewhere", "registry-2"), { usedAt: at(1), firstDue: at(1) });
    const due = await store.due("registry-1", { until: at(299), limit: 10 });
    assert.deepEqual(due.map(({ entry }) => entry.key.name), [names[1], names[2]]);
    assert.equal((await store.due("registry-1", { until: at(999), limit: 1 })).length, 1);
    assert.deepEqual(await store.count("registry-1", { now: at(200), most: 100 }), {
      packages: 3,
      overdue: 2,
      nextAt: 100,
    });
  }));

Deno.test("note: a later use moves no time, but one that a clock set too far ahead", () =>
  withStore(async (store) => {
    await store.note(keyOf("a"), { usedAt: at(10), firstDue: at(100) });
    await store.note(keyOf("a"), { usedAt: at(20), firstDue: at(500) });
    const [held] = await store.due("registry-1", { until: at(100), limit: 10 });
    assert.deepEqual([held?.entry.usedAt, held?.entry.dueAt], [20, 100]);
    await store.move(held!, { dueAt: at(9_999), failures: 0 });
    await store.note(keyOf("a"), { usedAt: at(30), firstDue: at(600) });
    assert.equal((await store.due("registry-1", { until: at(600), limit: 10 }))[0]?.entry.dueAt, 600);
  }));

Deno.test("move, drop: of many at once one wins, and its time is the only one there is", () =>
  withStore(async (store) => {
    await store.note(keyOf("a"), { usedAt: at(1), firstDue: at(1) });
    const [held] = await store.due("registry-1", { until: at(1), limit: 10 });
    const moves = await Promise.all(
      Array.from({ length: 8 }, (_, n) => store.move(held!, { dueAt: at(100 + n), failures: n })),
    );
    const [won, ...others] = moves.filter((moved) => moved !== null);
    assert.ok(won !== undefined && others.length === 0);
    await store.drop(held!);
    const left = await store.due("registry-1", { until: at(999), limit: 10 });
    assert.deepEqual(left.map(({ entry }) => entry), [won.entry]);
    await store.drop(won);
    assert.equal((await store.count("registry-1", { now: at(999), most: 10 })).packages, 0);
  }));

Deno.test("due: a time that no package has is cleaned away", () =>
  withStore(async (store, kv) => {
    await store.note(keyOf("a"), { usedAt: at(1), firstDue: at(1) });
    await kv.delete(["packages_in_use", "npm", "registry-1", "package", "a"]);
    assert.equal((await store.count("registry-1", { now: at(9), most: 10 })).packages, 1);
    assert.deepEqual(await store.due("registry-1", { until: at(9), limit: 10 }), []);
    assert.equal((await store.count("registry-1", { now: at(9), most: 10 })).packages, 0);
  }));
