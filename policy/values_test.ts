import assert from "node:assert/strict";
import fc from "fast-check";
import { durationInWords, durationMs, formatDuration, parseDuration } from "./duration.ts";
import { epochMs, formatDate, formatInstant, formatInstantUp, parseInstant } from "./instant.ts";
import { foldName, foldVersion, pathOfName } from "./name.ts";
import { DAY, HOUR, MINUTE } from "./testing.ts";

const DURATIONS: readonly (readonly [string, number | null])[] = [
  ["10d", 10 * DAY],
  ["36h", 36 * HOUR],
  ["90m", 90 * MINUTE],
  ["2w", 14 * DAY],
  ["30s", 30_000],
  ["0", 0],
  ["0d", 0],
  ["2", null],
  ["", null],
  ["d", null],
  ["-1d", null],
  ["1.5d", null],
  ["1 d", null],
  ["1D", null],
  ["10days", null],
  ["1d2h", null],
  ["999999999w", null],
  ["1e3d", null],
];

for (const [text, expected] of DURATIONS) {
  Deno.test(`parseDuration: "${text}"`, () => assert.equal(parseDuration(text), expected));
}

Deno.test("formatDuration: reads back as the same, and in words", () => {
  fc.assert(fc.property(fc.nat(1_000_000), (seconds) => {
    const duration = durationMs(seconds * 1_000);
    assert.equal(parseDuration(formatDuration(duration)), duration);
  }));
  const words = [10 * DAY, DAY, 36 * HOUR, HOUR, 90 * MINUTE, 0, 70 * DAY].map((ms) =>
    durationInWords(durationMs(ms))
  );
  assert.deepEqual(words, ["10 days", "1 day", "36 hours", "1 hour", "90 minutes", "0 seconds", "10 weeks"]);
});

Deno.test("durationMs and epochMs: refuse what is no whole number", () => {
  for (const wrong of [Number.NaN, 0.5, Number.POSITIVE_INFINITY]) {
    assert.throws(() => durationMs(wrong), RangeError);
    assert.throws(() => epochMs(wrong), RangeError);
  }
  assert.throws(() => durationMs(-1), RangeError);
  assert.throws(() => epochMs(8.64e15 + 1), RangeError);
});

const INSTANTS: readonly (readonly [string, string | null])[] = [
  ["2027-03-31", "2027-03-31T00:00:00.000Z"],
  ["2027-03-31T18:00:00Z", "2027-03-31T18:00:00.000Z"],
  ["2027-03-31t18:00:00z", "2027-03-31T18:00:00.000Z"],
  ["2027-03-31 18:00:00Z", "2027-03-31T18:00:00.000Z"],
  ["2027-03-31T18:00Z", "2027-03-31T18:00:00.000Z"],
  ["2027-03-31T18:00:00.1239Z", "2027-03-31T18:00:00.123Z"],
  ["2027-03-31T18:00:00+02:00", "2027-03-31T16:00:00.000Z"],
  ["2027-03-31T18:00:00-05:30", "2027-03-31T23:30:00.000Z"],
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ["0001-01-01", "0001-01-01T00:00:00.000Z"],
  ["2027-02-29", null],
  ["2027-13-01", null],
  ["2027-00-10", null],
  ["2027-01-32", null],
  ["2027-03-31T24:00:00Z", null],
  ["2027-03-31T18:60:00Z", null],
  ["2027-03-31T18:00:60Z", null],
  ["2027-03-31T18:00:00", null],
  ["2027-03-31T18:00:00+25:00", null],
  ["2027-3-31", null],
  ["31.03.2027", null],
  ["tomorrow", null],
  ["1800000000000", null],
  ["", null],
];

for (const [text, expected] of INSTANTS) {
  Deno.test(`parseInstant: "${text}"`, () => {
    const instant = parseInstant(text);
    assert.equal(instant === null ? null : new Date(instant).toISOString(), expected);
  });
}

Deno.test("formatInstant: to the minute; formatInstantUp and formatDate never too early", () => {
  const instant = epochMs(Date.UTC(2026, 10, 30, 23, 59, 1));
  assert.equal(formatInstant(instant), "2026-11-30T23:59Z");
  assert.equal(formatInstantUp(instant), "2026-12-01T00:00Z");
  assert.equal(formatDate(instant), "2026-12-01");
  assert.equal(formatInstantUp(epochMs(Date.UTC(2026, 10, 30, 9))), "2026-11-30T09:00Z");
});

Deno.test("foldName: every spelling of a name is one", () => {
  const spellings = [
    "@acme/my-pkg",
    "@ACME/My_Pkg",
    "%40acme/my.pkg",
    "%40acme%2fmy--pkg",
    "@acme/my-_.pkg",
    "%2540acme/my-pkg",
    "@acme/ｍy-pkg",
  ];
  assert.deepEqual([...new Set(spellings.map(foldName))], ["@acme/my-pkg"]);
  assert.notEqual(foldName("mypkg"), foldName("my-pkg"));
  assert.equal(foldName("100%-%41"), "100%-a");
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."aA-_.%/@24"), maxLength: 12 }), (name) => {
    assert.equal(
      foldName(foldName(name).replaceAll("%", "")),
      foldName(name).replaceAll("%", "").replace(/[-_.]+/g, "-"),
    );
  }));
});

Deno.test("foldVersion: case, percent-encoding and a leading v", () => {
  assert.deepEqual([
    ...new Set(["v1.0.0-RC.1", "1.0.0-rc.1", "=1.0.0-rc.1", "V1.0.0%2Drc.1"].map(foldVersion)),
  ], ["1.0.0-rc.1"]);
  assert.equal(foldVersion("vnext"), "vnext");
});

Deno.test("pathOfName: Maven's colon is a purl's slash, elsewhere a colon is a colon", () => {
  assert.deepEqual([pathOfName("maven", "org.acme:tool"), pathOfName("npm", "a:b")], [
    "org.acme/tool",
    "a:b",
  ]);
});
