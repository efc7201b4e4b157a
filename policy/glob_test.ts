import assert from "node:assert/strict";
import fc from "fast-check";
import { compileGlob } from "./glob.ts";

/** A pattern, what it matches, and what it does not; a `*` keeps to its segment here. */
const ROWS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["axios", ["axios"], ["axio", "axioss", "", "Axios"]],
  ["*", ["", "a", "axios"], ["@acme/foo"]],
  ["**", ["", "a", "@acme/foo"], []],
  ["@acme/*", ["@acme/foo", "@acme/"], ["@acme", "@acme/a/b", "@other/foo"]],
  ["*-utils", ["x-utils", "-utils"], ["x-utils2", "@evil/x-utils"]],
  ["**-utils", ["@evil/x-utils"], ["utils"]],
  ["a*b*c", ["abc", "aXbYc", "abbcc"], ["ab", "acb", "abcd"]],
  ["a?c", ["abc"], ["ac", "abbc", "a/c"]],
  ["?*", ["a", "ab"], [""]],
  ["a.b", ["a.b"], ["axb"]],
  ["a+(b)[c]", ["a+(b)[c]"], ["aab"]],
  ["aa*aa", ["aaaa", "aaXaa"], ["aaa"]],
];

for (const [pattern, matching, others] of ROWS) {
  Deno.test(`compileGlob: ${pattern}`, () => {
    const glob = compileGlob(pattern, { crossesSlash: false });
    for (const text of matching) assert.ok(glob.matches(text), `matches "${text}"`);
    for (const text of others) assert.ok(!glob.matches(text), `does not match "${text}"`);
  });
}

Deno.test("compileGlob: a denial's star crosses slashes", () => {
  const glob = compileGlob("*left?pad*", { crossesSlash: true });
  assert.ok(glob.matches("@acme/left/pad-x"));
});

Deno.test("compileGlob: as a plain reading of the pattern says, for any pattern and text", () => {
  const plain = (pattern: string, text: string): boolean => {
    if (pattern === "") return text === "";
    const [head, rest] = [pattern[0], pattern.slice(1)];
    if (head === "*") return plain(rest, text) || (text !== "" && plain(pattern, text.slice(1)));
    return text !== "" && (head === "?" || head === text[0]) && plain(rest, text.slice(1));
  };
  const letters = (alphabet: string, maxLength: number) =>
    fc.string({ unit: fc.constantFrom(...alphabet), maxLength });
  fc.assert(
    fc.property(
      letters("ab/*?", 6),
      letters("ab/", 8),
      (pattern, text) => compileGlob(pattern, { crossesSlash: true }).matches(text) === plain(pattern, text),
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("compileGlob: a pattern made to be slow takes no more steps than the text is long", () => {
  const slow = [["*a".repeat(200) + "*b*", "a".repeat(5_000)], [
    "a*".repeat(200) + "?b",
    `${"a".repeat(5_000)}b`,
  ]] as const;
  for (const [pattern, text] of slow) {
    let steps = 0;
    compileGlob(pattern, { crossesSlash: true }).matches(text, () => steps++);
    assert.ok(steps <= text.length && steps > 0, `${steps} steps`);
  }
});

Deno.test("compileGlob: any pattern and any text take no more steps than the text is long", () => {
  const hostile = fc.array(fc.constantFrom("*", "**", "?", "a", "b", "/", "*a", "a*", "?*", "*?"), {
    maxLength: 300,
  })
    .map((parts) => parts.join(""));
  const repeated = fc.tuple(fc.constantFrom("a", "ab", "a/", "ba"), fc.nat(2_000)).map(([unit, times]) =>
    unit.repeat(times)
  );
  fc.assert(
    fc.property(hostile, repeated, fc.boolean(), (pattern, text, crossesSlash) => {
      let steps = 0;
      compileGlob(pattern, { crossesSlash }).matches(text, () => steps++);
      return steps <= text.length;
    }),
    { numRuns: 300 },
  );
});
