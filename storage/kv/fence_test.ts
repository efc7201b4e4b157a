import assert from "node:assert/strict";
import { RestoringError } from "../errors.ts";
import { createFence, type Fence } from "./fence.ts";
import { keys } from "./keys.ts";
import { testClock, withMemoryKv } from "./test_support.ts";

type State = "running" | "broken" | "done";

async function withFence(
  body: (deps: { fence: Fence; bare: Deno.Kv; say: (state: State) => Promise<unknown> }) => Promise<void>,
): Promise<void> {
  await withMemoryKv(async (bare) => {
    const clock = testClock();
    const fence = await createFence(bare, { clock });
    async function say(state: State) {
      await bare.set(keys.restoreBeat(), clock());
      return await bare.set(keys.restore(), { v: 1, id: crypto.randomUUID(), state });
    }
    await body({ fence, bare, say });
  });
}

function isRestoring(state: RestoringError["state"]) {
  return (error: unknown) => error instanceof RestoringError && error.state === state;
}

/** Every way to read or write that Sluice uses. */
const OPERATIONS: Readonly<Record<string, (kv: Deno.Kv) => Promise<unknown>>> = {
  get: (kv) => kv.get(["a"]),
  getMany: (kv) => kv.getMany([["a"], ["b"]]),
  "getMany of ten": (kv) => kv.getMany(Array.from({ length: 10 }, (_, i) => ["a", i])),
  set: (kv) => kv.set(["written"], 1),
  delete: (kv) => kv.delete(["kept"]),
  atomic: (kv) => kv.atomic().set(["written"], 1).commit(),
  "atomic with a check": (kv) =>
    kv.atomic().check({ key: ["none"], versionstamp: null }).set(["written"], 1).commit(),
  "list of something": (kv) => Array.fromAsync(kv.list({ prefix: ["kept"] })),
  "list of nothing": (kv) => Array.fromAsync(kv.list({ prefix: ["none"] })),
  "the first of a list": async (kv) => await kv.list({ prefix: [] }, { limit: 1 }).next(),
};

for (const [title, operation] of Object.entries(OPERATIONS)) {
  Deno.test(`fence: ${title} is refused from a restore's beginning to its end, and once more by who began before`, () =>
    withFence(async ({ fence, bare, say }) => {
      await bare.set(["kept"], 1);
      await operation(fence.kv);
      await bare.set(["kept"], 1);
      await bare.delete(["written"]);
      await say("running");
      await assert.rejects(operation(fence.kv), isRestoring("running"));
      await say("broken");
      await assert.rejects(operation(fence.kv), isRestoring("broken"));
      await say("done");
      await assert.rejects(operation(fence.kv), isRestoring("restored"));
      assert.notEqual((await bare.get(["kept"])).value, null);
      assert.equal((await bare.get(["written"])).value, null);
      await operation(fence.kv);
      assert.equal(fence.generation(), 1);
    }));
}

Deno.test("fence: a write that was put together before a restore is refused after it", () =>
  withFence(async ({ fence, say }) => {
    const write = fence.kv.atomic().set(["a"], 1);
    await say("done");
    await fence.look();
    await assert.rejects(write.commit(), isRestoring("restored"));
    assert.equal((await fence.kv.get(["a"])).value, null);
  }));

Deno.test("fence: a list over which a restore comes is not handed on", () =>
  withFence(async ({ fence, bare, say }) => {
    for (let i = 0; i < 250; i++) await bare.set(["a", i], i);
    const found: unknown[] = [];
    const listing = (async () => {
      for await (const { value } of fence.kv.list({ prefix: ["a"] })) {
        found.push(value);
        if (found.length === 50) await say("done");
      }
    })();
    await assert.rejects(listing, isRestoring("restored"));
    assert.equal(found.length, 100);
  }));

Deno.test("fence: a commit whose own condition fails is no restore", () =>
  withFence(async ({ fence, bare }) => {
    await bare.set(["a"], 1);
    const { ok } = await fence.kv.atomic().check({ key: ["a"], versionstamp: null }).set(["a"], 2).commit();
    assert.equal(ok, false);
  }));

Deno.test("fence: what is in memory is dropped before anything else is read", () =>
  withFence(async ({ fence, bare, say }) => {
    let held: unknown = "before";
    fence.onRestored(() => held = null);
    await say("running");
    await assert.rejects(fence.look(), isRestoring("running"));
    assert.equal(held, "before");
    await bare.set(["a"], "after");
    await say("done");
    await fence.look();
    assert.equal(held, null);
    assert.equal((await fence.kv.get(["a"])).value, "after");
  }));

Deno.test("fence: one who began while a restore ran waits for its end", () =>
  withMemoryKv(async (bare) => {
    const clock = testClock();
    await bare.set(keys.restore(), { v: 1, id: "x", state: "running" });
    const fence = await createFence(bare, { clock });
    await assert.rejects(async () => await fence.kv.get(["a"]), isRestoring("broken"));
    await assert.rejects(async () => await fence.kv.set(["a"], 1), isRestoring("broken"));
    await bare.set(keys.restore(), { v: 1, id: "x", state: "done" });
    await fence.look();
    await fence.kv.set(["a"], 1);
  }));

Deno.test("fence: a restore that is not heard of any more was broken off", () =>
  withMemoryKv(async (bare) => {
    const clock = testClock();
    const fence = await createFence(bare, { clock });
    await bare.set(keys.restoreBeat(), clock());
    await bare.set(keys.restore(), { v: 1, id: "x", state: "running" });
    await assert.rejects(fence.look(), isRestoring("running"));
    clock.advance(16_000);
    await assert.rejects(fence.look(), isRestoring("broken"));
  }));

Deno.test("fence: a restore that ends between two looks at it is not called broken", () =>
  withMemoryKv(async (memory) => {
    let endsNext = false;
    const bare = new Proxy(memory, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (property !== "get") return typeof value === "function" ? value.bind(target) : value;
        return async (key: Deno.KvKey) => {
          const entry = await target.get(key);
          if (!endsNext) return entry;
          endsNext = false;
          await target.atomic().set(keys.restore(), { v: 1, id: "a", state: "done" }).delete(
            keys.restoreBeat(),
          )
            .commit();
          return entry;
        };
      },
    });
    const clock = testClock();
    const fence = await createFence(bare, { clock });
    await bare.atomic().set(keys.restore(), { v: 1, id: "a", state: "running" }).set(
      keys.restoreBeat(),
      clock(),
    )
      .commit();
    endsNext = true;
    await assert.rejects(fence.look(), isRestoring("restored"));
    await fence.look();
    assert.equal(fence.generation(), 1);
  }));
