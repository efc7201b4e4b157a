import assert from "node:assert/strict";
import { locateMistakes, readJsonText, segmentsOf } from "./json_places.ts";

const TEXT = `{
  "minimumAge": 14,
  "overrides": [
    { "effect": "deny", "purl": "pkg:npm/a" },
    { "effect": "deny", "purl": 3 }
  ],
  "ecosystems": { "npm": { "yanked": "maybe" } }
}`;

Deno.test("locateMistakes: each at its line and column, what is missing at what should hold it", () => {
  const found = locateMistakes(TEXT, [
    { place: "minimumAge", message: "m" },
    { place: "overrides[1].purl", message: "p" },
    { place: "overrides[0].until", message: "u" },
    { place: "ecosystems.npm.yanked", message: "y" },
    { place: "ecosystems.npm", message: "n" },
    { place: "", message: "whole" },
  ]);
  assert.deepEqual(found.map(({ line, column }) => [line, column]), [
    [2, 17],
    [5, 33],
    [4, 5],
    [7, 38],
    [7, 19],
    [1, 1],
  ]);
  assert.equal(found[0]?.message, "minimumAge: m");
  assert.equal(found[0]?.excerpt.slice(found[0].indent), "14,");
});

Deno.test("readJsonText: what is no JSON is told with its place, and a key that is there twice", () => {
  const broken = readJsonText('{\n  "a": 1,\n}');
  assert.ok(!broken.ok);
  assert.deepEqual([broken.mistakes[0]?.line, broken.mistakes[0]?.column], [2, 9]);
  const twice = readJsonText('{"block": [],\n "x": {"a": 1, "a": 2}, "block": ["npm/a"]}');
  assert.ok(!twice.ok);
  assert.deepEqual(
    twice.mistakes.map(({ message }) => message),
    [
      'the key "a" is there twice',
      'the key "block" is there twice',
    ].sort(),
  );
  assert.deepEqual(readJsonText("  "), { ok: true, document: {} });
  assert.equal(readJsonText("[".repeat(500_000)).ok, false);
  assert.deepEqual(readJsonText('{"a": [1]}'), { ok: true, document: { a: [1] } });
});

Deno.test("readJsonText: one mistake in the syntax is told once, where it is", () => {
  const told = (text: string) => {
    const read = readJsonText(text);
    return read.ok ? [] : read.mistakes.map(({ line, column, message }) => `${line}:${column} ${message}`);
  };
  const comma = "there is a comma too many";
  assert.deepEqual(told('{\n  "block": [\n    "npm/a",\n  ],\n  "callers": "anyone"\n}'), [`3:12 ${comma}`]);
  assert.deepEqual(told('{\n  "minimumAge": "10d",,\n  "block": ["npm/a"]\n}'), [`2:23 ${comma}`]);
  assert.deepEqual(told('{"a": [,1]}'), [`1:8 ${comma}`]);
  assert.deepEqual(told('{\n  "a": 1\n  "b": 2\n}'), ["3:3 comma expected"]);
  assert.deepEqual(told('{"a" 1}'), ["1:6 colon expected"]);
  assert.equal(told('{"a": 1, "a": 2,}').length, 1);
});

Deno.test("segmentsOf: places as mistakes write them", () => {
  assert.deepEqual(segmentsOf('block[2]["npm/a.b"][0].x'), ["block", 2, "npm/a.b", 0, "x"]);
  assert.deepEqual(segmentsOf(""), []);
});
