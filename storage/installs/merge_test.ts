import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { NOW, sampleRecord } from "../../tests/suites/install_log.ts";
import { createInstallLog, type InstallRecord } from "./log.ts";
import { openLogMerge } from "./merge.ts";
import { createInstallQueries } from "./queries.ts";
import { forgetUser } from "./retention.ts";

const DAY = 86_400_000;

interface Place extends AsyncDisposable {
  readonly kv: Deno.Kv;
  append(records: readonly InstallRecord[], folded?: "folded"): Promise<void>;
  /** Takes the other's entries, in KV's own order or another. */
  join(
    other: Deno.Kv,
    order?: (keys: Deno.KvEntry<unknown>[]) => Deno.KvEntry<unknown>[],
  ): Promise<number | null>;
  /** Of everything that may be asked, whatever has to do with counts. */
  answers(): Promise<unknown>;
}

async function createPlace(): Promise<Place> {
  const kv = await Deno.openKv(":memory:");
  const journal = await Deno.makeTempDir({ prefix: "sluice-merge-" });
  const deps = { kv, journal, clock: () => NOW, log: () => {} };
  const installs = createInstallLog({ ...deps, instance: "test", random: Math.random });
  const queries = createInstallQueries(deps);
  return {
    kv,
    async append(records, folded) {
      for (const record of records) await installs.append(record);
      if (folded !== undefined) await installs.fold();
    },
    async join(other, order = (entries) => entries) {
      const entries = await Array.fromAsync(other.list<unknown>({ prefix: ["installs"] }));
      const merge = await openLogMerge<{ key: Deno.KvKey; value: unknown }>(
        deps,
        async ({ key, value }) => void await kv.set(key, value),
      );
      for (const entry of order(entries)) await merge.add(entry);
      return await merge.end();
    },
    async answers() {
      return [
        await queries.who("left-pad"),
        await queries.user("ana"),
        await queries.packages(),
        await queries.count({}, "day"),
        await queries.refused(),
        await Array.fromAsync(queries.export()),
      ];
    },
    async [Symbol.asyncDispose]() {
      await installs.close();
      kv.close();
      await Deno.remove(journal, { recursive: true });
    },
  };
}

/** Where a file that is read breaks off. */
const CUT_OFF: Deno.KvEntry<unknown> = {
  get key(): Deno.KvKey {
    throw new Error("cut off");
  },
  value: null,
  versionstamp: "",
};

/** Over some days, users and outcomes. */
function recordsOf(name: string, count: number): InstallRecord[] {
  return Array.from({ length: count }, (_, i) =>
    sampleRecord({
      id: `${name}-${i}`,
      at: NOW - (i % 5) * DAY - i * 1_000 as EpochMs,
      user: ["ana", "bob", null][i % 3]!,
      version: `1.${i % 4}.0`,
      outcome: i % 7 === 0 ? "refused" : "served",
    }));
}

Deno.test("openLogMerge: what either log has is there once, as if all of it had been written to one", async () => {
  await using whole = await createPlace();
  await using here = await createPlace();
  await using there = await createPlace();
  const [both, mine, theirs] = [recordsOf("both", 60), recordsOf("mine", 50), recordsOf("theirs", 40)];
  await whole.append([...both, ...mine, ...theirs], "folded");
  await here.append(both, "folded");
  await here.append(mine);
  await there.append([...theirs.slice(0, 30), ...both], "folded");
  await there.append(theirs.slice(30), "folded");
  const wanted = await whole.answers();
  assert.equal(await here.join(there.kv), 40);
  assert.deepEqual(await here.answers(), wanted);
  // Once more, and the other way round.
  assert.equal(await here.join(there.kv, (entries) => entries.reverse()), 0);
  assert.deepEqual(await here.answers(), wanted);
  assert.equal(await there.join(here.kv), 50);
  assert.deepEqual(await there.answers(), wanted);
});

Deno.test("openLogMerge: an empty log becomes the other, indexes and all; one that was cut off is begun anew", async () => {
  await using here = await createPlace();
  await using there = await createPlace();
  await there.append(recordsOf("theirs", 100), "folded");
  for (const part of [3, 20, 40]) {
    await assert.rejects(here.join(there.kv, (entries) => [...entries.slice(0, part), CUT_OFF]), /cut off/);
  }
  assert.equal(await here.join(there.kv), null);
  assert.deepEqual(await here.answers(), await there.answers());
  const left = await Array.fromAsync(here.kv.list({ prefix: ["installs"] }), ({ key }) => String(key[1]));
  assert.ok(!left.includes("copying") && !left.includes("parked") && !left.includes("segment"), left.join());
  await here.append(recordsOf("later", 3), "folded");
  assert.equal(await here.join(there.kv), 0);
});

Deno.test("openLogMerge: one that was cut off while it added is joined again", async () => {
  await using whole = await createPlace();
  await using here = await createPlace();
  await using there = await createPlace();
  const [mine, theirs] = [recordsOf("mine", 5), recordsOf("theirs", 600)];
  await whole.append([...mine, ...theirs], "folded");
  await here.append(mine, "folded");
  await there.append(theirs, "folded");
  const some = (
    entries: Deno.KvEntry<unknown>[],
  ) => [...entries.filter(({ key }) => key[1] === "log").slice(0, 4), CUT_OFF];
  await assert.rejects(here.join(there.kv, some), /cut off/);
  const added = await here.join(there.kv);
  assert.ok(added !== null && added > 0 && added < 600, String(added));
  assert.deepEqual(await here.answers(), await whole.answers());
});

Deno.test("openLogMerge: lines that the other had folded when it was read, and also not yet, count once", async () => {
  await using here = await createPlace();
  await using there = await createPlace();
  const records = recordsOf("theirs", 20);
  const kv = await Deno.openKv(":memory:");
  const segments = createInstallLog({
    kv,
    journal: null,
    instance: "segments",
    clock: () => NOW,
    log: () => {},
    random: Math.random,
  });
  for (const record of records) await segments.append(record);
  const unfolded = await Array.fromAsync(kv.list<unknown>({ prefix: ["installs"] }));
  await segments.close();
  kv.close();
  await there.append(records, "folded");
  assert.equal(await here.join(there.kv, (entries) => [...unfolded, ...entries]), null);
  assert.deepEqual(await here.answers(), await there.answers());
});

Deno.test("openLogMerge: who was forgotten on either side stays forgotten", async () => {
  await using here = await createPlace();
  await using there = await createPlace();
  const records = recordsOf("both", 30);
  await here.append(records, "folded");
  await there.append(records, "folded");
  const deps = { kv: here.kv, journal: null, clock: () => NOW, log: () => {} };
  await forgetUser(deps, { organisation: "default", user: "ana" });
  assert.equal(await here.join(there.kv), 0);
  await using fresh = await createPlace();
  const names = (entries: Deno.KvEntry<unknown>[]) => entries.filter(({ key }) => key[1] === "forgotten");
  assert.equal(await fresh.join(here.kv, names), null);
  assert.equal(await fresh.join(there.kv), 30);
  for (const place of [here, fresh]) {
    const text = JSON.stringify(await place.answers());
    assert.ok(!text.includes("ana") && text.includes("bob"));
  }
});
