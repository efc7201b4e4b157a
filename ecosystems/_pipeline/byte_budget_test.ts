import assert from "node:assert/strict";
import { createByteBudget } from "./byte_budget.ts";

Deno.test("createByteBudget: what is above the bound waits its turn, in order, and does not fail", async () => {
  const budget = createByteBudget(100);
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const started: number[] = [];
  const runs = [60, 60, 40].map((bytes, i) =>
    budget.run(bytes, async () => {
      started.push(i);
      await gates[i]!.promise;
      return i;
    })
  );
  await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(started, [0], "the third would fit, but the second was first");
  gates[0]!.resolve();
  await runs[0];
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(started, [0, 1, 2]);
  assert.equal(budget.inUseBytes, 100);
  gates[1]!.resolve();
  gates[2]!.resolve();
  assert.deepEqual(await Promise.all(runs), [0, 1, 2]);
  assert.equal(budget.inUseBytes, 0);
});

Deno.test("createByteBudget: more than the whole bound runs alone, and a failure gives its room back", async () => {
  const budget = createByteBudget(10);
  await assert.rejects(budget.run(1_000, () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await budget.run(1_000, () => Promise.resolve(budget.inUseBytes)), 10);
  assert.equal(budget.inUseBytes, 0);
});
