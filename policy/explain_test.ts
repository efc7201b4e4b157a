import assert from "node:assert/strict";
import { describe, describeWaived, newestAllowed, speakingSegment } from "./explain.ts";
import { epochMs } from "./instant.ts";
import {
  ago,
  at,
  DAY,
  decided,
  type DecideWords,
  NOW,
  packageOf,
  type ReleaseWords,
  SCHEME,
  waiverOf,
} from "./testing.ts";
import type { Decision } from "./types.ts";

interface Row extends Omit<DecideWords, "facts"> {
  readonly name: string;
  readonly release?: ReleaseWords;
  readonly newest?: string | null;
  readonly sentence: string;
  readonly segment: string;
  readonly until?: string | null;
  readonly since?: string | null;
}

const ROWS: readonly Row[] = [
  {
    name: "held",
    release: { published: NOW },
    newest: "0.9.0",
    sentence:
      "pkg 1.0.0 is held until 2026-12-01T09:00Z: published 2026-11-21T09:00Z, less than 10 days ago (minimumAge). Newest allowed: 0.9.0.",
    segment: "held-by-minimumAge-until-2026-12-01",
    since: "2026-11-21T09:00Z",
    until: "2026-12-01T09:00Z",
  },
  {
    name: "held, to the second",
    release: { published: epochMs(NOW + 1_000) },
    sentence:
      "pkg 1.0.0 is held until 2026-12-01T09:01Z: published 2026-11-21T09:00Z, less than 10 days ago (minimumAge). No release is allowed.",
    segment: "held-by-minimumAge-until-2026-12-01",
  },
  {
    name: "held by first sight",
    release: { published: null },
    sentence:
      "pkg 1.0.0 is held until 2026-12-01T09:00Z: its date of publication is unknown, and it was first seen here 2026-11-21T09:00Z, less than 10 days ago (unknownAge). No release is allowed.",
    segment: "held-by-unknownAge-until-2026-12-01",
    since: "2026-11-21T09:00Z",
  },
  {
    name: "yanked",
    release: { yanked: true },
    newest: "0.9.0",
    sentence: "pkg 1.0.0 is denied: yanked from the registry (yanked). Newest allowed: 0.9.0.",
    segment: "denied-by-yanked",
    since: null,
    until: null,
  },
  {
    name: "yanked and young: time does not lift it",
    release: { yanked: true, published: NOW },
    sentence: "pkg 1.0.0 is denied: yanked from the registry (yanked). No release is allowed.",
    segment: "denied-by-yanked",
    until: null,
  },
  {
    name: "blocked, with a reason",
    policy: { block: [{ purl: "pkg:npm/pkg", reason: "steals tokens", id: "INC-7" }] },
    sentence:
      "pkg 1.0.0 is denied: blocked by the organisation (INC-7): steals tokens (override). No release is allowed.",
    segment: "denied-by-override",
  },
  {
    name: "blocked until, and held beyond",
    policy: { block: [{ purl: "pkg:npm/pkg", until: "2026-11-23" }] },
    release: { published: NOW },
    sentence:
      "pkg 1.0.0 is denied until 2026-12-01T09:00Z: blocked by the organisation (deny npm/pkg) (override). No release is allowed.",
    segment: "denied-by-override-until-2026-12-01",
    until: "2026-12-01T09:00Z",
  },
  {
    name: "floor",
    floor: { deny: ["npm/pkg"] },
    sentence: "pkg 1.0.0 is denied: blocked on this instance (deny npm/pkg) (floor). No release is allowed.",
    segment: "denied-by-floor",
  },
  {
    name: "observed",
    policy: { enforcement: "observe" },
    release: { published: NOW },
    sentence:
      "pkg 1.0.0 would be held until 2026-12-01T09:00Z: published 2026-11-21T09:00Z, less than 10 days ago (minimumAge).",
    segment: "would-be-held-by-minimumAge-until-2026-12-01",
    until: "2026-12-01T09:00Z",
  },
  {
    name: "one rule observed, another refuses: the one that refuses speaks",
    policy: { observe: ["yanked"] },
    release: { published: NOW, yanked: true },
    sentence:
      "pkg 1.0.0 is held until 2026-12-01T09:00Z: published 2026-11-21T09:00Z, less than 10 days ago (minimumAge). No release is allowed.",
    segment: "held-by-minimumAge-until-2026-12-01",
  },
  {
    name: "a warning",
    policy: { deprecated: "warn" },
    release: { deprecated: "use\nother \u0007 “now” — naïve" },
    sentence: "pkg 1.0.0 is allowed with a warning: deprecated: use other ? ?now? ? naive (deprecated).",
    segment: "allowed",
  },
  {
    name: "waived",
    waivers: [waiverOf()],
    release: { published: NOW },
    sentence:
      "pkg 1.0.0 is allowed: published 2026-11-21T09:00Z, less than 10 days ago (minimumAge), lifted by w1.",
    segment: "allowed",
  },
  {
    name: "nothing found",
    sentence: "pkg 1.0.0 is allowed.",
    segment: "allowed",
  },
];

for (const row of ROWS) {
  Deno.test(`describe and speakingSegment: ${row.name}`, () => {
    const decision = decided({ ...row, facts: packageOf({ "1.0.0": row.release ?? {} }) }).release(
      "1.0.0",
    ) as Decision;
    const described = describe({
      decision,
      name: "pkg",
      version: "1.0.0",
      newestAllowed: row.newest ?? null,
      now: NOW,
    });
    assert.equal(described.sentence, row.sentence);
    assert.equal(speakingSegment(decision), row.segment);
    if (row.until !== undefined) assert.equal(described.until, row.until === null ? null : at(row.until));
    if (row.since !== undefined) assert.equal(described.since, row.since === null ? null : at(row.since));
  });
}

Deno.test("describe: whatever upstream writes, one bounded line of printable ASCII", () => {
  const decision = decided({
    facts: packageOf({ "1.0.0": { deprecated: "\r\nX-Evil: 1\u001b[31m\u202e" + "z".repeat(90_000) } }),
    policy: { deprecated: "deny" },
  }).release("1.0.0") as Decision;
  const { sentence } = describe({
    decision,
    name: "\u001b[2J@ácme/x",
    version: "1.0.0\n",
    newestAllowed: "\u0000",
    now: NOW,
  });
  assert.match(sentence, /^[\x20-\x7e]{1,900}$/);
});

Deno.test("newestAllowed: the greatest stable release, by version order and never by date", () => {
  const facts = packageOf({
    "1.0.0": { published: ago(20 * DAY) },
    "1.1.0": { published: ago(90 * DAY) },
    "1.2.0": { published: ago(DAY) },
    "2.0.0-rc.1": { published: ago(50 * DAY) },
    "odd": {},
  });
  assert.equal(newestAllowed(facts, decided({ facts }), SCHEME), "1.1.0");
});

Deno.test("newestAllowed: a pre-release where nothing else is allowed, else null", () => {
  const facts = packageOf({ "2.0.0-rc.1": {}, "2.0.0-rc.2": {}, "1.0.0": { yanked: true } });
  assert.equal(newestAllowed(facts, decided({ facts }), SCHEME), "2.0.0-rc.2");
  assert.equal(newestAllowed(facts, decided({ facts, policy: { block: ["npm/pkg"] } }), SCHEME), null);
  assert.equal(newestAllowed(packageOf({}), decided({ facts: packageOf({}) }), SCHEME), null);
});

Deno.test("newestAllowed: what is observed is let through", () => {
  const facts = packageOf({ "1.0.0": {}, "1.1.0": { published: ago(DAY) } });
  assert.equal(newestAllowed(facts, decided({ facts, policy: { enforcement: "observe" } }), SCHEME), "1.1.0");
});

Deno.test("describeWaived: until when, and what would stand against it; one line of ASCII, whatever upstream wrote", () => {
  const until = at("2026-12-01T10:00:00Z");
  const reasons = [
    { rule: "minimumAge", verdict: "hold", message: "published yesterday", horizon: null, liftedBy: "w1" },
    {
      rule: "deprecated",
      verdict: "deny",
      message: "deprecated: caf\u00e9\r\n\u001b[31m\u202e",
      horizon: null,
    },
  ] as const;
  assert.equal(
    describeWaived({ name: "p\u00e4d", version: "1.0.0", until, reasons }),
    "pad 1.0.0 is allowed by a waiver until 2026-12-01T10:00Z. Without it: published yesterday (minimumAge); " +
      "deprecated: cafe ?[31m? (deprecated).",
  );
});
