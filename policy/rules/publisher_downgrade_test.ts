import assert from "node:assert/strict";
import { epochMs } from "../instant.ts";
import { ago, DAY, decided, HOUR, NOW, packageOf, type ReleaseWords, SCHEME } from "../testing.ts";
import type { EpochMs, PackageFacts } from "../types.ts";
import { findPredecessors } from "./predecessors.ts";

interface Row {
  readonly name: string;
  readonly policy?: unknown;
  readonly releases: Readonly<Record<string, ReleaseWords>>;
  /** The versions that are found to be downgraded. */
  readonly found: readonly string[];
}

const TRUSTED = "trusted-publisher";
const days = (count: number): EpochMs => ago(count * DAY);

const ROWS: readonly Row[] = [
  {
    name: "provenance lost",
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: ["1.0.1"],
  },
  {
    name: "trusted publisher to provenance",
    releases: {
      "1.0.0": { trust: TRUSTED, published: days(90) },
      "1.0.1": { trust: "provenance", published: days(80) },
    },
    found: ["1.0.1"],
  },
  {
    name: "trusted publisher to neither",
    releases: {
      "1.0.0": { trust: TRUSTED, published: days(90) },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: ["1.0.1"],
  },
  {
    name: "the same level",
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.0.1": { trust: "provenance", published: days(80) },
    },
    found: [],
  },
  {
    name: "stronger than before",
    releases: {
      "1.0.0": { trust: "none", published: days(90) },
      "1.0.1": { trust: TRUSTED, published: days(80) },
    },
    found: [],
  },
  {
    name: "back-port published before the newer line",
    releases: {
      "6.3.1": { trust: "none", published: days(90) },
      "7.0.0": { trust: "provenance", published: days(80) },
    },
    found: [],
  },
  {
    name: "back-port published after the newer line",
    releases: {
      "6.3.0": { trust: "none", published: days(90) },
      "6.3.1": { trust: "none", published: days(70) },
      "7.0.0": { trust: "provenance", published: days(80) },
    },
    found: [],
  },
  {
    name: "back-port within its line, lower by version, later by date",
    releases: {
      "1.1.0": { trust: "none", published: days(70) },
      "1.2.0": { trust: "provenance", published: days(80) },
    },
    found: ["1.1.0"],
  },
  {
    name: "higher by version, earlier by date",
    releases: {
      "1.1.0": { trust: "provenance", published: days(70) },
      "1.2.0": { trust: "none", published: days(80) },
    },
    found: [],
  },
  {
    name: "a pre-release's provenance says nothing of stables",
    releases: {
      "1.0.0-rc.1": { trust: "provenance", published: days(90) },
      "1.0.0": { trust: "none", published: days(80) },
    },
    found: [],
  },
  {
    name: "a stable's provenance says nothing of pre-releases",
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.1.0-rc.1": { trust: "none", published: days(80) },
    },
    found: [],
  },
  {
    name: "pre-release with pre-release",
    releases: {
      "1.0.0-rc.1": { trust: "provenance", published: days(90) },
      "1.0.0-rc.2": { trust: "none", published: days(80) },
    },
    found: ["1.0.0-rc.2"],
  },
  {
    name: "outside the window of 180 days",
    releases: {
      "1.0.0": { trust: "provenance", published: days(300) },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: [],
  },
  {
    name: "at the window's edge",
    releases: {
      "1.0.0": { trust: "provenance", published: days(260) },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: ["1.0.1"],
  },
  {
    name: "own window",
    policy: { publisherDowngrade: { window: "5d" } },
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: [],
  },
  {
    name: "a weak release between does not hide the strong one",
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.0.1": { trust: "none", published: days(85) },
      "1.0.2": { trust: "none", published: days(80) },
    },
    found: ["1.0.1", "1.0.2"],
  },
  {
    name: "a later provenance does not hide an earlier trusted publisher",
    releases: {
      "1.0.0": { trust: TRUSTED, published: days(90) },
      "1.0.1": { trust: "provenance", published: days(85) },
      "1.0.2": { trust: "provenance", published: days(80) },
    },
    found: ["1.0.1", "1.0.2"],
  },
  {
    name: "undated: version order tells",
    releases: {
      "1.0.0": { trust: "provenance", published: null },
      "1.0.1": { trust: "none", published: null },
      "0.9.0": { trust: "none", published: null },
    },
    found: ["1.0.1"],
  },
  {
    name: "undated after dated",
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.0.1": { trust: "none", published: null },
    },
    found: ["1.0.1"],
  },
  {
    name: "dated after undated",
    releases: {
      "1.0.0": { trust: "provenance", published: null },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: ["1.0.1"],
  },
  {
    name: "unknown after provenance",
    releases: { "1.0.0": { trust: "provenance", published: days(90) }, "1.0.1": { published: days(80) } },
    found: ["1.0.1"],
  },
  {
    name: "unknown after none",
    releases: { "1.0.0": { trust: "none", published: days(90) }, "1.0.1": { published: days(80) } },
    found: [],
  },
  {
    name: "a registry that says nothing",
    releases: { "1.0.0": { published: days(90) }, "1.0.1": { published: days(80) } },
    found: [],
  },
  {
    name: "switched off",
    policy: { publisherDowngrade: "allow" },
    releases: {
      "1.0.0": { trust: TRUSTED, published: days(90) },
      "1.0.1": { trust: "none", published: days(80) },
    },
    found: [],
  },
  {
    name: "a claim back-dated before its appearance does not escape",
    releases: {
      "1.0.0": { trust: "provenance", published: days(90) },
      "1.0.1": { trust: "none", published: days(400), clock: "publisher" },
    },
    found: ["1.0.1"],
  },
];

for (const { name, policy, releases, found } of ROWS) {
  Deno.test(`publisherDowngrade: ${name}`, () => {
    const facts = packageOf(releases);
    const seen = { "pkg-1.0.1.tgz": { at: days(70), original: false } };
    const decisions = decided({ policy: { minimumAge: 0, ...policy ?? {} }, facts, seen });
    const flagged = facts.releases.map(({ version }) => version).filter((version) =>
      decisions.release(version)?.reasons.some(({ rule }) => rule === "publisherDowngrade")
    );
    assert.deepEqual(flagged, found);
  });
}

Deno.test("publisherDowngrade: a weak file that joins later neither passes nor excuses what comes after", () => {
  const facts = packageOf({
    "1.0.0": {
      files: [{ filename: "a", trust: "provenance", published: days(90) }, {
        filename: "b",
        trust: "none",
        published: days(60),
      }],
    },
    "1.0.1": { files: [{ filename: "c", trust: "none", published: days(50) }] },
  });
  const decisions = decided({ facts });
  assert.deepEqual(["a", "b", "c"].map((file) => decisions.artifact(file)?.verdict), [
    "allow",
    "deny",
    "deny",
  ]);
});

Deno.test("publisherDowngrade: a release whose files were uploaded together differently sets no higher mark", () => {
  const mixed = (version: string, day: number) => ({
    files: [
      { filename: `${version}.whl`, trust: "provenance" as const, published: days(day) },
      { filename: `${version}.tar.gz`, trust: "none" as const, published: epochMs(days(day) + HOUR) },
    ],
  });
  const decisions = decided({
    facts: packageOf({ "1.0.0": mixed("1.0.0", 90), "1.0.1": mixed("1.0.1", 80) }),
  });
  assert.deepEqual(["1.0.1.whl", "1.0.1.tar.gz"].map((file) => decisions.artifact(file)?.verdict), [
    "allow",
    "allow",
  ]);
});

Deno.test("findPredecessors: a package of 20,000 releases needs few comparisons of each", () => {
  let lines = 0;
  const counting = { ...SCHEME, line: () => String(lines++ % 7), isPrerelease: () => false };
  const facts = manyReleases(20_000);
  const predecessors = findPredecessors(facts, counting, { now: NOW, firstSeen: () => null });
  assert.equal(lines, 20_000 / 2, "each strong release's line is read once");
  const release = facts.releases[19_999];
  assert.ok(release);
  predecessors.stronger({ release, at: NOW, than: 0, window: NOW as number as never });
  assert.equal(lines, 20_000 / 2 + 1);
});

function manyReleases(count: number): PackageFacts {
  const trust = (index: number) => index % 2 === 0 ? "provenance" as const : "none" as const;
  const releases = Array.from(
    { length: count },
    (_, index) => [`1.0.${index}`, { trust: trust(index) }] as const,
  );
  return packageOf(Object.fromEntries(releases));
}
