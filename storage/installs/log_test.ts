import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { NOW, sampleRecord } from "../../tests/suites/install_log.ts";
import { createBackground } from "../background.ts";
import { foldInstalls } from "./fold.ts";
import { foldLag } from "./lag.ts";
import { createInstallLog, type InstallLogOptions } from "./log.ts";
import { createInstallQueries } from "./queries.ts";

interface Bench {
  now: number;
  readonly options: InstallLogOptions;
  readonly files: () => string[];
  indexed(): Promise<number>;
}

async function withPlace(run: (bench: Bench) => Promise<void>): Promise<void> {
  const journal = await Deno.makeTempDir();
  const kv = await Deno.openKv(":memory:");
  const clock = () => bench.now as EpochMs;
  const log = () => {};
  const bench: Bench = {
    now: NOW,
    options: { kv, journal, clock, log, instance: "test", random: () => 0.5 },
    files: () => Array.from(Deno.readDirSync(journal), ({ name }) => name),
    indexed: async () => (await createInstallQueries({ kv, clock }).count())[0]?.installs ?? -1,
  };
  try {
    await run(bench);
  } finally {
    kv.close();
    await Deno.remove(journal, { recursive: true });
  }
}

Deno.test("createInstallLog folds in the background now and then, by its clock", () =>
  withPlace(async (bench) => {
    const background = createBackground({ log: (_, message) => assert.fail(message) });
    const log = createInstallLog({ ...bench.options, background, foldEveryMs: 5_000 });
    await log.append(sampleRecord());
    await background.drain(1_000);
    assert.equal(await bench.indexed(), 0);
    bench.now += 5_000;
    await log.append(sampleRecord());
    await background.drain(1_000);
    assert.ok(await bench.indexed() >= 1);
    await log.close();
  }));

Deno.test("createInstallLog ends and deletes a folded journal file after a while, and begins another", () =>
  withPlace(async (bench) => {
    const log = createInstallLog(bench.options);
    await log.append(sampleRecord());
    await log.fold();
    assert.equal(bench.files().length, 1);
    bench.now += 600_000;
    await log.fold();
    assert.deepEqual(bench.files(), []);
    await log.append(sampleRecord());
    assert.equal(bench.files().length, 1);
    await log.fold();
    assert.equal(await bench.indexed(), 2);
    await log.close();
  }));

Deno.test("createInstallLog's fold covers all that was appended before it was called", () =>
  withPlace(async (bench) => {
    const log = createInstallLog(bench.options);
    for (let round = 1; round <= 5; round += 1) {
      const early = log.fold();
      const appended = log.append(sampleRecord());
      await log.fold();
      assert.equal(await bench.indexed(), round);
      await Promise.all([early, appended]);
    }
    await log.close();
  }));

Deno.test("createInstallLog's close writes out what waits; the next process folds it", () =>
  withPlace(async (bench) => {
    const log = createInstallLog(bench.options);
    const appended = Array.from({ length: 100 }, () => log.append(sampleRecord()));
    const folding = log.fold();
    await log.close();
    await Promise.all([...appended, folding]);
    await assert.rejects(log.append(sampleRecord()), { name: "StorageError" });
    const next = createInstallLog(bench.options);
    await next.fold();
    assert.equal(await bench.indexed(), 100);
    assert.deepEqual(bench.files(), []);
    await next.close();
  }));

for (const driver of ["a journal", "segments"]) {
  Deno.test(`foldInstalls of ${driver} ends although more is appended all the time, with all that was there at first`, async () => {
    using kv = await Deno.openKv(":memory:");
    const journal = driver === "a journal" ? await Deno.makeTempDir({ prefix: "sluice-fold-" }) : null;
    const deps = { kv, journal, clock: () => NOW, log: () => {} };
    const installs = createInstallLog({ ...deps, instance: "test", random: Math.random });
    for (let i = 0; i < 5; i++) await installs.append(sampleRecord());
    let rounds = 0;
    const busy = new Proxy(kv, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (property !== "get") return typeof value === "function" ? value.bind(target) : value;
        return async (key: Deno.KvKey) => {
          if (key[1] === "head" && ++rounds > 10) throw new Error("it goes on and on");
          if (key[1] === "head") await installs.append(sampleRecord());
          return await target.get(key);
        };
      },
    });
    await foldInstalls({ ...deps, kv: busy });
    const lag = await foldLag(deps, NOW);
    assert.ok(rounds <= 2 && lag.segments <= 1, `${rounds} rounds`);
    const [counted] = await createInstallQueries(deps).count();
    assert.equal(counted?.installs, 5 + rounds);
    await installs.close();
    if (journal !== null) await Deno.remove(journal, { recursive: true });
  });
}
