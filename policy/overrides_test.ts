import assert from "node:assert/strict";
import { parsePolicy } from "./config.ts";
import { compileOverrides, overridesNaming, SPECIFICITY } from "./overrides.ts";
import { resolvePolicy } from "./resolve.ts";
import { NPM, SCHEME } from "./testing.ts";
import type { VersionScheme } from "./types.ts";

function overridesOf(input: unknown) {
  const parsed = parsePolicy(input);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.document.overrides;
}

/** Counts what a decision asks of the version scheme. */
function counting(): {
  readonly scheme: VersionScheme;
  readonly calls: () => number;
  readonly reset: () => void;
} {
  let calls = 0;
  const compare = (a: string, b: string) => {
    calls++;
    return SCHEME.compare(a, b);
  };
  return { scheme: { ...SCHEME, compare }, calls: () => calls, reset: () => calls = 0 };
}

Deno.test("compileOverrides: 10,000 overrides cost nothing on a package that they do not concern", () => {
  const { scheme, calls, reset } = counting();
  const block = Array.from({ length: 10_000 }, (_, index) => `npm/p${index % 5_000}==1.0.${index}`);
  const index = compileOverrides(overridesOf({ block }), { ...NPM, versions: scheme });
  reset();
  const others = index.of("other");
  for (let minor = 0; minor < 1_000; minor++) assert.equal(others.matching(`1.${minor}.0`).length, 0);
  assert.equal(calls(), 0);
  assert.equal(index.of("p17").matching("1.0.17").length, 1);
});

Deno.test("compileOverrides: 10,000 versions of one package are searched, not walked through", () => {
  const { scheme, calls, reset } = counting();
  const block = Array.from({ length: 10_000 }, (_, index) => `npm/pkg==1.0.${index}`);
  const index = compileOverrides(overridesOf({ block }), { ...NPM, versions: scheme });
  reset();
  const concerned = index.of("pkg");
  assert.equal(concerned.matching("1.0.9999").length, 1);
  assert.equal(concerned.matching("2.0.0").length, 0);
  assert.ok(calls() < 40, `${calls()} comparisons`);
});

Deno.test("compileOverrides: specificity", () => {
  const allow = [
    "npm/pkg==1.0.0",
    "npm/pkg==1.*",
    "npm/pkg==vers:npm/<2.0.0",
    "npm/pkg",
    "npm/p*",
    "npm/p*==1.0.0",
  ];
  const matches = compileOverrides(overridesOf({ allow }), NPM).of("pkg").matching("1.0.0");
  const ranks = new Map(
    matches.map(({ override, specificity }) => [override.id.replace("allow npm/", ""), specificity]),
  );
  assert.deepEqual(Object.fromEntries(ranks), {
    "pkg==1.0.0": SPECIFICITY.exact,
    "pkg==1.*": SPECIFICITY.range,
    "pkg==vers:npm/<2.0.0": SPECIFICITY.range,
    "pkg": SPECIFICITY.package,
    "p*": SPECIFICITY.glob,
    "p*==1.0.0": SPECIFICITY.glob,
  });
});

Deno.test("compileOverrides: entries under the ecosystem's id and under its purl type count", () => {
  const go = { id: "go", purlType: "golang", versions: SCHEME };
  const index = compileOverrides(
    overridesOf({ block: ["golang/example.org/a", "pkg:go/example.org/b", "npm/example.org/c"] }),
    go,
  );
  const blocked = ["a", "b", "c"].map((name) => index.of(`example.org/${name}`).matching("1.0.0").length);
  assert.deepEqual(blocked, [1, 1, 0]);
});

Deno.test("compileOverrides: Maven's names as purls write them", () => {
  const maven = { id: "maven", purlType: "maven", versions: SCHEME };
  const index = compileOverrides(
    overridesOf({ block: ["pkg:maven/org.acme/tool@1.0.0"], allow: ["maven/org.acme/*"] }),
    maven,
  );
  assert.equal(index.of("org.acme:tool").matching("1.0.0").length, 2);
});

Deno.test("compileOverrides: an allow takes every spelling that the registry takes for the same package, and no other", () => {
  const allow = ["npm/Foo_Bar==1.0.0", "npm/Acme-*"];
  const canonicalName = (name: string) => name.toLowerCase();
  const exact = compileOverrides(overridesOf({ allow }), NPM);
  const folding = compileOverrides(overridesOf({ allow }), { ...NPM, canonicalName });
  for (const [name, isAllowed] of [["foo_bar", true], ["acme-x", true], ["foo-bar", false]] as const) {
    assert.equal(exact.of(name).matching("1.0.0").length, 0, name);
    assert.equal(folding.of(name).matching("1.0.0").length, isAllowed ? 1 : 0, name);
  }
});

Deno.test("resolvePolicy: a range that is not sorted throws, and names it", () => {
  const parsed = parsePolicy({ block: ["npm/pkg==vers:npm/>=2.0.0|<1.0.0"] });
  assert.ok(parsed.ok, "only the ecosystem's own order can tell");
  const resolve = (ecosystem: typeof NPM) =>
    resolvePolicy({ document: parsed.document, floor: { deny: [] }, waivers: [], ecosystem });
  assert.throws(() => resolve(NPM), /Cannot read range "vers:npm\/>=2.0.0\|<1.0.0"/);
  resolve({ ...NPM, id: "pypi", purlType: "pypi" });
});

Deno.test("resolvePolicy: what the pipeline reads of it", () => {
  const parsed = parsePolicy({
    enforcement: "observe",
    ecosystems: {
      npm: { artifacts: "upstream", auditFixes: { minimumAge: "2h" } },
      pypi: { auditFixes: false },
    },
  });
  assert.ok(parsed.ok);
  const read = (ecosystem: typeof NPM) => {
    const { enforcement, artifacts, auditFixes } = resolvePolicy({
      document: parsed.document,
      floor: { deny: [] },
      waivers: [],
      ecosystem,
    });
    return { enforcement, artifacts, auditFixes };
  };
  assert.deepEqual(read(NPM), {
    enforcement: "observe",
    artifacts: "upstream",
    auditFixes: { minimumAge: 7_200_000 },
  });
  assert.deepEqual(read({ ...NPM, id: "pypi", purlType: "pypi" }), {
    enforcement: "observe",
    artifacts: "proxy",
    auditFixes: null,
  });
});

Deno.test("overridesNaming: a denial by the loosest reading, an allow exactly, globs, whatever the version; no other ecosystem's", () => {
  const given = overridesOf({
    block: ["npm/Left_Pad==1.0.0", "npm/left-*", "npm/leftpad", "pypi/left-pad"],
    allow: ["npm/left-pad==vers:npm/<2.0.0", "npm/Left-Pad"],
  });
  const named = overridesNaming(given, NPM, "left-pad").map(({ name }) => name);
  assert.deepEqual(named, ["Left_Pad", "left-*", "left-pad"]);
});
