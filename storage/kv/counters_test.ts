import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { createMetrics, type Metrics } from "../metrics.ts";
import { createCounters } from "./counters.ts";
import { createFaultyKv } from "../../tests/fakes/faulty_kv.ts";

const START = Date.UTC(2026, 10, 21, 23, 59);
const DAY_MS = 86_400_000;

function seen(metrics: Metrics, count: number, cache: string | null, ecosystem: string | null = "npm") {
  for (let i = 0; i < count; i++) {
    metrics.request({ ecosystem, kind: "document", cache, status: 200, ms: 1 });
  }
}

Deno.test("counters: what two processes count adds up, by day; nothing twice, of pages nothing", async () => {
  const kv = await Deno.openKv(":memory:");
  let now = START;
  const clock = () => now as EpochMs;
  const [one, two] = [createMetrics(), createMetrics()];
  const first = createCounters(kv, { clock, metrics: one });
  const second = createCounters(kv, { clock, metrics: two });
  seen(one, 3, "hit");
  seen(one, 1, "stale");
  seen(two, 2, "filled");
  seen(two, 1, null);
  seen(two, 9, "hit", null);
  await Promise.all([first.fold(), second.fold(), first.fold()]);
  await first.fold();
  now += 120_000;
  seen(one, 5, "hit");
  await first.fold();
  const rows = await second.read(START as EpochMs);
  assert.deepEqual(rows, [
    { day: "2026-11-22", ecosystem: "npm", requests: 5, hits: 5, misses: 0 },
    { day: "2026-11-21", ecosystem: "npm", requests: 7, hits: 4, misses: 2 },
  ]);
  assert.equal((await second.read(now as EpochMs)).length, 1);
  now += 401 * DAY_MS;
  await first.fold();
  assert.deepEqual(await second.read(0 as EpochMs), [], "after 400 days");
  kv.close();
});

Deno.test("counters: what could not be written is written by the next call", async () => {
  const faulty = createFaultyKv(await Deno.openKv(":memory:"));
  const metrics = createMetrics();
  const counters = createCounters(faulty.kv, { clock: () => START as EpochMs, metrics });
  seen(metrics, 3, "hit");
  faulty.break((call) => call === "commit" ? "fails" : null);
  await assert.rejects(counters.fold(), /Cannot write down what was counted/);
  faulty.break(null);
  seen(metrics, 1, "hit");
  await counters.fold();
  assert.equal((await counters.read(0 as EpochMs))[0]?.hits, 4);
  faulty.kv.close();
});
