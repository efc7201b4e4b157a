import assert from "node:assert/strict";
import { createParsers } from "./usable.ts";
import type { VersionScheme } from "./types.ts";

const versions: VersionScheme = {
  compare: (a, b) => Number(a) - Number(b),
  isValid: (version) => /^\d+$/.test(version),
  isPrerelease: () => false,
  line: (version) => version,
};
const { parsePolicy, parseFloor } = createParsers([{ id: "npm", purlType: "npm", versions }]);
const denial = { effect: "deny", purl: "pkg:npm/left-pad" };

Deno.test("createParsers: a range that no request could be decided by is refused when it is written, not when it is used", () => {
  const sorted = parsePolicy({ overrides: [{ ...denial, range: "vers:npm/>=9|<10" }] });
  assert.ok(sorted.ok);
  const wrong = parsePolicy({ overrides: [{ ...denial, range: "vers:npm/>=10|<9" }] });
  assert.ok(!wrong.ok);
  assert.match(wrong.errors[0]!.expected, /version order of npm/);
  assert.match(wrong.errors[0]!.value, /vers:npm\/>=10\|<9/);
});

Deno.test("createParsers: the floor and an ecosystem's own lists are held to the same", () => {
  const range = "vers:npm/>=10|<9";
  assert.ok(!parseFloor({ deny: [{ purl: "pkg:npm/left-pad", range }] }).ok);
  const own = parsePolicy({ ecosystems: { npm: { overrides: [{ ...denial, range }] } } });
  assert.ok(!own.ok);
  assert.equal(own.errors[0]!.path, "ecosystems.npm.overrides");
});
