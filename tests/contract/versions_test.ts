/** Every ecosystem's order of versions. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { EcosystemSample } from "./sample.ts";
import { loadSamples } from "./samples.ts";

for (const { ecosystem, sample } of await loadSamples()) {
  Deno.test(`${sample.title}: the version order is total, for any strings, and has the sample's order`, () => {
    const { compare, isValid, isPrerelease, line } = ecosystem.versions;
    const { ascending, stable, prerelease } = sample;
    for (const [i, a] of ascending.entries()) {
      for (const [j, b] of ascending.entries()) {
        assert.equal(Math.sign(compare(a, b)), Math.sign(i - j), `${a} ${b}`);
      }
    }
    const line0 = line(stable[0]);
    for (const [index, version] of stable.entries()) {
      assert.ok(isValid(version) && !isPrerelease(version) && line(version) === line0, version);
      assert.ok(index === 0 || compare(stable[index - 1]!, version) < 0, version);
    }
    assert.ok(isPrerelease(prerelease) && compare(stable[4], prerelease) < 0);
    const version = versions(sample);
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [ab, bc, ac] = [compare(a, b), compare(b, c), compare(a, c)].map(Math.sign);
        assert.equal(compare(a, a), 0);
        assert.equal(Math.sign(compare(b, a)), -ab! + 0, `${a} | ${b}`);
        if (ab! <= 0 && bc! <= 0) assert.ok(ac! <= 0, `${a} | ${b} | ${c}`);
        if (ab === 0) assert.equal(ac, bc, `equal versions compare alike: ${a} | ${b} | ${c}`);
        if (!isValid(a) && isValid(b)) assert.ok(ab! < 0, `${a} is none and must sort below ${b}`);
        assert.equal(typeof isPrerelease(a), "boolean");
        assert.equal(typeof line(a), "string");
      }),
      { numRuns: 2_000 },
    );
  });
}

function versions(sample: EcosystemSample): fc.Arbitrary<string> {
  const known = [...sample.ascending, ...sample.stable, sample.prerelease];
  return fc.oneof(
    fc.constantFrom(...known),
    fc.tuple(fc.constantFrom(...known), fc.constantFrom("", "-", ".", "0", "+x", "-1", ".0", " ", "a", "!"))
      .map((two) => two.join("")),
    fc.array(fc.constantFrom("0", "1", "10", ".", "-", "a", "rc", "+", "!", "v", "post", "dev", "_"), {
      maxLength: 8,
    })
      .map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 10 }),
  );
}
