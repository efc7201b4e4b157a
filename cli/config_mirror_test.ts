import assert from "node:assert/strict";
import { formatMistakes, loadConfig } from "./config.ts";
import { startSluice } from "../tests/fakes/sluice.ts";

const ECOSYSTEMS = ["npm", "pypi", "cargo"].map((id) => ({ id, upstreams: ["registry"] }));
const DAY_MS = 86_400_000;

function load(file: string) {
  return loadConfig({
    args: ["--config", "f"],
    env: {},
    ecosystems: ECOSYSTEMS,
    readTextFile: () => file,
  });
}

Deno.test("mirror: entries with their defaults", () => {
  const loaded = load(`
mirror:
  - { ecosystem: npm, packages: [left-pad, "@acme/kit"], versions: 5, every: 6h, organisation: acme, only: true }
  - { ecosystem: cargo, used: true }
  - { ecosystem: pypi, packages: requests, versions: "vers:pypi/>=2.0|<3.0" }
`);
  assert.ok(loaded.ok, loaded.ok ? "" : formatMistakes(loaded.errors));
  const usual = { every: DAY_MS, organisation: "default", only: false };
  assert.deepEqual(loaded.config.mirror, [
    {
      ecosystem: "npm",
      packages: ["left-pad", "@acme/kit"],
      versions: { newest: 5 },
      every: DAY_MS / 4,
      organisation: "acme",
      only: true,
    },
    { ...usual, ecosystem: "cargo", packages: "used", versions: { newest: 1 } },
    { ...usual, ecosystem: "pypi", packages: ["requests"], versions: { range: "vers:pypi/>=2.0|<3.0" } },
  ]);
  const none = load("{}");
  assert.deepEqual(none.ok && none.config.mirror, []);
});

Deno.test("mirror: all mistakes at once, by their path", () => {
  const loaded = load(`
mirror:
  - { ecosystem: rubygems, packages: [a] }
  - { ecosystem: npm }
  - { ecosystem: npm, packages: [a], used: true }
  - { ecosystem: npm, packages: ["@acme/*"], versions: 0, every: 0s, only: "yes" }
  - { ecosystem: npm, package: [a], used: true }
  - { ecosystem: npm, packages: [a], versions: ">=1" }
`);
  assert.ok(!loaded.ok);
  const text = formatMistakes(loaded.errors);
  for (
    const line of [
      'mirror[0].ecosystem "rubygems": expected one of npm, pypi, cargo',
      "mirror[1] a mapping: expected either packages or used: true",
      "mirror[2] a mapping: expected either packages or used: true",
      "mirror[3].packages a list: expected names of packages",
      "mirror[3].versions 0: expected a whole number from 1 to 1000, or a VERS range",
      'mirror[3].every "0s": expected a duration above 0',
      'mirror[3].only "yes": expected true or false',
      "mirror[4].package: expected a known key; did you mean packages?",
      'mirror[5].versions ">=1": expected a whole number',
    ]
  ) assert.ok(text.includes(`  ${line}`), `${line}\nin\n${text}`);
  assert.ok(!load("mirror: { npm: all }").ok);
});

Deno.test("mirror: a range that is none of its ecosystem's versions is told at the start", async () => {
  const file = 'mirror:\n  - { ecosystem: npm, packages: [a], versions: "vers:npm/>=nonsense" }\n';
  await assert.rejects(
    async () => await (await startSluice({ env: {}, file }))[Symbol.asyncDispose](),
    /"nonsense" is not a version here/,
  );
});
