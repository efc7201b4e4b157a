import assert from "node:assert/strict";
import { describeChanges } from "./changes.ts";

Deno.test("describeChanges: by path, lists by their entries", () => {
  assert.deepEqual(describeChanges({ a: 1, b: { c: [1, 2] } }, { a: 1, b: { c: [2, 3] } }), [
    "- b.c: 1",
    "+ b.c: 3",
  ]);
  assert.deepEqual(describeChanges({ a: [1, 2] }, { a: [2, 1] }), ["~ a: in another order: [1,2] -> [2,1]"]);
  assert.deepEqual(describeChanges({ a: [1, 1, 2] }, { a: [1, 2] }), ["- a: 1"]);
  assert.deepEqual(describeChanges({ constructor: 1 }, {}), ["- constructor: 1"]);
  assert.deepEqual(describeChanges({ minimumAge: "10d" }, { minimumAge: "14d" }), [
    '~ minimumAge: "10d" -> "14d"',
  ]);
});

Deno.test("describeChanges: a list that comes or goes as a whole is told entry by entry, each whole", () => {
  const reason = "r".repeat(900);
  const overrides = [
    { purl: "pkg:npm/express@5.0.0", effect: "deny", reason, owner: "ada", until: "2027-01-01" },
    { purl: "pkg:npm/left-pad", effect: "allow", lifts: ["minimumAge"] },
  ];
  const lines = [
    `pkg:npm/express@5.0.0 deny: "${reason}" (owner "ada", until "2027-01-01")`,
    'pkg:npm/left-pad allow (lifts ["minimumAge"])',
  ];
  assert.deepEqual(describeChanges({ overrides }, {}), lines.map((line) => `- overrides: ${line}`));
  assert.deepEqual(
    describeChanges(undefined, { ecosystems: { npm: { overrides, yanked: "deny" } } }),
    [...lines.map((line) => `+ ecosystems.npm.overrides: ${line}`), '+ ecosystems.npm.yanked: "deny"'],
  );
  const many = { block: Array.from({ length: 5_000 }, (_, i) => `npm/p${i}`) };
  assert.equal(describeChanges(many, { block: [] }).length, 5_000);
});

Deno.test("describeChanges: an entry that changed is told from what to what; two of one purl are told apart", () => {
  const entry = { purl: "pkg:npm/a", effect: "deny", reason: "bad" };
  const change = (before: unknown, after: unknown) =>
    describeChanges({ overrides: before }, { overrides: after });
  assert.deepEqual(change([entry, 1], [1, { ...entry, reason: "worse", until: "2027-01-01" }]), [
    '~ overrides: pkg:npm/a: reason "bad" -> "worse", until nothing -> "2027-01-01"',
  ]);
  const hook = { id: "pager", url: "(set)", events: ["alert"] };
  assert.deepEqual(describeChanges({ webhooks: [hook] }, { webhooks: [{ ...hook, url: "(set anew)" }] }), [
    '~ webhooks: pager: url "(set)" -> "(set anew)"',
  ]);
  assert.deepEqual(change([entry], [{ ...entry, reason: "b" }, { ...entry, reason: "c" }]), [
    '- overrides: pkg:npm/a deny: "bad"',
    '+ overrides: pkg:npm/a deny: "b"',
    '+ overrides: pkg:npm/a deny: "c"',
  ]);
});

Deno.test("describeChanges: what was nothing and is null is no change; no line breaks into two", () => {
  assert.deepEqual(describeChanges({ a: null }, { b: null, c: { d: null } }), []);
  assert.deepEqual(describeChanges({ a: null }, { a: 1 }), ["+ a: 1"]);
  assert.deepEqual(describeChanges({ a: 1 }, { a: null }), ["- a: 1"]);
  const hostile = {
    "x\n+ y": 1,
    overrides: [{ purl: "a\n- b" }, { id: "c\r\nd", purl: "e" }, { purl: "f", "g\nh": 1 }],
  };
  const changed = { ...hostile, overrides: hostile.overrides.map((each) => ({ ...each, reason: "\n" })) };
  for (const lines of [describeChanges({}, hostile), describeChanges(hostile, changed)]) {
    assert.ok(lines.length > 0 && lines.every((line) => !/[\n\r]/.test(line)), lines.join("|"));
  }
});
