import assert from "node:assert/strict";
import { entriesOf } from "../../../policy/entries.ts";
import type { EpochMs } from "../../../policy/types.ts";
import { emptyRow, filtered, filterFrom, keyOf, listsFromForm, readListsForm } from "./lists_form.ts";

const SOURCE = {
  overrides: [{ effect: "allow", purl: "pkg:npm/%40acme/ui@2.0.0", reason: "our own", until: "2026-01-01" }],
  block: ["npm/a", "npm/b"],
};
const KNOWN = new Map(entriesOf(SOURCE).map((entry) => [keyOf(entry.place), entry]));

function read(fields: readonly (readonly [string, string])[]) {
  return readListsForm(new URLSearchParams(fields.map(([name, value]) => [name, value])), KNOWN);
}

Deno.test("listsFromForm: rows are added, changed and taken out, and mistakes find their row", () => {
  const form = read([
    ["new.0.effect", "deny"],
    ["new.0.purl", "npm/new"],
    ["new.1.effect", "allow"],
    ["new.1.purl", ""],
    ["new.1.owner", "ada"],
    ["edit.0.place", '["block",1]'],
    ["edit.0.purl", "npm/b"],
    ["edit.0.reason", "why"],
    ["remove", '["block",0]'],
    ["remove", '["minimumAge"]'],
  ]);
  const { document, places } = listsFromForm(SOURCE, form, "policy");
  assert.deepEqual(document, {
    overrides: [SOURCE.overrides[0], { effect: "deny", purl: "npm/new" }],
    block: [{ purl: "npm/b", reason: "why" }],
  });
  assert.deepEqual([...places], [["edit.0.", "block[0]"], ["new.0.", "overrides[1]"]]);
});

Deno.test("listsFromForm: a row that was opened and left as it was changes nothing", () => {
  const form = read([["edit.0.place", '["block",1]'], ["edit.0.purl", "npm/b"]]);
  assert.equal(JSON.stringify(listsFromForm(SOURCE, form, "policy").document), JSON.stringify(SOURCE));
});

Deno.test("readListsForm: a row is dropped by its button; the next new one has a name of its own", () => {
  const form = read([["new.0.purl", "npm/x"], ["new.3.purl", "npm/y"], ["do", "drop:new.0."]]);
  assert.deepEqual(form.rows.map(({ prefix }) => prefix), ["new.3."]);
  assert.equal(emptyRow(form.rows, "ada").prefix, "new.4.");
  assert.deepEqual(read([["edit.0.place", '["constructor"]'], ["edit.0.purl", "x"]]).rows, []);
});

Deno.test("filtered: by words as people write them, by effect, by end", () => {
  const now = Date.UTC(2026, 5, 1) as EpochMs;
  const found = (query: string) =>
    filtered(entriesOf(SOURCE), filterFrom(new URLSearchParams(query)), now).map(({ purl }) => purl);
  assert.deepEqual(found("q=npm/@acme/ui"), ["pkg:npm/%40acme/ui@2.0.0"]);
  assert.deepEqual(found("q=OUR+own"), ["pkg:npm/%40acme/ui@2.0.0"]);
  assert.deepEqual(found("which=deny"), ["npm/a", "npm/b"]);
  assert.deepEqual(found("which=ended"), ["pkg:npm/%40acme/ui@2.0.0"]);
  assert.deepEqual(found("which=ending"), []);
  assert.equal(found("which=odd").length, 3);
});
