import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { UpstreamError } from "../errors.ts";
import { failure } from "./failures.ts";
import { responseAt } from "./response.ts";
import { retryLayer } from "./retry.ts";
import type { Fetch } from "./upstream.ts";

const ORIGIN = "https://registry.example";
const NOW = 1_790_000_000_000 as EpochMs;

type Step = { readonly status: number; readonly retryAfter?: string } | UpstreamError | "abort";

/** The layer over a fetch that takes these steps, the last for ever; waits are recorded, not waited. */
function retrying(steps: readonly Step[], gone = new AbortController()) {
  const waits: number[] = [];
  let asked = 0;
  const inner: Fetch = (request) => {
    const step = steps[Math.min(asked, steps.length - 1)]!;
    asked += 1;
    if (step === "abort") gone.abort(new Error("gone"));
    if (step === "abort") return Promise.reject(failure("connection", "cut", ORIGIN));
    if (step instanceof UpstreamError) return Promise.reject(step);
    const headers: HeadersInit = step.retryAfter === undefined ? {} : { "retry-after": step.retryAfter };
    return Promise.resolve(responseAt(request.url, null, { status: step.status, headers }));
  };
  const layer = retryLayer({
    clock: () => NOW,
    random: () => 0.5,
    log: () => {},
    timers: { sleep: (ms) => Promise.resolve(void waits.push(ms)) },
  });
  const fetch = layer(inner);
  const send = (init: RequestInit = {}) =>
    fetch(new Request(`${ORIGIN}/x`, { ...init, signal: gone.signal }));
  return { send, waits, asked: () => asked };
}

const CUT = failure("connection", "the connection was cut", ORIGIN);

Deno.test("retry: a cut connection and a 5xx are tried again, at most twice, each wait longer than the last", async () => {
  const recovered = retrying([CUT, { status: 503 }, { status: 200 }]);
  assert.equal((await recovered.send()).status, 200);
  assert.deepEqual(recovered.waits, [75, 150]);
  const failing = retrying([{ status: 502 }]);
  assert.equal((await failing.send()).status, 502);
  assert.equal(failing.asked(), 3);
  const cut = retrying([CUT]);
  await assert.rejects(cut.send(), CUT);
  assert.equal(cut.asked(), 3);
});

Deno.test("retry: no 4xx, no 501, no timeout, no refusal, and nothing but GET", async () => {
  for (const status of [200, 304, 400, 401, 403, 404, 408, 429, 501]) {
    const { send, asked } = retrying([{ status }]);
    assert.equal((await send()).status, status);
    assert.equal(asked(), 1, String(status));
  }
  for (const kind of ["timeout", "forbidden-address", "content", "redirect", "circuit"] as const) {
    const { send, asked } = retrying([failure(kind, "no", ORIGIN)]);
    await assert.rejects(send(), UpstreamError);
    assert.equal(asked(), 1, kind);
  }
  const post = retrying([CUT]);
  await assert.rejects(post.send({ method: "POST", body: "x" }), CUT);
  assert.equal(post.asked(), 1);
});

Deno.test("retry: Retry-After is waited for if it is short, and left to the client if it is not", async () => {
  const short = retrying([{ status: 503, retryAfter: "2" }, { status: 200 }]);
  assert.equal((await short.send()).status, 200);
  assert.deepEqual(short.waits, [2_000]);
  const date = retrying([{ status: 503, retryAfter: new Date(NOW + 1_000).toUTCString() }, { status: 200 }]);
  await date.send();
  assert.deepEqual(date.waits, [1_000]);
  const long = retrying([{ status: 503, retryAfter: "3" }]);
  assert.equal((await long.send()).status, 503);
  assert.equal(long.asked(), 1);
});

Deno.test("retry: nobody waits for what its caller gave up", async () => {
  const { send, asked } = retrying(["abort"]);
  await assert.rejects(send());
  assert.equal(asked(), 1);
});

Deno.test("retry: an origin that keeps failing is soon asked once per request", async () => {
  const { send, asked } = retrying([{ status: 500 }]);
  for (let at = 0; at < 100; at += 1) await send();
  assert.ok(asked() <= 100 + 10 + 10, `${asked()} requests for 100`);
  assert.ok(asked() >= 110, `${asked()} requests for 100`);
});
