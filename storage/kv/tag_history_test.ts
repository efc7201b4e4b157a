import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { countingKv, withMemoryKv, withTwoKvs } from "./test_support.ts";
import { keys } from "./keys.ts";
import { createTagHistory } from "./tag_history.ts";

const key = {
  ecosystem: "npm",
  upstreamId: "u",
  scope: "public",
  subject: "package",
  name: "left-pad",
} as const;
const ms = (at: number) => at as EpochMs;

Deno.test("TagHistory: tags as they were at an instant; nothing is known of what was before", () =>
  withMemoryKv(async (kv) => {
    const history = createTagHistory(kv);
    assert.equal(await history.asOf(key, ms(5_000)), null);
    await history.note(key, [["latest", "1.0.0"], ["next", "2.0.0-a"]], ms(1_000));
    await history.note(key, [["next", "2.0.0-a"], ["latest", "1.0.0"]], ms(1_500));
    await history.note(key, [["latest", "2.0.0"], ["old", "1.0.0"]], ms(2_000));
    assert.deepEqual(await history.changes(key), [1_000, 2_000]);
    assert.equal(await history.asOf(key, ms(999)), null);
    assert.deepEqual(await history.asOf(key, ms(1_999)), [["latest", "1.0.0"], ["next", "2.0.0-a"]]);
    assert.deepEqual(await history.asOf(key, ms(9_999)), [["latest", "2.0.0"], ["old", "1.0.0"]]);
    assert.equal(await history.asOf({ ...key, name: "Left-pad" }, ms(9_999)), null);
    assert.equal(await history.asOf({ ...key, scope: "private" }, ms(9_999)), null);
  }));

Deno.test("TagHistory: what did not change is not written; a clock that was set back makes no order", () =>
  withMemoryKv(async (kv) => {
    const counted = countingKv(kv);
    const history = createTagHistory(counted.kv);
    await history.note(key, [["latest", "1.0.0"]], ms(2_000));
    const written = (await kv.get(keys.tagHistory(key))).versionstamp;
    await history.note(key, [["latest", "1.0.0"]], ms(3_000));
    assert.equal((await kv.get(keys.tagHistory(key))).versionstamp, written);
    await history.note(key, [["latest", "1.1.0"]], ms(1_000));
    assert.deepEqual(await history.changes(key), [2_000, 2_000]);
    assert.deepEqual(await history.asOf(key, ms(2_000)), [["latest", "1.1.0"]]);
  }));

Deno.test("TagHistory: 500 changes are kept, the oldest are one, and the newest hold", () =>
  withMemoryKv(async (kv) => {
    const history = createTagHistory(kv);
    for (let i = 0; i <= 520; i++) {
      await history.note(key, [["latest", `1.0.${i}`], ["first", "1.0.0"]], ms(1_000 + i));
    }
    const changes = await history.changes(key);
    assert.equal(changes.length, 500);
    assert.equal(changes[0], 1_000 + 21);
    assert.equal(await history.asOf(key, ms(1_020)), null);
    assert.deepEqual(await history.asOf(key, ms(1_021)), [["latest", "1.0.21"], ["first", "1.0.0"]]);
    assert.deepEqual(await history.asOf(key, ms(9_999)), [["latest", "1.0.520"], ["first", "1.0.0"]]);
  }));

Deno.test("TagHistory: thousands of tags of no pattern still fit, and latest is among them", () =>
  withMemoryKv(async (kv) => {
    const history = createTagHistory(kv);
    const many = Array.from({ length: 12_000 }, () => [crypto.randomUUID(), crypto.randomUUID()] as const);
    await history.note(key, [...many, ["latest", "1.0.0"]], ms(1_000));
    const kept = await history.asOf(key, ms(1_000)) ?? [];
    assert.ok(kept.length > 500 && kept.length <= 10_000, `${kept.length}`);
    assert.equal(new Map(kept).get("latest"), "1.0.0");
  }));

Deno.test("TagHistory: two processes that note at once lose nothing", () =>
  withTwoKvs(async (a, b) => {
    const [one, two] = [createTagHistory(a), createTagHistory(b)];
    await one.note(key, [["latest", "1.0.0"]], ms(1_000));
    await Promise.all([
      one.note(key, [["latest", "1.0.1"]], ms(2_000)),
      two.note(key, [["latest", "1.0.2"]], ms(2_000)),
    ]);
    assert.equal((await one.changes(key)).length, 3);
  }));
