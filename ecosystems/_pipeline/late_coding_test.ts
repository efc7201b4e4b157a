import assert from "node:assert/strict";
import { brotliDecompressSync } from "node:zlib";
import { createSlots } from "../../storage/slots.ts";
import { realTimers } from "../../storage/timers.ts";
import { brotliLater } from "./late_coding.ts";

const TEXT = new TextEncoder().encode(
  JSON.stringify(Array.from({ length: 60_000 }, (_, i) => i * 7919 % 977)),
);

/** Background work as it is begun; `settled` once all of it has ended. */
function createServices() {
  const begun: Promise<void>[] = [];
  return {
    begun,
    settled: async () => {
      for (const work of begun) await work;
    },
    background: {
      run: (_name: string, work: () => Promise<void>) => void begun.push(work()),
      drain: () => Promise.resolve(),
    },
    packing: createSlots({ maxConcurrent: 1, maxWaiting: Infinity }),
    timers: realTimers,
  };
}

Deno.test("brotliLater: made once, when it was missed for the third time", async () => {
  const services = createServices();
  const late = brotliLater(TEXT, { mostBytes: TEXT.byteLength, services })!;
  late.missed();
  late.missed();
  assert.equal(services.begun.length, 0);
  for (let i = 0; i < 9; i++) late.missed();
  assert.equal(services.begun.length, 1);
  assert.equal(late.bytes(), null);
  await services.settled();
  assert.deepEqual(new Uint8Array(brotliDecompressSync(late.bytes()!)), TEXT);
});

Deno.test("brotliLater keeps nothing that is not smaller, and packs nothing above 12 MB", async () => {
  const services = createServices();
  const late = brotliLater(TEXT, { mostBytes: 1_000, services })!;
  for (let i = 0; i < 3; i++) late.missed();
  await services.settled();
  assert.equal(late.bytes(), null);
  assert.equal(brotliLater(new Uint8Array(12 * 2 ** 20 + 1), { mostBytes: 1, services }), null);
});

Deno.test("brotliLater: one at a time; what would wait behind too many is begun when it is missed again", async () => {
  const services = createServices();
  const all = Array.from({ length: 7 }, () => brotliLater(TEXT, { mostBytes: TEXT.byteLength, services })!);
  const missAll = () => all.forEach((late) => late.missed());
  for (let i = 0; i < 3; i++) missAll();
  assert.equal(services.begun.length, 5, "one is packed, four wait");
  await services.settled();
  assert.equal(all.filter((late) => late.bytes() !== null).length, 5);
  missAll();
  await services.settled();
  assert.ok(all.every((late) => late.bytes() !== null));
});
