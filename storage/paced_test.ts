import assert from "node:assert/strict";
import { joined, paced } from "./paced.ts";
import { realTimers } from "./timers.ts";

/** Steps that each take at least `ms`. */
function* steps(count: number, ms: number): Generator<number, string> {
  for (let i = 0; i < count; i++) {
    for (const end = performance.now() + ms; performance.now() < end;);
    yield i;
  }
  return "done";
}

Deno.test("paced pauses between two steps once a slice is used up, and not before", async () => {
  let pauses = 0;
  const timers = { sleep: () => Promise.resolve(void pauses++) };
  const seen: number[] = [];
  assert.equal(await paced(steps(3, 2), timers, (step) => seen.push(step)), "done");
  assert.deepEqual(seen, [0, 1, 2]);
  assert.equal(pauses, 3);
  await paced(steps(3, 0), timers);
  assert.equal(pauses, 3);
});

Deno.test("paced takes longer slices while nobody else comes, and short ones again once somebody has", async () => {
  let now = 0;
  Object.defineProperty(performance, "now", { value: () => now, configurable: true });
  function* work(): Generator<undefined> {
    for (let i = 0; i < 24; i++, now += 2) yield undefined;
  }
  async function pausesWith(arrivals: (pauses: number) => number): Promise<number> {
    let pauses = 0;
    const sleep = () => Promise.resolve(void pauses++);
    await paced(work(), { sleep, arrivals: () => arrivals(pauses) });
    return pauses;
  }
  try {
    assert.equal(
      await pausesWith((pauses) => pauses),
      23,
      "somebody in every pause: as if it were not asked",
    );
    assert.equal(await pausesWith(() => 1), 7, "nobody: 2, 4, 6 and then 8 ms");
    assert.equal(await pausesWith((pauses) => pauses < 4 ? 1 : pauses), 17, "nobody at first");
  } finally {
    Reflect.deleteProperty(performance, "now");
  }
});

Deno.test("paced ends the steps where the caller throws", async () => {
  let ended = false;
  function* endless(): Generator<number> {
    try {
      for (;;) yield 1;
    } finally {
      ended = true;
    }
  }
  const failing = paced(endless(), realTimers, () => {
    throw new RangeError("enough");
  });
  await assert.rejects(failing, RangeError);
  assert.ok(ended);
});

Deno.test("joined puts pieces together in their order", async () => {
  const pieces = [new Uint8Array([1, 2]), new Uint8Array(), new Uint8Array([3])];
  assert.deepEqual(await joined(pieces, 3, realTimers), new Uint8Array([1, 2, 3]));
});
