/** What must hold of every policy and every package: fast-check looks for the one that breaks it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { epochMs } from "./instant.ts";
import {
  ago,
  changesIn,
  DAY,
  decided,
  type DecideWords,
  HOUR,
  NOW,
  packageOf,
  type ReleaseWords,
  SCHEME,
  waiverOf,
} from "./testing.ts";
import {
  type Decisions,
  type EpochMs,
  type FirstSeen,
  type PackageFacts,
  permits,
  type Waiver,
} from "./types.ts";

const VERSIONS = ["1.0.0", "1.0.1", "1.1.0-rc.1", "1.1.0", "2.0.0", "v2.0.0", "odd"];
const instant = fc.integer({ min: -40 * 24, max: 48 }).map((hours) => epochMs(NOW + hours * HOUR));

const release: fc.Arbitrary<ReleaseWords> = fc.record({
  published: fc.option(instant, { nil: null }),
  clock: fc.constantFrom("registry", "publisher"),
  yanked: fc.boolean(),
  deprecated: fc.constantFrom<string | false>("", "old", false),
  trust: fc.constantFrom("trusted-publisher", "provenance", "none"),
}, { requiredKeys: ["published", "clock"] });

const facts: fc.Arbitrary<PackageFacts> = fc.uniqueArray(fc.constantFrom(...VERSIONS), { minLength: 1 })
  .chain((versions) => fc.tuple(...versions.map((version) => fc.tuple(fc.constant(version), release))))
  .map((releases) => packageOf(Object.fromEntries(releases)));

const seen: fc.Arbitrary<Readonly<Record<string, FirstSeen>>> = fc.dictionary(
  fc.constantFrom(...VERSIONS.map((version) => `pkg-${version}.tgz`)),
  fc.record({
    at: fc.integer({ min: 0, max: 40 * 24 }).map((hours) => ago(hours * HOUR)),
    original: fc.boolean(),
  }),
);

const purl = fc.constantFrom(
  "pkg:npm/pkg",
  "pkg:npm/pkg@1.0.0",
  "pkg:npm/pkg@1.*",
  "pkg:npm/pkg@vers:npm/>=1.0.0|<2.0.0",
  "pkg:npm/*",
  "pkg:npm/PKG@2.0.0",
  "pkg:npm/other",
);
const until = fc.option(
  fc.integer({ min: -48, max: 48 }).map((hours) => new Date(NOW + hours * HOUR).toISOString()),
  { nil: undefined },
);
const LIFTS = ["minimumAge", "unknownAge", "yanked", "deprecated", "publisherDowngrade", "override"];
const lifts = fc.option(fc.subarray(LIFTS), { nil: undefined });

const denial = fc.record({ effect: fc.constant("deny"), purl, until }).map(given);
const allow = fc.record({ effect: fc.constant("allow"), purl, until, lifts }).map(given);
const overrides = fc.array(fc.oneof(denial, allow), { maxLength: 5 });

/** Each a ladder, mildest first. */
const LADDERS = {
  minimumAge: ["0", "1d", "10d", "30d"],
  unknownAge: ["allow", "first-seen", "strict", "deny"],
  yanked: ["allow", "warn", "deny"],
  deprecated: ["allow", "warn", "deny"],
  enforcement: ["observe", "enforce"],
  artifacts: ["proxy"],
} as const;
const WINDOWS = ["0", "5d", "180d"];

type Rungs = Readonly<Record<keyof typeof LADDERS | "downgrade" | "window" | "observe", number>>;
const rungs: fc.Arbitrary<Rungs> = fc.record({
  minimumAge: fc.nat(3),
  unknownAge: fc.nat(3),
  yanked: fc.nat(2),
  deprecated: fc.nat(2),
  enforcement: fc.nat(1),
  artifacts: fc.constant(0),
  downgrade: fc.nat(2),
  window: fc.nat(2),
  observe: fc.nat(2),
});
const waivers: fc.Arbitrary<readonly Waiver[]> = fc.array(
  fc.record({ version: fc.constantFrom(...VERSIONS), hours: fc.integer({ min: -10, max: 300 }) }),
  { maxLength: 2 },
).map((list) =>
  list.map(({ version, hours }, index) =>
    waiverOf({ id: `w${index}`, version, until: epochMs(NOW + hours * HOUR) })
  )
);
const grants = fc.subarray(VERSIONS);

interface Case extends Omit<DecideWords, "policy"> {
  readonly rungs: Rungs;
  readonly overrides: readonly unknown[];
}
const cases: fc.Arbitrary<Case> = fc.record({ facts, seen, rungs, overrides, waivers, grants });

function policyOf(at: Rungs, list: readonly unknown[]): Readonly<Record<string, unknown>> {
  return {
    ...Object.fromEntries(
      Object.entries(LADDERS).map(([key, ladder]) => [key, ladder[at[key as keyof Rungs]]]),
    ),
    publisherDowngrade: { verdict: ["allow", "warn", "deny"][at.downgrade], window: WINDOWS[at.window] },
    observe: [["minimumAge", "unknownAge", "yanked"], ["yanked"], []][at.observe],
    overrides: list,
  };
}

function shown(decisions: Decisions, of: PackageFacts): readonly string[] {
  return of.releases.map(({ version }) => version).filter((version) => {
    const decision = decisions.release(version);
    return decision !== null && permits(decision);
  });
}

function decide(words: Case, now: EpochMs = NOW): Decisions {
  return decided({ ...words, policy: policyOf(words.rungs, words.overrides), now });
}

function given<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function assertSubset(fewer: readonly string[], more: readonly string[]): void {
  const added = fewer.filter((version) => !more.includes(version));
  assert.deepEqual(added, [], "shown although the policy is stricter");
}

Deno.test("decide: a stricter policy never shows more", () => {
  const stricter = fc.tuple(cases, rungs).map(([words, other]) => {
    const raised = Object.fromEntries(
      Object.entries(words.rungs).map(([key, rung]) => [key, Math.max(rung, other[key as keyof Rungs])]),
    ) as unknown as Rungs;
    return { words, raised };
  });
  fc.assert(
    fc.property(
      stricter,
      ({ words, raised }) =>
        assertSubset(
          shown(decide({ ...words, rungs: raised }), words.facts),
          shown(decide(words), words.facts),
        ),
    ),
    { numRuns: 1500 },
  );
});

Deno.test("decide: an added denial never adds a release", () => {
  fc.assert(
    fc.property(cases, denial, fc.nat(5), (words, added, place) => {
      const more = words.overrides.toSpliced(place, 0, added);
      assertSubset(
        shown(decide({ ...words, overrides: more }), words.facts),
        shown(decide(words), words.facts),
      );
    }),
    { numRuns: 1500 },
  );
});

Deno.test("decide: a denial in the floor is never shown, whatever the organisation says", () => {
  fc.assert(fc.property(cases, (words) => {
    const decisions = decided({
      ...words,
      floor: { deny: ["npm/pkg==1.0.0"] },
      policy: policyOf(words.rungs, words.overrides),
    });
    assert.ok(!shown(decisions, words.facts).includes("1.0.0"));
  }));
});

Deno.test("decide: same arguments, same answer, whatever is asked first", () => {
  fc.assert(fc.property(cases, (words) => {
    const [one, other] = [decide(words), decide(words)];
    const versions = words.facts.releases.map(({ version }) => version);
    const forwards = versions.map((version) => one.release(version));
    const backwards = versions.toReversed().map((version) => other.release(version)).toReversed();
    assert.deepEqual(forwards, backwards);
    assert.deepEqual([one.horizon, one.allowedUntil], [other.horizon, other.allowedUntil]);
  }));
});

Deno.test("Decision.horizon: before it no verdict changes by time alone", () => {
  const allSeen = (words: Case): Case => ({
    ...words,
    seen: Object.fromEntries(
      VERSIONS.map((
        version,
      ) => [`pkg-${version}.tgz`, words.seen?.[`pkg-${version}.tgz`] ?? { at: NOW, original: false }]),
    ),
  });
  fc.assert(
    fc.property(cases.map(allSeen), fc.integer({ min: 1, max: 60 * 24 }), (words, hours) => {
      const now = decide(words);
      const later = epochMs(NOW + hours * HOUR - 1);
      const then = decide(words, later);
      for (const { version } of words.facts.releases) {
        const [before, after] = [now.artifact(`pkg-${version}.tgz`), then.artifact(`pkg-${version}.tgz`)];
        if (before?.horizon !== null && (before?.horizon ?? 0) <= later) continue;
        assert.deepEqual(
          [after?.verdict, after?.enforcedVerdict],
          [before?.verdict, before?.enforcedVerdict],
          `${version} changed before ${before?.horizon}`,
        );
      }
    }),
    { numRuns: 1500 },
  );
});

Deno.test("Decisions: what is kept until horizon and allowedUntil is right until then", () => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 60 * 24 }), (words, hours) => {
      const now = decide(words);
      const later = epochMs(NOW + hours * HOUR - 1);
      if ([now.horizon, now.allowedUntil].some((end) => end !== null && end <= later)) return;
      const allSeen = words.facts.releases.every(({ version }) =>
        words.seen?.[`pkg-${version}.tgz`] !== undefined
      );
      if (!allSeen) return;
      assert.deepEqual(shown(decide(words, later), words.facts), shown(now, words.facts));
    }),
    { numRuns: 1500 },
  );
});

Deno.test("Decision.reasons: the verdict is that of a standing reason, and time lifts every hold", () => {
  fc.assert(fc.property(cases, (words) => {
    const decisions = decide({ ...words, rungs: { ...words.rungs, enforcement: 1, observe: 2 } });
    for (const { version } of words.facts.releases) {
      const decision = decisions.release(version);
      const standing = decision?.reasons.filter(({ liftedBy }) => liftedBy === undefined) ?? [];
      assert.equal(standing[0]?.verdict ?? "allow", decision?.verdict);
      assert.ok(decision?.reasons.every(({ verdict, horizon }) => verdict !== "hold" || horizon !== null));
      if (decision?.verdict === "hold") assert.ok(decision.horizon !== null && decision.horizon > NOW);
    }
  }));
});

const past = fc.integer({ min: 1, max: 45 * 24 * 60 }).map((minutes) => epochMs(NOW - minutes * 60_000));

Deno.test("decide as of an instant: never shows what is not shown now, nor what came later", () => {
  fc.assert(
    fc.property(cases, past, (words, asOf) => {
      const then = shown(decide({ ...words, asOf }), words.facts);
      assertSubset(then, shown(decide(words), words.facts));
      for (const { version, artifacts } of words.facts.releases) {
        const published = artifacts[0]?.publishedAt;
        const isLater = published?.known === true && published.value.clock === "registry" &&
          published.value.at > asOf && published.value.at <= NOW;
        assert.ok(!isLater || !then.includes(version), `${version} was not there`);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("decide as of now is decide, and so is any later instant", () => {
  fc.assert(fc.property(cases, fc.nat(1_000), (words, ahead) => {
    const [now, then] = [decide(words), decide({ ...words, asOf: epochMs(NOW + ahead) })];
    for (const { version } of words.facts.releases) {
      assert.deepEqual(then.release(version), now.release(version));
    }
    assert.deepEqual([then.horizon, then.allowedUntil], [now.horizon, now.allowedUntil]);
  }));
});

Deno.test("changes: as of all instants between two of them the same is decided", () => {
  fc.assert(
    fc.property(cases, past, (words, asOf) => {
      const all = changesIn({ ...words, policy: policyOf(words.rungs, words.overrides) });
      const last = all.findLast((change) => change <= asOf) ?? epochMs(NOW - 400 * DAY);
      const [here, there] = [decide({ ...words, asOf }), decide({ ...words, asOf: last })];
      for (const { version } of words.facts.releases) {
        assert.deepEqual(here.release(version), there.release(version), `${version} since ${last}`);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("the test's version scheme: a total order", () => {
  const version = fc.oneof(
    fc.constantFrom(...VERSIONS),
    fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom("", "-a", "-a.1", "-1", "+b")).map((
      [a, b, c, d],
    ) => `${a}.${b}.${c}${d}`),
    fc.string({ maxLength: 4 }),
  );
  fc.assert(fc.property(version, version, version, (a, b, c) => {
    assert.equal(Math.sign(SCHEME.compare(a, b)), -Math.sign(SCHEME.compare(b, a)) + 0);
    assert.equal(SCHEME.compare(a, a), 0);
    if (SCHEME.compare(a, b) <= 0 && SCHEME.compare(b, c) <= 0) assert.ok(SCHEME.compare(a, c) <= 0);
  }));
});

Deno.test("decide: a release a hundred days old under the default policy is shown", () => {
  // Guards the properties above against a decide() that shows nothing.
  assert.deepEqual(
    shown(
      decided({ facts: packageOf({ "1.0.0": { published: ago(100 * DAY) } }) }),
      packageOf({ "1.0.0": {} }),
    ),
    ["1.0.0"],
  );
});
