import assert from "node:assert/strict";
import { parsePolicy, type PolicyDocument } from "./config.ts";
import { consequencesOf, differenceOf } from "./difference.ts";
import { NPM } from "./testing.ts";

function read(source: unknown): PolicyDocument {
  const parsed = parsePolicy(source);
  assert.ok(parsed.ok);
  return parsed.document;
}

Deno.test("differenceOf: settings concern every package of their ecosystem, an entry of a list its own", () => {
  const concerns = (before: unknown, after: unknown, name: string) =>
    differenceOf(read(before), read(after), NPM).concerns(name);
  assert.equal(concerns({}, {}, "a"), false);
  assert.equal(concerns({}, { minimumAge: "11d" }, "a"), true);
  assert.equal(concerns({}, { ecosystems: { pypi: { minimumAge: "11d" } } }, "a"), false);
  assert.equal(concerns({ block: ["npm/a"] }, { block: ["npm/a", "npm/b"] }, "a"), false);
  assert.equal(concerns({ block: ["npm/a"] }, { block: ["npm/a", "npm/b"] }, "b"), true);
  assert.equal(concerns({ block: ["npm/a"] }, {}, "A"), true);
  assert.equal(concerns({}, { block: ["npm/@evil/*"] }, "@evil/x"), true);
  assert.equal(concerns({}, { block: ["pypi/b"] }, "b"), false);
});

Deno.test("consequencesOf: what no decision on a release shows", () => {
  assert.deepEqual(consequencesOf(read({}), read({ minimumAge: "1d" }), 0), []);
  const found = consequencesOf(read({}), read({ closed: true, callers: "named", retention: "30d" }), 3);
  assert.equal(found.length, 3);
  assert.match(
    found.join(" "),
    /Nobody will be answered.*without a name.*: 3 installs of the last 30 days.*older than/s,
  );
});
