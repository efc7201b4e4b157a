import assert from "node:assert/strict";
import { parseFloor, parsePolicy, type PolicyDocument } from "../../policy/config.ts";
import { at, packageOf } from "../../policy/testing.ts";
import type { EpochMs, PackageFacts } from "../../policy/types.ts";
import type { AskedLately } from "../../storage/asked.ts";
import { createInstallDetail } from "../../storage/installs/detail.ts";
import { createInstallLog, type InstallRecord } from "../../storage/installs/log.ts";
import { createInstallQueries } from "../../storage/installs/queries.ts";
import { encodeFacts, factsDigest } from "../../storage/kv/facts_codec.ts";
import { createPackages, type PackageKey, type PackageRecord } from "../../storage/kv/packages.ts";
import { withMemoryKv } from "../../storage/kv/test_support.ts";
import { createByteCache } from "../../storage/memory.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import { realTimers } from "../../storage/timers.ts";
import { ECOSYSTEMS } from "../mod.ts";
import { createPreview, type PreviewLimits } from "./preview.ts";
import type { Known, Services } from "./services.ts";

const NOW = at("2026-06-01T12:00:00Z");
const DAY_MS = 86_400_000;
const UPSTREAM = { id: "registry-1", scope: "public" };

function read(source: unknown): PolicyDocument {
  const parsed = parsePolicy(source);
  assert.ok(parsed.ok);
  return parsed.document;
}

function view(): OrganisationView {
  const floor = parseFloor({});
  assert.ok(floor.ok);
  return {
    id: "acme",
    life: "1",
    stamp: "1",
    revision: 1,
    policy: read({}),
    floor: floor.document,
    waivers: [],
    freezes: [],
    snapshots: [],
    decisionKey: new Uint8Array(32),
  };
}

/** Three packages, `a` asked for last, each with a release of 20 days that ada has. */
async function withPreview(
  limits: PreviewLimits,
  work: (preview: ReturnType<typeof createPreview>) => Promise<void>,
  asked: AskedLately = { packages: [], isCut: false },
): Promise<void> {
  await withMemoryKv(async (kv) => {
    const clock = () => NOW;
    const packages = createPackages(kv);
    const log = createInstallLog({
      kv,
      journal: null,
      instance: "t",
      clock,
      log: () => {},
      random: () => 0.5,
    });
    for (const [index, name] of ["c", "b", "a"].entries()) {
      if (name !== "c") await keep(packages, name);
      const instant = NOW - (3 - index) * DAY_MS as EpochMs;
      await log.append({ ...RECORD, id: name, package: name, at: instant });
    }
    await log.close();
    const services = {
      ecosystems: ECOSYSTEMS,
      clock,
      timers: realTimers,
      packages,
      known: createByteCache<Known>({ maxBytes: 0, sizeOf: () => 1 }),
      upstreams: { choose: () => UPSTREAM },
    } as unknown as Services;
    const place = { kv, journal: null, clock };
    await work(createPreview({
      services,
      queries: createInstallQueries(place),
      asked: { read: () => Promise.resolve(asked) },
      detail: () => createInstallDetail(place),
      limits,
    }));
  });
}

async function keep(packages: ReturnType<typeof createPackages>, name: string): Promise<void> {
  const key: PackageKey = {
    ecosystem: "npm",
    upstreamId: UPSTREAM.id,
    scope: UPSTREAM.scope,
    subject: "package",
    name,
  };
  const facts: PackageFacts = {
    ...packageOf(
      { "1.0.0": { published: NOW - 20 * DAY_MS as EpochMs } },
      name,
    ),
    purlType: "npm",
  };
  const digest = factsDigest(encodeFacts(facts));
  const record: PackageRecord = { v: 1, absent: false, documents: [], factsDigest: digest, checkedAt: NOW };
  assert.ok(await packages.commit(key, { record, facts, layout: null }, null));
}

const RECORD: Omit<InstallRecord, "at" | "package" | "id"> = {
  organisation: "acme",
  user: "ada",
  address: "192.0.2.1",
  client: "npm",
  clientVersion: "11",
  ecosystem: "npm",
  version: "1.0.0",
  file: "f.tgz",
  digest: "",
  bytes: 1,
  cache: "hit",
  outcome: "served",
  rule: "",
  decisionId: "",
};
const STRICTER = { organisation: view(), draft: read({ minimumAge: "30d" }) };

Deno.test("createPreview: what is not cached is said, and everything else decided", () =>
  withPreview({ packages: 9, ms: 60_000, waiting: 3 }, async (preview) => {
    const found = await preview(STRICTER);
    assert.deepEqual(found?.packages, { looked: 3, of: 3, uncached: 1, more: false });
    assert.deepEqual(found?.refused.releases.map((each) => [each.package, each.rule, each.times]), [
      ["a", "minimumAge", 1],
      ["b", "minimumAge", 1],
    ]);
  }));

Deno.test("createPreview: at its bounds it stops, the last asked for first, and says how far it came", async () => {
  await withPreview({ packages: 1, ms: 60_000, waiting: 3 }, async (preview) => {
    const found = await preview(STRICTER);
    assert.deepEqual(found?.packages, { looked: 1, of: 3, uncached: 0, more: false });
    assert.deepEqual(found?.refused.releases.map((each) => each.package), ["a"]);
    // What a change cannot concern costs nothing, and counts as looked at.
    const block = await preview({ ...STRICTER, draft: read({ block: ["npm/b"] }) });
    assert.deepEqual([block?.packages.looked, block?.refused.releases[0]?.package], [3, "b"]);
  });
  await withPreview({ packages: 9, ms: 0, waiting: 3 }, async (preview) => {
    assert.deepEqual((await preview(STRICTER))?.packages, { looked: 0, of: 3, uncached: 0, more: false });
  });
});

Deno.test("createPreview: what was asked for by its index alone is looked at too, each package once, the last first", () => {
  const names = ["a", "b", "d"];
  const ago = (days: number) => NOW - days * DAY_MS as EpochMs;
  const packages = names.map((name, days) => ({ ecosystem: "npm", name, at: ago(days) }));
  const old = { ecosystem: "npm", name: "e", at: ago(31) };
  return withPreview({ packages: 9, ms: 60_000, waiting: 3 }, async (preview) => {
    const found = await preview(STRICTER);
    assert.deepEqual(found?.packages, { looked: 4, of: 4, uncached: 2, more: true });
    const letGo = await preview({
      organisation: { ...view(), policy: read({ minimumAge: "30d" }) },
      draft: read({ minimumAge: "0d" }),
    });
    assert.deepEqual(letGo?.letGo.releases.map((each) => each.package), ["a", "b"]);
  }, { packages: [...packages, old], isCut: true });
});

Deno.test("createPreview: one after the other, and none where too many wait", () =>
  withPreview({ packages: 9, ms: 60_000, waiting: 2 }, async (preview) => {
    const found = await Promise.all([preview(STRICTER), preview(STRICTER), preview(STRICTER)]);
    assert.deepEqual(found.map((each) => each?.refused.times ?? null), [2, 2, null]);
    assert.notEqual(await preview(STRICTER), null);
  }));
