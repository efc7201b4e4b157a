import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import { stopOnSignals } from "./signals.ts";

/** Signals by hand, at times by hand. */
function rig(close: () => Promise<void>) {
  const codes: number[] = [];
  const lines: string[] = [];
  let stop: (() => Promise<void>) | null = null;
  let now = 0;
  stopOnSignals({
    close,
    log: (_level, message) => void lines.push(message),
    clock: () => now as EpochMs,
    exit: (code) => void codes.push(code),
    listen: (handler) => void (stop = handler),
  });
  function signalAt(at: number): Promise<void> {
    now = at;
    assert(stop !== null);
    return stop();
  }
  return { codes, lines, signalAt };
}

Deno.test("stopOnSignals: one keypress stops in good order, although it comes twice", async () => {
  const closed = Promise.withResolvers<void>();
  const { codes, lines, signalAt } = rig(() => closed.promise);
  const stopped = signalAt(0);
  await signalAt(100);
  assert.deepEqual(codes, []);
  assert.equal(lines.length, 1);
  closed.resolve();
  await stopped;
  assert.deepEqual(codes, [0]);
});

Deno.test("stopOnSignals: a second keypress stops at once", async () => {
  const closed = Promise.withResolvers<void>();
  const { codes, signalAt } = rig(() => closed.promise);
  const stopped = signalAt(0);
  await signalAt(600);
  assert.deepEqual(codes, [130]);
  closed.resolve();
  await stopped;
});

Deno.test("stopOnSignals: what cannot be closed is said, and the process ends all the same", async () => {
  const { codes, lines, signalAt } = rig(() => Promise.reject(new Error("disk gone")));
  await signalAt(0);
  assert.deepEqual(codes, [0]);
  assert.equal(lines.at(-1), "Cannot stop in good order");
});
