import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { UpstreamError } from "../errors.ts";
import { createCircuits } from "./circuit.ts";
import { failure } from "./failures.ts";
import { responseAt } from "./response.ts";

const ORIGIN = "https://registry.example";
const PROBE_MS = 20_000;

/** One circuit over requests that the test settles by hand. */
function harness() {
  let now = 1_790_000_000_000;
  const logged: string[] = [];
  const log = (level: string, message: string) => void logged.push(`${level} ${message}`);
  const { timers, advance: passes } = createTestClock();
  const circuits = createCircuits({ clock: () => now as EpochMs, timers, log, probeMs: PROBE_MS });
  const waiting: PromiseWithResolvers<Response>[] = [];
  const fetch = circuits.layer(() => {
    const settle = Promise.withResolvers<Response>();
    waiting.push(settle);
    return settle.promise;
  });

  function ask(signal?: AbortSignal) {
    const before = waiting.length;
    const answer = fetch(new Request(`${ORIGIN}/x`, { signal: signal ?? null }));
    const outcome = answer.then(
      ({ status }) => String(status),
      (error) => error?.detail?.kind ?? error.message,
    );
    const sent = waiting.length > before ? waiting.at(-1)! : null;
    return {
      sent: sent !== null,
      outcome,
      answer: (status: number, headers: HeadersInit = {}) => (sent!.resolve(
        responseAt(`${ORIGIN}/x`, null, { status, headers }),
      ),
        outcome),
      fail: (
        kind: "connection" | "timeout" | "content",
      ) => (sent!.reject(failure(kind, "broken", ORIGIN)), outcome),
    };
  }

  async function open() {
    for (let at = 0; at < 4; at += 1) await ask().fail("connection");
    now += 2_000;
    await ask().fail("connection");
  }

  const state = () => circuits.health()[0]?.state;
  return {
    ask,
    open,
    state,
    logged,
    health: circuits.health,
    /** How many requests were sent. */
    sent: () => waiting.length,
    /** To the one that was sent last. */
    answerLast: (status: number) => waiting.at(-1)!.resolve(responseAt(`${ORIGIN}/x`, null, { status })),
    advance: (ms: number) => void (now += ms),
    /** Timers run for so long. */
    passes,
  };
}

Deno.test("circuit: opens after sustained failure, is told once, and sends nothing then", async () => {
  const { ask, open, state, logged, health } = harness();
  await open();
  assert.equal(state(), "open");
  const refused = ask();
  assert.equal(refused.sent, false);
  assert.equal(await refused.outcome, "circuit");
  assert.deepEqual(logged, [`warn Upstream ${ORIGIN} is not asked for a while: broken`]);
  assert.equal(health()[0]!.lastError, "broken");
});

Deno.test("circuit: the refusal says after how many seconds to come again", async () => {
  let now = 0;
  const { timers } = createTestClock();
  const circuits = createCircuits({ clock: () => now as EpochMs, timers, log: () => {}, probeMs: PROBE_MS });
  const failing = circuits.layer(() => Promise.reject(failure("timeout", "late", ORIGIN)));
  for (let at = 0; at < 5; at += 1, now += 1_000) await failing(new Request(ORIGIN)).catch(() => {});
  await assert.rejects(failing(new Request(ORIGIN)), (error: unknown) => {
    assert.ok(error instanceof UpstreamError);
    assert.equal(error.detail.retryAfterSeconds, 4);
    return error.detail.kind === "circuit";
  });
});

Deno.test("circuit: ten 5xx open it; answers in between, 4xx and nonsense do not", async () => {
  const { ask, state, advance } = harness();
  for (let at = 0; at < 9; at += 1) await ask().answer(500);
  assert.equal(state(), "failing");
  await ask().answer(404);
  assert.equal(state(), "ok");
  for (let at = 0; at < 20; at += 1) await ask().answer(429);
  for (let at = 0; at < 20; at += 1) await ask().fail("content");
  assert.equal(state(), "ok");
  for (let at = 0; at < 9; at += 1) await ask().answer(503);
  advance(2_000);
  assert.equal(state(), "failing");
  await ask().answer(503);
  assert.equal(state(), "open");
});

Deno.test("circuit: a hiccup of less than two seconds does not open it, however many requests met it", async () => {
  const { ask, state, advance } = harness();
  for (let at = 0; at < 50; at += 1) await ask().fail("connection");
  advance(1_999);
  await ask().fail("connection");
  assert.equal(state(), "failing");
  await ask().answer(200);
  assert.equal(state(), "ok");
});

Deno.test("circuit: half open lets exactly one probe through; its success closes, for all", async () => {
  const { ask, open, state, advance, logged } = harness();
  await open();
  advance(5_000);
  const probe = ask();
  assert.equal(probe.sent, true);
  for (let at = 0; at < 50; at += 1) assert.equal(ask().sent, false);
  await probe.answer(200);
  assert.equal(state(), "ok");
  assert.equal(ask().sent, true);
  assert.equal(logged.at(-1), `info Upstream ${ORIGIN} answers again`);
});

Deno.test("circuit: who comes while the probe is out is sent on its success, and refused on its failure", async () => {
  const { ask, open, advance, sent, passes } = harness();
  await open();
  advance(5_000);
  const failing = ask();
  const refused = Array.from({ length: 50 }, () => ask());
  const before = sent();
  await failing.answer(503);
  for (const { outcome } of refused) assert.equal(await outcome, "circuit");
  assert.equal(sent(), before);

  advance(10_000);
  const probe = ask();
  Array.from({ length: 50 }, () => ask());
  await passes(999);
  assert.equal(sent(), before + 1);
  await probe.answer(200);
  await passes(0);
  assert.equal(sent(), before + 51);
});

Deno.test("circuit: nobody waits for a probe longer than a second; who comes after that is refused at once", async () => {
  const { ask, open, advance, sent, passes } = harness();
  await open();
  advance(5_000);
  const slow = ask();
  const early = ask();
  await passes(1_000);
  assert.equal(await early.outcome, "circuit");
  assert.equal(await ask().outcome, "circuit");
  await slow.answer(200);
  const before = sent();
  ask();
  assert.equal(sent(), before + 1);
});

Deno.test("circuit: of those who wait for a probe that was given up one is the next, and the others wait for it", async () => {
  const { ask, open, state, advance, sent, answerLast, passes } = harness();
  await open();
  advance(5_000);
  const gone = new AbortController();
  const probe = ask(gone.signal);
  const before = sent();
  const others = Array.from({ length: 3 }, () => ask());
  gone.abort();
  await probe.fail("connection");
  await passes(0);
  assert.equal(sent(), before + 1);
  assert.equal(state(), "open");
  answerLast(200);
  await passes(0);
  assert.equal(sent(), before + 3);
  assert.equal(await others[0]!.outcome, "200");
});

Deno.test("circuit: a failed probe doubles the pause, up to a minute", async () => {
  const { ask, open, advance } = harness();
  await open();
  for (const pauseMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    advance(pauseMs - 1);
    assert.equal(ask().sent, false, String(pauseMs));
    advance(1);
    await ask().fail("timeout");
  }
});

Deno.test("circuit: a probe that never ends is given up, and what it says later changes nothing", async () => {
  const { ask, open, state, advance } = harness();
  await open();
  advance(5_000);
  const lost = ask();
  advance(PROBE_MS - 1);
  assert.equal(ask().sent, false);
  advance(1);
  const second = ask();
  assert.equal(second.sent, true);
  await lost.answer(200);
  assert.equal(state(), "open");
  assert.equal(ask().sent, false);
  await second.answer(200);
  assert.equal(state(), "ok");
});

Deno.test("circuit: a probe whose caller went away makes room for the next at once", async () => {
  const { ask, open, state, advance } = harness();
  await open();
  advance(5_000);
  const gone = new AbortController();
  const probe = ask(gone.signal);
  gone.abort();
  await probe.fail("connection");
  assert.equal(state(), "open");
  const next = ask();
  assert.equal(next.sent, true);
  await next.answer(200);
  assert.equal(state(), "ok");
});

Deno.test("circuit: requests from before it opened neither close it nor prolong it", async () => {
  const { ask, open, state, advance } = harness();
  const [early, late] = [ask(), ask()];
  await open();
  await early.answer(200);
  assert.equal(state(), "open");
  advance(4_999);
  await late.fail("connection");
  advance(1);
  assert.equal(ask().sent, true);
});

Deno.test("circuit: a clock that is set back does not keep it open", async () => {
  const { ask, open, advance } = harness();
  await open();
  advance(-3_600_000);
  assert.equal(ask().sent, true);
});

Deno.test("circuit: one origin's failures are not another's", async () => {
  let now = 0;
  const { timers } = createTestClock();
  const circuits = createCircuits({ clock: () => now as EpochMs, timers, log: () => {}, probeMs: PROBE_MS });
  const fetch = circuits.layer((request) => {
    if (request.url.startsWith(ORIGIN)) return Promise.reject(failure("connection", "broken", ORIGIN));
    return Promise.resolve(responseAt(request.url, null, { status: 200 }));
  });
  for (let at = 0; at < 6; at += 1, now += 1_000) await fetch(new Request(ORIGIN)).catch(() => {});
  assert.equal((await fetch(new Request("https://other.example/"))).status, 200);
  assert.deepEqual(circuits.health().map(({ origin, state }) => [origin, state]).sort(), [
    ["https://other.example", "ok"],
    [ORIGIN, "open"],
  ]);
});

Deno.test("circuit: 429 with Retry-After is obeyed at once: nothing is sent until then, then one probe, and again", async () => {
  const { ask, state, advance, logged, health } = harness();
  const inFlight = ask();
  await ask().answer(429, { "retry-after": "7" });
  assert.equal(state(), "open");
  assert.equal(health()[0]!.lastError, "status 429");
  assert.deepEqual(logged, [`info Upstream ${ORIGIN} is not asked for a while: status 429`]);
  await inFlight.answer(200);
  assert.equal(state(), "open", "what was asked before says nothing of what it wants now");
  advance(6_999);
  assert.equal(ask().sent, false);
  advance(1);
  const probe = ask();
  assert.equal(probe.sent, true);
  assert.equal(ask().sent, false);
  await probe.answer(429, { "retry-after": "3" });
  advance(2_999);
  assert.equal(ask().sent, false);
  advance(1);
  await ask().answer(200);
  assert.equal(state(), "ok");
});

Deno.test("circuit: no Retry-After holds it open for more than a minute; none, or zero, does not open it", async () => {
  for (const given of ["86400", "999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]) {
    const { ask, state, advance } = harness();
    await ask().answer(429, { "retry-after": given });
    assert.equal(state(), "open", given);
    advance(60_000);
    assert.equal(ask().sent, true, given);
  }
  for (const given of [undefined, "0", "soon", "-1", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
    const { ask, state } = harness();
    await ask().answer(429, given === undefined ? {} : { "retry-after": given });
    assert.equal(state(), "ok", given);
  }
});

Deno.test("circuit: a process that was asleep for a day, in the middle of a probe, sends another at once", async () => {
  const { ask, open, state, advance } = harness();
  await open();
  advance(5_000);
  const asleep = ask();
  assert.equal(asleep.sent, true);
  advance(86_400_000);
  const next = ask();
  assert.equal(next.sent, true);
  assert.equal(ask().sent, false, "one at a time");
  await asleep.fail("connection");
  assert.equal(ask().sent, false, "what the first says makes no room");
  await next.answer(200);
  assert.equal(state(), "ok");
});
