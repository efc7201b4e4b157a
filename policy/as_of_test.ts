import assert from "node:assert/strict";
import { ago, at, DAY, HOUR, NOW, packageOf, type PolicyWords, resolved, waiverOf } from "./testing.ts";
import { epochMs } from "./instant.ts";
import type { Decision, EpochMs, FirstSeen, PackageFacts } from "./types.ts";

const NO_GRANTS = { grants: new Set<string>(), digest: "test" };

interface Row extends PolicyWords {
  readonly name: string;
  readonly facts?: PackageFacts;
  readonly seen?: Readonly<Record<string, FirstSeen>>;
  /** The instant; default: 50 days ago. */
  readonly asOf?: EpochMs;
  readonly now?: EpochMs;
  readonly verdict: string;
  readonly reasons?: readonly string[];
  readonly horizon?: EpochMs | null;
}

function decision(row: Omit<Row, "name" | "verdict">): Decision {
  const joined = { firstSeen: (name: string) => row.seen?.[name] ?? null, ...NO_GRANTS };
  const facts = row.facts ?? packageOf({ "1.0.0": { published: ago(100 * DAY) } });
  const decisions = resolved(row).decide(facts, joined, row.now ?? NOW, row.asOf ?? ago(50 * DAY));
  return decisions.release("1.0.0")!;
}

const OLD = ago(100 * DAY);
const TEN = { minimumAge: "10d" };
const ROWS: readonly Row[] = [
  { name: "what was there and old enough", verdict: "allow", reasons: [], horizon: null },
  {
    name: "what came later",
    facts: packageOf({ "1.0.0": { published: ago(49 * DAY) } }),
    verdict: "deny",
    reasons: ["instant deny"],
    horizon: null,
  },
  {
    name: "published at the very instant",
    policy: { minimumAge: 0 },
    facts: packageOf({ "1.0.0": { published: ago(50 * DAY) } }),
    verdict: "allow",
    reasons: [],
  },
  {
    name: "too young then, old enough now: no time lifts it",
    policy: TEN,
    facts: packageOf({ "1.0.0": { published: ago(55 * DAY) } }),
    verdict: "deny",
    reasons: ["minimumAge deny"],
    horizon: null,
  },
  {
    name: "old enough at the very instant",
    policy: TEN,
    facts: packageOf({ "1.0.0": { published: ago(60 * DAY) } }),
    verdict: "allow",
    reasons: [],
  },
  {
    name: "too young then and now",
    policy: TEN,
    asOf: ago(DAY),
    facts: packageOf({ "1.0.0": { published: ago(2 * DAY) } }),
    verdict: "deny",
    reasons: ["minimumAge deny"],
    horizon: null,
  },
  {
    name: "yanked since",
    facts: packageOf({ "1.0.0": { published: OLD, yanked: true } }),
    verdict: "deny",
    reasons: ["yanked deny"],
  },
  {
    name: "denied today",
    policy: { overrides: [{ effect: "deny", purl: "pkg:npm/pkg", reason: "bad" }] },
    verdict: "deny",
    reasons: ["override deny"],
  },
  {
    name: "a denial that ended since",
    policy: { overrides: [{ effect: "deny", purl: "pkg:npm/pkg", until: new Date(ago(DAY)).toISOString() }] },
    verdict: "allow",
    reasons: [],
  },
  {
    name: "the floor of today",
    floor: { deny: [{ purl: "pkg:npm/pkg", reason: "bad" }] },
    verdict: "deny",
    reasons: ["floor deny"],
  },
  {
    name: "frozen before the instant",
    freezes: [{
      id: "f",
      ecosystem: "npm",
      name: "pkg",
      at: ago(200 * DAY),
      reason: null,
      owner: null,
      until: null,
    }],
    verdict: "deny",
    reasons: ["freeze deny"],
  },
  {
    name: "an allow of today lifts an age of then",
    policy: { ...TEN, overrides: [{ effect: "allow", purl: "pkg:npm/pkg" }] },
    facts: packageOf({ "1.0.0": { published: ago(55 * DAY) } }),
    verdict: "allow",
    reasons: ["override allow", "minimumAge deny"],
  },
  {
    name: "no allow and no waiver brings back what was not there",
    policy: { overrides: [{ effect: "allow", purl: "pkg:npm/pkg", lifts: ["minimumAge", "yanked"] }] },
    waivers: [waiverOf()],
    facts: packageOf({ "1.0.0": { published: ago(5 * DAY) } }),
    verdict: "deny",
    reasons: ["instant deny", "override allow", "minimumAge hold"],
  },
  {
    name: "observe lets ages through, not what was not there",
    policy: { ...TEN, enforcement: "observe" },
    facts: packageOf({ "1.0.0": { published: ago(55 * DAY) } }),
    verdict: "warn",
    reasons: ["minimumAge deny"],
  },
  {
    name: "observe, and not there",
    policy: { ...TEN, enforcement: "observe" },
    facts: packageOf({ "1.0.0": { published: ago(5 * DAY) } }),
    verdict: "deny",
    reasons: ["instant deny", "minimumAge hold"],
  },
  {
    name: "undated, first seen before",
    facts: packageOf({ "1.0.0": { published: null } }),
    seen: { "pkg-1.0.0.tgz": { at: ago(90 * DAY), original: false } },
    policy: TEN,
    verdict: "allow",
    reasons: [],
  },
  {
    name: "undated, first seen after",
    facts: packageOf({ "1.0.0": { published: null } }),
    seen: { "pkg-1.0.0.tgz": { at: ago(40 * DAY), original: false } },
    policy: TEN,
    verdict: "deny",
    reasons: ["instant deny"],
  },
  {
    name: "undated, and there when its package was first seen after",
    facts: packageOf({ "1.0.0": { published: null } }),
    seen: { "pkg-1.0.0.tgz": { at: ago(40 * DAY), original: true } },
    verdict: "deny",
    reasons: ["instant deny", "unknownAge warn"],
  },
  {
    name: "an instant that is not past is now",
    policy: TEN,
    asOf: epochMs(NOW + HOUR),
    facts: packageOf({ "1.0.0": { published: ago(DAY) } }),
    verdict: "hold",
    reasons: ["minimumAge hold"],
    horizon: epochMs(ago(DAY) + 10 * DAY),
  },
];

for (const row of ROWS) {
  Deno.test(`decide as of an instant: ${row.name}`, () => {
    const made = decision(row);
    assert.equal(made.verdict, row.verdict);
    if (row.reasons !== undefined) {
      assert.deepEqual(made.reasons.map(({ rule, verdict }) => `${rule} ${verdict}`), row.reasons);
    }
    if (row.horizon !== undefined) assert.equal(made.horizon, row.horizon);
  });
}

Deno.test("decide as of an instant: the sentence says when it came, and does not name the instant asked for", () => {
  const late = decision({ facts: packageOf({ "1.0.0": { published: at("2026-11-01T10:00:00Z") } }) });
  assert.equal(late.reasons[0]?.message, "published 2026-11-01T10:00Z, after the instant of this address");
  const young = decision({ policy: TEN, facts: packageOf({ "1.0.0": { published: ago(55 * DAY) } }) });
  assert.match(young.reasons[0]?.message ?? "", /less than 10 days ago, as of the instant of this address$/);
  assert.equal(late.reasons[0]?.since, at("2026-11-01T10:00:00Z"));
});

Deno.test("changes: when each file came and when it was old enough, and nothing else", () => {
  const facts = packageOf({
    "1.0.0": { published: ago(100 * DAY) },
    "1.1.0": { published: ago(5 * DAY) },
    "1.2.0": { published: null },
  });
  const joined = {
    firstSeen: (name: string) =>
      name === "pkg-1.2.0.tgz"
        ? { at: ago(30 * DAY), original: false }
        : { at: ago(3 * DAY), original: false },
    ...NO_GRANTS,
  };
  const changes = new Set([...resolved({ policy: TEN }).changes(facts, joined, NOW)]);
  changes.delete(undefined);
  const expected = [100, 90, 5, -5, 30, 20].map((days) => ago(days * DAY));
  assert.deepEqual([...changes].sort(), expected.sort());
});

Deno.test("frozenAt: the earliest of those that stand, and when the first of them ends", () => {
  const base = { ecosystem: "npm", name: "pkg", reason: null, owner: null };
  const policy = resolved({
    freezes: [
      { ...base, id: "a", at: ago(10 * DAY), until: epochMs(NOW + DAY) },
      { ...base, id: "b", at: ago(5 * DAY), until: null },
      { ...base, id: "c", at: ago(50 * DAY), until: ago(DAY) },
      { ...base, id: "d", name: "other", at: ago(90 * DAY), until: null },
    ],
  });
  assert.deepEqual(policy.frozenAt("pkg", NOW), { at: ago(10 * DAY), until: epochMs(NOW + DAY) });
  assert.equal(policy.frozenAt("none", NOW), null);
});
