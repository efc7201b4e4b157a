import assert from "node:assert/strict";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { UpstreamError } from "../errors.ts";
import { createDeadline } from "./deadline.ts";

const ORIGIN = "https://registry.example";

function isTimeout(error: unknown): boolean {
  return error instanceof UpstreamError && error.detail.kind === "timeout" &&
    /upstreamTimeout/.test(error.message);
}

Deno.test("createDeadline: aborts after its time, not a moment earlier, and names the setting", async () => {
  const { timers, advance } = createTestClock();
  const { signal } = createDeadline(timers, { ms: 60_000, origin: ORIGIN });
  await advance(59_999);
  assert.equal(signal.aborted, false);
  await advance(1);
  assert.ok(isTimeout(signal.reason), String(signal.reason));
});

Deno.test("createDeadline: what Sluice itself makes a request wait for is not counted", async () => {
  const { timers, advance } = createTestClock();
  const deadline = createDeadline(timers, { ms: 60_000, origin: ORIGIN });
  await advance(30_000);
  const turn = Promise.withResolvers<string>();
  const waited = deadline.pausedFor(() => turn.promise);
  await advance(600_000);
  assert.equal(deadline.signal.aborted, false);
  turn.resolve("mine");
  assert.equal(await waited, "mine");
  await advance(29_999);
  assert.equal(deadline.signal.aborted, false);
  await advance(15_001);
  assert.ok(isTimeout(deadline.signal.reason));
});

Deno.test("createDeadline: leaves no sleep behind; whoever asked may give up before", async () => {
  const time = createTestClock();
  const outer = new AbortController();
  const deadline = createDeadline(time.timers, { ms: 60_000, origin: ORIGIN, outer: outer.signal });
  outer.abort(new Error("gone"));
  assert.equal(deadline.signal.reason.message, "gone");
  deadline.end();
  await time.advance(0);
  assert.equal(time.sleeping, 0);
});
