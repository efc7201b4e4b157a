import assert from "node:assert/strict";
import fc from "fast-check";
import type { EpochMs } from "../../policy/types.ts";
import { sampleRecord } from "../../tests/suites/install_log.ts";
import type { InstallRecord } from "./log.ts";
import { bounded, createRecordIds, decodeEntry, encodeEntry } from "./record.ts";

/** Any values of the right types, however odd. */
const anyRecord = fc.record({
  id: fc.string({ unit: "binary" }),
  at: fc.double() as unknown as fc.Arbitrary<EpochMs>,
  user: fc.option(fc.string({ unit: "binary", maxLength: 300 })),
  package: fc.string({ unit: "binary", maxLength: 2000 }),
  version: fc.constantFrom("\ud800", "a\r\nb", "\u2028", "1.0.0", "\u009b2J", "x".repeat(9000)),
  bytes: fc.double(),
}).map((parts) => sampleRecord(parts as Partial<InstallRecord>));

Deno.test("bounded leaves an ordinary record as it is", () => {
  const record = sampleRecord();
  assert.deepEqual(bounded(record), record);
});

Deno.test("bounded makes every text short, well-formed and free of control characters, every number finite", () => {
  fc.assert(fc.property(anyRecord, (record) => {
    for (const value of Object.values(bounded(record))) {
      if (typeof value === "number") assert.ok(Number.isSafeInteger(value) && value >= 0, `${value}`);
      if (typeof value !== "string") continue;
      assert.ok(value.length <= 320);
      assert.ok(value.isWellFormed());
      assert.doesNotMatch(value, /[\p{Cc}\u2028\u2029]/u);
    }
    assert.deepEqual(bounded(bounded(record)), bounded(record));
  }));
});

Deno.test("bounded keeps the longest names within KV's bound for a key", async () => {
  using kv = await Deno.openKv(":memory:");
  const record = bounded(sampleRecord({
    organisation: "\u20ac".repeat(999),
    user: "\u20ac".repeat(999),
    package: "\u20ac".repeat(999),
    ecosystem: "\u20ac".repeat(999),
  }));
  const key = [
    "installs",
    "who",
    record.organisation,
    record.ecosystem,
    record.package,
    record.user ?? "",
    9999,
    9,
  ];
  assert.equal((await kv.set(key, 1)).ok, true);
});

Deno.test("decodeEntry reads what encodeEntry wrote, on one line", () => {
  fc.assert(fc.property(anyRecord, fc.option(fc.nat()), (odd, cutOffAt) => {
    const entry = { record: bounded(odd), cutOffAt };
    const line = encodeEntry(entry);
    assert.equal(line.indexOf("\n"), line.length - 1);
    assert.deepEqual(decodeEntry(line.slice(0, -1)), { ...entry, line });
  }));
});

Deno.test("decodeEntry answers null for every beginning of a line, and for what is no line of the log", () => {
  const line = encodeEntry({ record: sampleRecord(), cutOffAt: null });
  for (let length = 0; length < line.length - 1; length += 1) {
    assert.equal(decodeEntry(line.slice(0, length)), null);
  }
  const damaged = [
    line.replace('"served"', '"sold"'),
    line.replace('"hit"', "1"),
    line.replace(",3000,", ",-1,"),
    line.replace('"ana"', "{}"),
    line.replace("]", ',"more"]'),
  ];
  for (const other of [...damaged, "[]", "{}", "null", '"end"', "\0\0\0"]) {
    assert.equal(decodeEntry(other), null, other);
  }
});

Deno.test("createRecordIds rise although the clock steps back, and sort by time over processes", () => {
  let now = 1_000_000;
  const first = createRecordIds(() => now as EpochMs, "host", () => 0.1);
  const second = createRecordIds(() => now as EpochMs, "host", () => 0.2);
  const ids: string[] = [];
  for (const step of [0, 0, 1, -500, 0, 2_000_000]) {
    now += step;
    ids.push(first());
  }
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set([...ids, second(), second()]).size, ids.length + 2);
  now += 1;
  assert.ok(second() > (ids.at(-1) as string));
});

Deno.test("decodeEntry reads records with and without an instant, and a line without one is what it always was", () => {
  const plain = bounded(sampleRecord());
  const dated = bounded(sampleRecord({ asOf: 1_700_000_000_000 as EpochMs }));
  assert.equal(JSON.parse(encodeEntry({ record: plain, cutOffAt: null })).length, 19);
  for (const record of [plain, dated]) {
    assert.deepEqual(decodeEntry(encodeEntry({ record, cutOffAt: null }).trimEnd())?.record, record);
  }
  const [format, cutOff, ...fields] = JSON.parse(encodeEntry({ record: dated, cutOffAt: null }));
  const broken = JSON.stringify([format, cutOff, ...fields.slice(0, -1), "soon"]);
  assert.equal(decodeEntry(broken), null);
});
