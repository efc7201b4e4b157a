import assert from "node:assert/strict";
import { createCoalescer } from "./coalesce.ts";

Deno.test("coalesce: five hundred callers of one key are one piece of work and get the same value", async () => {
  const coalescer = createCoalescer<object>();
  let runs = 0;
  const work = async () => {
    runs += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    return {};
  };
  const values = await Promise.all(Array.from({ length: 500 }, () => coalescer.run("k", work)));
  assert.equal(runs, 1);
  assert.equal(new Set(values).size, 1);
  assert.equal(coalescer.running, 0);
});

Deno.test("coalesce: other keys run beside it, and a key runs anew once it has ended", async () => {
  const coalescer = createCoalescer<string>();
  let runs = 0;
  const work = (value: string) => () => Promise.resolve(`${value}${runs += 1}`);
  assert.deepEqual(await Promise.all([coalescer.run("a", work("a")), coalescer.run("b", work("b"))]), [
    "a1",
    "b2",
  ]);
  assert.equal(await coalescer.run("a", work("a")), "a3");
});

Deno.test("coalesce: a failure reaches every caller and is not kept, thrown at once or later", async () => {
  const coalescer = createCoalescer<string>();
  const throwing = (): Promise<string> => {
    throw new Error("at once");
  };
  const both = await Promise.allSettled([coalescer.run("k", throwing), coalescer.run("k", throwing)]);
  assert.deepEqual(both.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(coalescer.running, 0);
  assert.equal(await coalescer.run("k", () => Promise.resolve("well")), "well");
});
