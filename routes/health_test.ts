import assert from "node:assert/strict";
import { createTestClock } from "../tests/fakes/clock.ts";
import { createHealth } from "./health.ts";
import { run } from "./testing.ts";

Deno.test("GET /-/health: 200 with what was checked, whatever was found", async () => {
  const checks = [
    { name: "kv", run: () => Promise.resolve() },
    { name: "artifacts", run: () => Promise.reject(new Error("secret path")) },
    {
      name: "throws",
      run: () => {
        throw new Error("at once");
      },
    },
  ];
  const upstreamHealth = () =>
    [{
      origin: "http://registry.example",
      state: "open",
      asked: true,
      lastError: "secret",
      lastErrorAt: null,
    }] as const;
  await using running = run({ checks, upstreamHealth });
  for (const path of ["/health", "/-/health"]) {
    const answer = await running.ask(path);
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), {
      status: "degraded",
      version: "0.0.0",
      uptimeSeconds: 0,
      checks: { kv: "ok", artifacts: "failing", throws: "failing" },
      upstreams: [{ origin: "http://registry.example", state: "open" }],
    });
  }
});

Deno.test("createHealth: a check has a second, and all who ask within a second share one look", async () => {
  const time = createTestClock();
  let looks = 0;
  const stuck = { name: "kv", run: () => (looks++, new Promise<never>(() => {})) };
  const health = createHealth({
    checks: [stuck],
    upstreams: () => [],
    version: "1",
    startedAt: time.clock(),
    ...time,
  });
  const first = health();
  const second = health();
  await time.advance(1_000);
  assert.deepEqual((await first).checks, { kv: "slow" });
  assert.equal(await first, await second);
  assert.equal(looks, 1);
  void health();
  assert.equal(looks, 2);
  await time.advance(1_000);
  assert.equal(time.sleeping, 0);
});
