import assert from "node:assert/strict";
import { changeEntries, entriesOf, type NewEntry } from "./entries.ts";

const SOURCE = {
  minimumAge: "10d",
  overrides: [{ effect: "allow", purl: "pkg:npm/a@1.0.0", reason: "ours", lifts: ["freeze"] }],
  block: ["npm/b==1", { "npm/c": ["1", "2"], "npm/d": "ALL" }, { purl: "pkg:npm/e", owner: "ada" }],
  allow: { "npm/f": "1" },
  ecosystems: { npm: { block: ["npm/g"] } },
};

function entry(purl: string, more: Partial<NewEntry> = {}): NewEntry {
  return { effect: "deny", purl, range: "", reason: "", owner: "", until: "", id: "", lifts: [], ...more };
}

Deno.test("entriesOf: every entry of every list, however it is written, with its place", () => {
  const found = entriesOf(SOURCE).map(({ place, effect, purl }) => [place.join("/"), effect, purl]);
  assert.deepEqual(found, [
    ["overrides/0", "allow", "pkg:npm/a@1.0.0"],
    ["block/0", "deny", "npm/b==1"],
    ["block/1/npm/c/0", "deny", "npm/c==1"],
    ["block/1/npm/c/1", "deny", "npm/c==2"],
    ["block/1/npm/d", "deny", "npm/d"],
    ["block/2", "deny", "pkg:npm/e"],
    ["allow/npm/f", "allow", "npm/f==1"],
    ["ecosystems/npm/block/0", "deny", "npm/g"],
  ]);
  assert.deepEqual(entriesOf(SOURCE)[0]?.lifts, ["freeze"]);
  assert.deepEqual(entriesOf("no document"), []);
});

Deno.test("changeEntries: what is not named stays as it was written", () => {
  const changed = changeEntries(SOURCE, {
    kind: "policy",
    removed: [["block", 0], ["block", 1, "npm/c", 0], ["allow", "npm/f"], ["ecosystems", "npm", "block", 0]],
    replaced: [
      { place: ["block", 2], entry: entry("pkg:npm/e", { reason: "why" }) },
      { place: ["block", 1, "npm/d"], entry: entry("npm/d==3", { owner: "bob" }) },
    ],
    added: [entry("npm/new", { effect: "allow", until: "2027-01-01" })],
  });
  assert.deepEqual(changed.document, {
    minimumAge: "10d",
    overrides: [
      SOURCE.overrides[0],
      { effect: "allow", purl: "npm/new", until: "2027-01-01" },
      { effect: "deny", purl: "npm/d==3", owner: "bob" },
    ],
    block: [{ "npm/c": ["2"] }, { purl: "pkg:npm/e", reason: "why" }],
    ecosystems: { npm: { block: [] } },
  });
  assert.deepEqual(changed.replaced, ["block[1]", "overrides[2]"]);
  assert.deepEqual(changed.added, ["overrides[1]"]);
  assert.deepEqual(SOURCE.block.length, 3);
});

Deno.test("changeEntries: the floor's list takes what is added, written as a map too", () => {
  const changed = changeEntries({ deny: { "npm/a": "1" } }, {
    kind: "floor",
    removed: [],
    replaced: [],
    added: [entry("npm/b")],
  });
  assert.deepEqual(changed.document, { deny: [{ "npm/a": "1" }, { purl: "npm/b" }] });
  const gone = changeEntries(changed.document, {
    kind: "floor",
    removed: [["deny", 0, "npm/a"], ["deny", 7], ["constructor", "x"]],
    replaced: [],
    added: [],
  });
  assert.deepEqual(gone.document, { deny: [{ purl: "npm/b" }] });
});
