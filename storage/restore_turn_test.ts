import assert from "node:assert/strict";
import { RestoringError } from "./errors.ts";
import { createFence } from "./kv/fence.ts";
import { keys } from "./kv/keys.ts";
import { testClock, withMemoryKv } from "./kv/test_support.ts";
import { beginRestore, type RestoreTurn, wasBrokenOff } from "./restore_turn.ts";

const nothingMore = (atomic: Deno.AtomicOperation) => atomic;

/** `heard`: what another restore does while it is waited for. */
async function withTurns(
  body: (deps: {
    readonly bare: Deno.Kv;
    readonly begin: (heard?: () => Promise<unknown>) => Promise<RestoreTurn>;
    readonly clock: ReturnType<typeof testClock>;
  }) => Promise<void>,
): Promise<void> {
  await withMemoryKv(async (bare) => {
    const clock = testClock();
    await body({
      bare,
      clock,
      begin: (heard = () => Promise.resolve()) =>
        beginRestore(bare, {
          clock,
          timers: {
            // A beat's sleep can be ended, the waiting for another one cannot.
            sleep: async (_ms, signal) => {
              if (signal === undefined) return void await heard();
              await new Promise((_, reject) =>
                signal.addEventListener("abort", () => reject(signal.reason), { once: true })
              );
            },
          },
        }),
    });
  });
}

Deno.test("beginRestore: everybody else refuses until it has ended", () =>
  withTurns(async ({ bare, begin, clock }) => {
    const fence = await createFence(bare, { clock });
    const turn = await begin();
    assert.equal(await wasBrokenOff(bare), true);
    await assert.rejects(fence.kv.get(["a"]), RestoringError);
    await turn.kv.set(["a"], 1);
    await turn.end(nothingMore);
    assert.equal(await wasBrokenOff(bare), false);
    assert.equal((await bare.get(keys.restoreBeat())).value, null);
    await fence.look();
    assert.equal((await fence.kv.get(["a"])).value, 1);
  }));

Deno.test("beginRestore: another one that is heard of is not disturbed", () =>
  withTurns(async ({ bare, begin, clock }) => {
    const turn = await begin();
    await assert.rejects(begin(() => bare.set(keys.restoreBeat(), clock())), /another restore runs/);
    await turn.kv.set(["a"], 1);
    await turn.end(nothingMore);
  }));

Deno.test("beginRestore: one that is silent is taken over, and can neither write nor end any more", () =>
  withTurns(async ({ begin, clock }) => {
    for (const wait of [() => Promise.resolve(), () => Promise.resolve(clock.advance(16_000))]) {
      await wait();
      const dead = await begin();
      const turn = await begin();
      await assert.rejects(dead.kv.set(["a"], 1), /another restore has taken over/);
      await assert.rejects(dead.end(nothingMore), /another restore has taken over/);
      await dead.giveUp();
      await turn.kv.set(["a"], 2);
      await turn.end(nothingMore);
    }
  }));

Deno.test("giveUp: everybody is told at once, and the next one begins at once", () =>
  withTurns(async ({ bare, begin, clock }) => {
    const fence = await createFence(bare, { clock });
    await (await begin()).giveUp();
    await assert.rejects(fence.look(), /was interrupted/);
    const turn = await begin(() => Promise.reject(new Error("waited")));
    await turn.end(nothingMore);
    await fence.look();
  }));
