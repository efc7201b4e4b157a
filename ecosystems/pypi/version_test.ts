import assert from "node:assert/strict";
import { compare } from "@renovatebot/pep440";
import fc from "fast-check";
import { isVersionText, pypiVersions, versionKey } from "./version.ts";

Deno.test("pypiVersions: spellings of one version are equal, and share a key", () => {
  const table: readonly (readonly string[])[] = [
    ["1", "1.0", "1.0.0", "v1.0", "0!1"],
    ["1.0a1", "1.0alpha1", "1.0-a.1", "1.0.A1", "1.0.0alpha_1"],
    ["1.0b2", "1.0beta2", "1.0-beta-2"],
    ["1.0rc3", "1.0c3", "1.0-pre3", "1.0.preview3"],
    ["1.0.post4", "1.0-4", "1.0-r4", "1.0.rev4"],
    ["1.0.dev5", "1.0dev5", "1.0-dev_5"],
    ["1.0a0", "1.0a"],
    ["1.0+ubuntu.1", "1.0+ubuntu-1", "1.0+UBUNTU_1"],
    ["1!2.0", "1!2"],
  ];
  for (const spellings of table) {
    for (const spelling of spellings) {
      assert.equal(pypiVersions.compare(spellings[0]!, spelling), 0, spelling);
      assert.equal(versionKey(spelling), versionKey(spellings[0]!), spelling);
    }
  }
});

Deno.test("pypiVersions: what is a pre-release, and of which line", () => {
  const table: [string, boolean, string][] = [
    ["1.2.3", false, "0!1"],
    ["1.2.3a1", true, "0!1"],
    ["1.2.3.dev1", true, "0!1"],
    ["1.2.3.post1", false, "0!1"],
    ["1.2.3.post1.dev2", true, "0!1"],
    ["1.2.3+local.a1", false, "0!1"],
    ["2!0.5", false, "2!0"],
    ["2026.1", false, "0!2026"],
    ["nonsense", false, "nonsense"],
  ];
  for (const [version, isPrerelease, line] of table) {
    assert.equal(pypiVersions.isPrerelease(version), isPrerelease, version);
    assert.equal(pypiVersions.line(version), line, version);
  }
});

Deno.test("pypiVersions: agrees with the library's own comparison", () => {
  const number = fc.integer({ min: 0, max: 12 }).map(String);
  const version = fc.record({
    epoch: fc.constantFrom("", "", "1!"),
    release: fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")),
    pre: fc.constantFrom("", "", "a1", "b2", "rc10"),
    post: fc.constantFrom("", "", ".post2"),
    dev: fc.constantFrom("", "", ".dev3"),
    local: fc.constantFrom("", "", "+abc", "+abc.2", "+2"),
  }).map(({ epoch, release, pre, post, dev, local }) => `${epoch}${release}${pre}${post}${dev}${local}`);
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.equal(Math.sign(pypiVersions.compare(a, b)), Math.sign(compare(a, b)), `${a} ${b}`);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("pypiVersions: numbers too long to be told apart are no versions", () => {
  assert.equal(pypiVersions.isValid("1.20260601120000"), true);
  assert.equal(pypiVersions.isValid("1.99999999999999999999"), false);
  assert.equal(pypiVersions.isValid("1.".repeat(200) + "1"), false);
});

Deno.test("isVersionText: what may stand in an address", () => {
  for (const text of ["1.0", "1!2.0+local.1", "2004d", "1.0-beta_2"]) assert.ok(isVersionText(text), text);
  for (const text of ["", "1/2", "1 0", "..", ".1", "1.", "1%", "a\u0000b", "1".repeat(300)]) {
    assert.ok(!isVersionText(text), text);
  }
});
