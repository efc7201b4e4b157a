import assert from "node:assert/strict";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { UpstreamError } from "../errors.ts";
import { responseAt } from "./response.ts";
import { timeoutLayer } from "./timeout.ts";
import type { Fetch } from "./upstream.ts";

const URL_ASKED = "https://registry.example/x";

/** The layer over a fetch whose body the test feeds by hand, and which obeys its signal as the dispatcher does. */
function harness(options: { readonly answers: boolean }) {
  const time = createTestClock();
  let feed!: ReadableStreamDefaultController<Uint8Array>;
  const inner: Fetch = (request) =>
    new Promise((resolve, reject) => {
      request.signal.addEventListener("abort", () => {
        reject(request.signal.reason);
        feed?.error(request.signal.reason);
      });
      if (!options.answers) return;
      const body = new ReadableStream<Uint8Array>({ start: (controller) => void (feed = controller) });
      resolve(responseAt(request.url, body, { status: 200 }));
    });
  const fetch = timeoutLayer({ timers: time.timers, headMs: 1_000, idleMs: 400 })(inner);
  return { time, send: () => fetch(new Request(URL_ASKED)), feed: () => feed };
}

const isTimeout = (error: unknown) => error instanceof UpstreamError && error.detail.kind === "timeout";

Deno.test("timeout: no answer within the bound is a timeout, not a moment earlier", async () => {
  const { time, send } = harness({ answers: false });
  let settled = false;
  const answer = send().finally(() => (settled = true));
  answer.catch(() => {});
  await time.advance(999);
  assert.equal(settled, false);
  await time.advance(1);
  await assert.rejects(answer, isTimeout);
  assert.equal(time.sleeping, 0);
});

Deno.test("timeout: a body that stalls is a timeout between one and one and a quarter of the bound", async () => {
  const { time, send, feed } = harness({ answers: true });
  const reader = (await send()).body!.getReader();
  feed().enqueue(new Uint8Array([1]));
  assert.equal((await reader.read()).value?.length, 1);
  let settled = false;
  const stalled = reader.read().finally(() => (settled = true));
  stalled.catch(() => {});
  await time.advance(399);
  assert.equal(settled, false);
  await time.advance(101);
  await assert.rejects(stalled, isTimeout);
  assert.equal(time.sleeping, 0);
});

Deno.test("timeout: a body that comes slowly but steadily is none, nor is a reader that is slow", async () => {
  const { time, send, feed } = harness({ answers: true });
  const reader = (await send()).body!.getReader();
  for (let at = 0; at < 10; at += 1) {
    const read = reader.read();
    await time.advance(390);
    feed().enqueue(new Uint8Array([at]));
    assert.equal((await read).value?.[0], at);
  }
  await time.advance(10_000);
  feed().enqueue(new Uint8Array([7]));
  assert.equal((await reader.read()).value?.[0], 7);
  feed().close();
  assert.equal((await reader.read()).done, true);
  assert.equal(time.sleeping, 0);
});

Deno.test("timeout: no timer is left behind a body that was cancelled or failed", async () => {
  const cancelled = harness({ answers: true });
  await (await cancelled.send()).body!.cancel();
  await cancelled.time.advance(0);
  assert.equal(cancelled.time.sleeping, 0);
  const failed = harness({ answers: true });
  const reader = (await failed.send()).body!.getReader();
  failed.feed().error(new Error("cut"));
  await assert.rejects(reader.read(), /cut/);
  await failed.time.advance(0);
  assert.equal(failed.time.sleeping, 0);
});
