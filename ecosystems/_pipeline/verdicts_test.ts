import assert from "node:assert/strict";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import type { EpochMs, PackageFacts } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { realTimers } from "../../storage/timers.ts";
import { npm } from "../npm/npm.ts";
import type { Known } from "./services.ts";
import { createVerdictCache, verdictsOn } from "./verdicts.ts";

const NOW = Date.UTC(2026, 5, 1) as EpochMs;
const DAY = 86_400_000;
const UNKNOWN = { known: false, why: "absent" } as const;

/** Of one package whose newest release is a day old. */
function knownPackage(): Known {
  const facts: PackageFacts = {
    purlType: "npm",
    name: "left-pad",
    releases: [400, 1].map((age, index) => ({
      version: `1.${index}.0`,
      artifacts: [{
        filename: `left-pad-1.${index}.0.tgz`,
        digests: [],
        sizeBytes: null,
        publishedAt: { known: true, value: { at: NOW - age * DAY as EpochMs, clock: "registry" } },
        yanked: UNKNOWN,
        trust: UNKNOWN,
        url: null,
      }],
      deprecated: UNKNOWN,
      licence: UNKNOWN,
      runsCodeOnInstall: UNKNOWN,
      publisher: UNKNOWN,
    })),
  };
  return {
    key: {
      ecosystem: "npm",
      upstreamId: "registry-1",
      scope: "public",
      subject: "package",
      name: "left-pad",
    },
    record: { v: 1, absent: false, documents: [], factsDigest: "", checkedAt: NOW },
    versionstamp: "1",
    facts,
    firstSeen: null,
    layout: { value: null },
    copy: { checkedAt: NOW, freshMs: 3_600_000 },
    revision: "1",
    sizeBytes: 4_000,
  };
}

function organisation(id: string): OrganisationView {
  const [policy, floor] = [parsePolicy({ minimumAge: "10d" }), parseFloor({})];
  assert.ok(policy.ok && floor.ok);
  const decisionKey = new Uint8Array(32);
  return {
    id,
    life: "1",
    stamp: "1",
    revision: 1,
    policy: policy.document,
    floor: floor.document,
    waivers: [],
    freezes: [],
    snapshots: [],
    decisionKey,
  };
}

Deno.test("verdictsOn decides anew once a clock that ran ahead was set back", async () => {
  const cache = createVerdictCache(2 ** 20);
  const asked = {
    known: knownPackage(),
    organisation: organisation("acme"),
    ecosystem: npm,
    grants: new Set<string>(),
    timers: realTimers,
  };
  const ahead = await verdictsOn(cache, { ...asked, now: NOW + 30 * DAY as EpochMs });
  assert.equal(ahead.decisions.release("1.1.0")?.verdict, "allow");
  const back = await verdictsOn(cache, { ...asked, now: NOW });
  assert.equal(back.decisions.release("1.1.0")?.verdict, "hold");
  assert.equal(await verdictsOn(cache, { ...asked, now: NOW + 1 as EpochMs }), back, "kept");
});

Deno.test("verdictsOn keeps the decisions of any number of organisations within its bound", async () => {
  const cache = createVerdictCache(20_000);
  const known = knownPackage();
  for (let n = 0; n < 100; n++) {
    await verdictsOn(cache, {
      known,
      organisation: organisation(`org-${n}`),
      ecosystem: npm,
      grants: new Set(),
      timers: realTimers,
      now: NOW,
    });
  }
  assert.ok(cache.verdicts.size > 1 && cache.verdicts.sizeBytes <= 20_000, String(cache.verdicts.sizeBytes));
});

Deno.test("verdictsOn decides once for all who ask at the same time", async () => {
  const cache = createVerdictCache(2 ** 20);
  const asked = {
    known: knownPackage(),
    organisation: organisation("acme"),
    ecosystem: npm,
    grants: new Set<string>(),
    now: NOW,
    timers: realTimers,
  };
  const [first, ...others] = await Promise.all(Array.from({ length: 5 }, () => verdictsOn(cache, asked)));
  assert.ok(others.every((each) => each === first));
  const other = await verdictsOn(cache, { ...asked, known: knownPackage() });
  assert.notEqual(other, first);
  assert.equal(cache.pending.size, 0);
});
