import assert from "node:assert/strict";
import fc from "fast-check";
import { compileRange, parseRangeSyntax } from "./range.ts";
import { SCHEME } from "./testing.ts";

/** A range, what is in it, and what is not. */
const CONTAINS: readonly (readonly [string, string, string])[] = [
  ["vers:npm/*", "0.0.1 1.0.0 odd", ""],
  ["vers:npm/1.0.0", "1.0.0 1.0.0+build", "0.9.9 1.0.1 1.0.0-rc.1"],
  ["vers:npm/=1.0.0", "1.0.0", "1.0.1"],
  ["vers:npm/1.0.0|2.0.0", "1.0.0 2.0.0", "1.5.0"],
  ["vers:npm/<2.0.0", "0.0.1 1.9.9 2.0.0-rc.1", "2.0.0 2.0.1"],
  ["vers:npm/<=2.0.0", "2.0.0", "2.0.1"],
  ["vers:npm/>2.0.0", "2.0.1 3.0.0", "2.0.0 1.0.0"],
  ["vers:npm/>=2.0.0", "2.0.0 9.0.0", "1.9.9 2.0.0-rc.1"],
  ["vers:npm/>=1.0.0|<2.0.0", "1.0.0 1.9.9", "0.9.9 2.0.0 3.0.0"],
  ["vers:npm/>=1.0.0|<2.0.0|>=3.0.0|<4.0.0", "1.5.0 3.5.0", "0.1.0 2.5.0 4.0.0"],
  ["vers:npm/<1.0.0|>=2.0.0", "0.9.0 2.0.0 5.0.0", "1.0.0 1.5.0"],
  ["vers:npm/>=1.0.0|!=1.5.0|<2.0.0", "1.4.0 1.6.0", "1.5.0 2.0.0"],
  ["vers:npm/!=1.5.0", "1.4.0 2.0.0", "1.5.0"],
  ["vers:npm/0.5.0|>=1.0.0|<2.0.0|3.0.0", "0.5.0 1.5.0 3.0.0", "0.6.0 2.0.0 2.5.0 3.0.1"],
  ["vers:npm/<1.0.0|1.5.0|>2.0.0", "0.9.0 1.5.0 2.0.1", "1.0.0 1.4.0 2.0.0"],
  ["vers:npm/1.0.0%2Bbuild", "1.0.0+build", "1.0.1"],
];

for (const [range, inside, outside] of CONTAINS) {
  Deno.test(`compileRange: ${range}`, () => {
    const compiled = compileRange(range, SCHEME);
    for (const version of inside.split(" ")) assert.ok(compiled.contains(version), `${version} is in`);
    for (const version of outside.split(" ").filter(Boolean)) {
      assert.ok(!compiled.contains(version), `${version} is out`);
    }
  });
}

const BAD_FORM = [
  "",
  "1.0.0",
  "vers:",
  "vers:npm",
  "vers:npm/",
  "vers:NPM/1.0.0",
  "vers:npm/*|1.0.0",
  "vers:npm/>=1.0.0||<2.0.0",
  "vers:npm/|1.0.0",
  "vers:npm/>=",
  "vers:npm/>= 1.0.0",
  "vers:npm/=>1.0.0",
  "vers:npm/~1.0.0|>",
  "vers:npm/>=1.0.0|>=2.0.0",
  "vers:npm/>1.0.0|>=2.0.0|<3.0.0",
  "vers:npm/<1.0.0|<=2.0.0",
  "vers:npm/%zz",
];

for (const range of BAD_FORM) {
  Deno.test(`parseRangeSyntax: refuses "${range}" and quotes it`, () => {
    assert.throws(
      () => parseRangeSyntax(range),
      (error) => error instanceof SyntaxError && error.message.includes(`"${range}"`),
    );
  });
}

const BAD_ORDER = [
  "vers:npm/>=2.0.0|<1.0.0",
  "vers:npm/1.0.0|1.0.0",
  "vers:npm/1.0.0|1.0.0+b",
  "vers:npm/>=1.0.0|<1.0.0",
  "vers:npm/1.x",
  "vers:npm/>=latest",
];

for (const range of BAD_ORDER) {
  Deno.test(`compileRange: refuses "${range}" and quotes it`, () => {
    parseRangeSyntax(range);
    assert.throws(
      () => compileRange(range, SCHEME),
      (error) => error instanceof SyntaxError && error.message.includes(`"${range}"`),
    );
  });
}

Deno.test("compileRange: a long list costs a version a few comparisons, since strangers ask with ranges of their own", () => {
  const list = Array.from({ length: 600 }, (_, patch) => `1.0.${2 * patch}`).join("|");
  let compared = 0;
  const counting = { ...SCHEME, compare: (a: string, b: string) => (compared++, SCHEME.compare(a, b)) };
  const range = compileRange(`vers:npm/${list}`, counting);
  compared = 0;
  assert.ok(range.contains("1.0.1198"));
  assert.ok(!range.contains("1.0.1197"));
  assert.ok(compared < 50, `${compared} comparisons`);
});

Deno.test("compileRange: >=a|<b is exactly what lies between, for any a, b and version", () => {
  const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join("."));
  fc.assert(fc.property(version, version, version, (a, b, candidate) => {
    fc.pre(SCHEME.compare(a, b) < 0);
    const between = SCHEME.compare(a, candidate) <= 0 && SCHEME.compare(candidate, b) < 0;
    assert.equal(compileRange(`vers:npm/>=${a}|<${b}`, SCHEME).contains(candidate), between);
    assert.equal(
      compileRange(`vers:npm/<${a}|>=${b}`, SCHEME).contains(candidate),
      SCHEME.compare(candidate, a) < 0 || SCHEME.compare(candidate, b) >= 0,
    );
  }));
});
