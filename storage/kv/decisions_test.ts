import assert from "node:assert/strict";
import type { Decision, EpochMs } from "../../policy/types.ts";
import { createDecisionRecords, type DecisionRecord } from "./decisions.ts";
import { countingKv, noise, testClock, withMemoryKv } from "./test_support.ts";

function decision(message: string): Decision {
  return {
    verdict: "hold",
    enforcedVerdict: "hold",
    reasons: [{ rule: "minimumAge", verdict: "hold", message, horizon: 5 as EpochMs }],
    horizon: 5 as EpochMs,
  };
}

function record(over: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    v: 1,
    id: "d1",
    organisation: "acme",
    ecosystem: "npm",
    name: "left-pad",
    version: "1.0.0",
    filename: null,
    decision: decision("too young"),
    withheld: [],
    withheldCount: 0,
    policyRevision: 1,
    factsDigest: "f",
    decidedAt: 1 as EpochMs,
    ...over,
  };
}

Deno.test("put writes once: a record that is there stays as it is, and only its organisation reads it", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const decisions = createDecisionRecords(kv, { clock });
    await decisions.put(record());
    await createDecisionRecords(kv, { clock }).put(record({ name: "other" }));
    assert.deepEqual(await decisions.get("acme", "d1"), record());
    assert.equal(await decisions.get("other", "d1"), null);
    assert.equal(await decisions.get("acme", "d2"), null);
    assert.equal(await decisions.get("acme", "\ud800".repeat(3_000)), null);
  }));

Deno.test("get forgets after 30 days, and the same decision can then be written anew", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const decisions = createDecisionRecords(kv, { clock });
    await decisions.put(record());
    clock.advance(30 * 86_400_000 - 1);
    assert.notEqual(await decisions.get("acme", "d1"), null);
    clock.advance(1);
    assert.equal(await decisions.get("acme", "d1"), null);
    await decisions.put(record({ decidedAt: 2 as EpochMs }));
    assert.equal((await decisions.get("acme", "d1"))?.decidedAt, 2);
  }));

Deno.test("put cuts what does not fit instead of failing, and keeps the count", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const decisions = createDecisionRecords(kv, { clock });
    const text = (seed: number) => noise(4_000, seed).toBase64();
    const withheld = Array.from({ length: 500 }, (_, i) => ({
      version: text(i + 1),
      decision: {
        ...decision(""),
        reasons: Array.from({ length: 30 }, (_, j) => ({ ...decision(text(i * 31 + j + 1)).reasons[0]! })),
      },
    }));
    await decisions.put(record({ withheld, withheldCount: 500 }));
    const kept = await decisions.get("acme", "d1");
    assert.equal(kept?.withheldCount, 500);
    assert.ok(kept.withheld.length < 50);
    assert.deepEqual(kept.decision, record().decision);
  }));

Deno.test("put names at most 50 withheld releases", () =>
  withMemoryKv(async (kv) => {
    const decisions = createDecisionRecords(kv, { clock: testClock() });
    const withheld = Array.from({ length: 80 }, (_, i) => ({ version: `${i}`, decision: decision("young") }));
    await decisions.put(record({ withheld, withheldCount: 80 }));
    assert.equal((await decisions.get("acme", "d1"))?.withheld.length, 50);
  }));

Deno.test("put is bounded per organisation and hour; what is there already costs nothing", () =>
  withMemoryKv(async (kv) => {
    const clock = testClock();
    const counted = countingKv(kv);
    const decisions = createDecisionRecords(counted.kv, { clock, perHour: 3 });
    for (let i = 0; i < 10; i++) {
      await decisions.put(record({ id: "same" }));
      await decisions.put(record({ id: `d${i}` }));
    }
    const count = async () => (await Array.fromAsync(kv.list({ prefix: ["decisions"] }))).length;
    assert.equal(await count(), 3);
    await decisions.put(record({ organisation: "other" }));
    assert.equal(await count(), 4);
    clock.advance(1_200_000);
    await decisions.put(record({ id: "later" }));
    await decisions.put(record({ id: "too many" }));
    assert.equal(await count(), 5);
    assert.equal(counted.reads, 0);
  }));
