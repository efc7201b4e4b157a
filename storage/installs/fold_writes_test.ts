import assert from "node:assert/strict";
import { fitsOneCommit, type IndexWrite } from "./fold_writes.ts";

function writes(count: number, keyLength: number, valueBytes: number): readonly IndexWrite[] {
  return Array.from({ length: count }, (_, index) => ({
    key: ["installs", "x".repeat(keyLength), index, 0],
    value: new Uint8Array(valueBytes),
  }));
}

/** The largest value for which it holds. */
function largest(holds: (valueBytes: number) => boolean): number {
  let low = 0;
  let high = 65_000;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

async function takes(kv: Deno.Kv, all: readonly IndexWrite[]): Promise<boolean> {
  const atomic = kv.atomic();
  for (const { key, value } of all) atomic.set(key, value);
  try {
    return (await atomic.commit()).ok;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

Deno.test("fitsOneCommit: what it lets through KV takes, for many short and few long keys; and nearly all that KV takes", async () => {
  using kv = await Deno.openKv(":memory:");
  for (const [count, keyLength] of [[980, 5], [930, 40], [300, 200], [50, 1_200], [14, 10]] as const) {
    const most = largest((bytes) => fitsOneCommit(writes(count, keyLength, bytes)));
    const what = `${count} keys of ${keyLength}: values of ${most}`;
    assert.ok(await takes(kv, writes(count, keyLength, most)), what);
    const isHalf = await takes(kv, writes(count, keyLength, Math.min(65_000, Math.ceil(most * 1.5))));
    assert.ok(!isHalf || most >= 43_000, `far more is taken than ${what}`);
  }
});
