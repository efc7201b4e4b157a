import assert from "node:assert/strict";
import {
  ago,
  DAY,
  HOUR,
  known,
  NOW,
  packageOf,
  type PolicyWords,
  type ReleaseWords,
  resolved,
} from "./testing.ts";
import type { EpochMs, FirstSeen, Joined, PackageFacts } from "./types.ts";

function examined(words: {
  readonly policy?: PolicyWords["policy"];
  readonly release?: ReleaseWords;
  readonly facts?: PackageFacts;
  readonly seen?: FirstSeen;
  readonly filename?: string;
}) {
  const facts = words.facts ?? packageOf({ "1.0.0": words.release ?? {} });
  const joined: Joined = { firstSeen: () => words.seen ?? null, grants: new Set(), digest: "" };
  const found = resolved({ policy: words.policy ?? {} }).examine(
    facts,
    joined,
    NOW,
    words.filename ?? "pkg-1.0.0.tgz",
  );
  return found === null ? null : Object.fromEntries(
    found.map((
      { rule, setting, facts },
    ) => [rule, [setting, ...facts.map(({ what, value }) => `${what}: ${value}`)]]),
  );
}

Deno.test("examine: every rule with its setting and what it was told", () => {
  const published = "published: 2026-11-21T08:00Z, by the registry's clock";
  assert.deepEqual(
    examined({
      policy: { minimumAge: "3d", observe: ["deprecated"], deprecated: "deny" },
      release: { published: ago(HOUR), yanked: true, trust: "provenance", deprecated: "use\nother" },
      seen: { at: ago(2 * HOUR), original: false },
    }),
    {
      yanked: ["deny", "yanked: yes"],
      publisherDowngrade: ["deny", published, "how: with provenance", "by: the registry does not say"],
      minimumAge: ["3 days", published, "first seen here: 2026-11-21T07:00Z"],
      unknownAge: ["first-seen, minimum age 3 days", published, "first seen here: 2026-11-21T07:00Z"],
      deprecated: ["deny, observed only", "deprecated: yes: use other"],
    },
  );
});

Deno.test("examine: what is not known is said to be so; a date that is none and a text without end throw nothing", () => {
  const facts = packageOf({ "1.0.0": { published: null, yanked: "malformed" } });
  const found = examined({ facts, seen: { at: ago(DAY), original: true } });
  assert.deepEqual(found?.yanked?.[1], "yanked: what the registry says cannot be read");
  assert.deepEqual(found?.unknownAge?.slice(1), [
    "published: the registry does not say",
    "first seen here: 2026-11-20T09:00Z, with its package",
  ]);
  const [release] = facts.releases;
  const [artifact] = release!.artifacts;
  for (const at of [NaN, Infinity, 9e15, 1e300, 0.5]) {
    const odd = {
      ...facts,
      releases: [{
        ...release!,
        deprecated: known("x".repeat(5_000)),
        artifacts: [{ ...artifact!, publishedAt: known({ at: at as EpochMs, clock: "publisher" as const }) }],
      }],
    };
    const texts = examined({ facts: odd });
    assert.ok(texts?.deprecated?.every((text) => text.length < 320), String(at));
  }
  assert.equal(examined({ filename: "nothing.tgz" }), null);
});
