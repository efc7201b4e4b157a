import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { EpochMs, PackageFacts, Waiver } from "../policy/types.ts";
import { blobKey } from "./artifacts/key.ts";
import { createMemoryStore } from "./artifacts/memory.ts";
import type { ArtifactStore, BlobKey } from "./artifacts/store.ts";
import { backup, restore } from "./backup.ts";
import { type BackupWriter, writeBackupFile } from "./backup_file.ts";
import { IntegrityError, StorageError } from "./errors.ts";
import { sampleRecord } from "../tests/suites/install_log.ts";
import { createInstallLog } from "./installs/log.ts";
import { createInstallQueries } from "./installs/queries.ts";
import { sha256Hex } from "./kv/chunks.ts";
import { encodeFacts, factsDigest } from "./kv/facts_codec.ts";
import { createJobs } from "./kv/jobs.ts";
import { migrate } from "./kv/kv.ts";
import { createPackages, type PackageKey, type PackageRecord } from "./kv/packages.ts";
import { noise, testClock, testLog, testOrganisations, testTimers } from "./kv/test_support.ts";

const MAX = 100_000_000;

async function withKvs(test: (from: Deno.Kv, to: Deno.Kv) => Promise<void>): Promise<void> {
  const [from, to] = [await Deno.openKv(":memory:"), await Deno.openKv(":memory:")];
  try {
    await test(from, to);
  } finally {
    from.close();
    to.close();
  }
}

/** A file in memory. */
function file() {
  const chunks: Uint8Array[] = [];
  let aborted = false;
  const out = new WritableStream<Uint8Array>({
    write: (chunk) => void chunks.push(chunk.slice()),
    abort: () => void (aborted = true),
  });
  const bytes = () => new Uint8Array(Buffer.concat(chunks));
  return { out, bytes, aborted: () => aborted };
}

function opening(bytes: Uint8Array): () => Promise<ReadableStream<Uint8Array>> {
  return () => Promise.resolve(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream());
}

async function everything(kv: Deno.Kv): Promise<unknown[]> {
  const found = [];
  for await (const { key, value } of kv.list({ prefix: [] })) found.push([key, value]);
  return found;
}

const packageKey: PackageKey = {
  ecosystem: "npm",
  upstreamId: "registry-1",
  scope: "public",
  subject: "package",
  name: "left-pad",
};

async function commitPackage(kv: Deno.Kv, seed: number, expected: string | null): Promise<PackageRecord> {
  const absent = { known: false, why: "absent" } as const;
  const facts: PackageFacts = {
    purlType: "npm",
    name: "left-pad",
    releases: Array.from({ length: 2_000 }, (_, i) => ({
      version: `1.0.${i}`,
      artifacts: [{
        filename: `left-pad-1.0.${i}.tgz`,
        digests: [{ algorithm: "sha256", hex: noise(32, seed * 10_000 + i).toHex() }],
        sizeBytes: i,
        publishedAt: absent,
        yanked: absent,
        trust: absent,
        url: null,
      }],
      deprecated: absent,
      licence: absent,
      runsCodeOnInstall: absent,
      publisher: absent,
    })),
  };
  const record: PackageRecord = {
    v: 1,
    absent: false,
    documents: [],
    factsDigest: factsDigest(encodeFacts(facts)),
    checkedAt: 1_000 as EpochMs,
  };
  await createPackages(kv).commit(packageKey, { record, facts, layout: null }, expected);
  return record;
}

Deno.test("backup and restore carry all of KV, of every type, into an empty store", () =>
  withKvs(async (from, to) => {
    const clock = testClock();
    await migrate(from);
    const organisations = testOrganisations(from, clock);
    await organisations.create("acme", { author: "ann", source: { minimumAge: "3d" } });
    const record = await commitPackage(from, 1, null);
    const u64 = new Deno.KvU64(7n);
    const values = [
      undefined,
      5n,
      new Date(5),
      new Uint8Array([1, 2]),
      { $: "x", m: new Map([[1, "\ud800"]]) },
      u64,
      -0,
    ];
    for (const [i, value] of values.entries()) await from.set(["kept", i], value);
    await from.set(["leases", "fold"], { held: true });

    const { out, bytes } = file();
    const counts = await backup(from, out, { clock });
    await migrate(to);
    const result = await restore(to, opening(bytes()), { clock });
    assert.equal(result.entries, counts.entries);
    assert.equal(result.createdAt, new Date(clock()).toISOString());

    const keep = (entries: unknown[]) =>
      entries.filter((entry) =>
        !/^\["(leases|stamp|organisations_stamp|restore)/.test(JSON.stringify((entry as [unknown])[0]))
      );
    assert.deepEqual(keep(await everything(to)), keep(await everything(from)));
    assert.deepEqual((await testOrganisations(to, clock).get("acme"))?.source, { minimumAge: "3d" });
    assert.equal((await createPackages(to).facts(packageKey, record))?.releases.length, 2_000);
    assert.equal((await to.get(["leases", "fold"])).value, null);
    await migrate(to);
  }));

Deno.test("restore keeps the ends of what ends, and jobs due", () =>
  withKvs(async (from, to) => {
    const clock = testClock();
    const deps = { clock, log: testLog(), timers: testTimers() };
    await createJobs({ ...deps, kv: from }).enqueue({ kind: "mail", key: "a", payload: 1, keepKeyMs: 5_000 });
    await from.set(["decisions", "a"], { expiresAt: clock() + 1_000 });
    await from.set(["decisions", "b"], { expiresAt: clock() + 1_000_000 });
    const { out, bytes } = file();
    await backup(from, out, { clock });
    clock.advance(1_000);
    await restore(to, opening(bytes()), { clock });
    assert.equal((await to.get(["decisions", "a"])).value, null);
    assert.notEqual((await to.get(["decisions", "b"])).value, null);
    const jobs = createJobs({ ...deps, kv: to });
    assert.equal(await jobs.enqueue({ kind: "mail", key: "a", payload: 2 }), null);
    assert.equal((await jobs.runDue({ mail: () => Promise.resolve() })).done, 1);
  }));

Deno.test("backup beside a writer: every package in it is whole", () =>
  withKvs(async (from, to) => {
    const clock = testClock();
    await commitPackage(from, 1, null);
    for (let i = 0; i < 50; i++) await from.set(["a", i], noise(60_000, i + 1));
    let writing = true;
    let commits = 0;
    const writer = (async () => {
      const packages = createPackages(from);
      while (writing) {
        const { versionstamp } = (await packages.get(packageKey))!;
        await commitPackage(from, ++commits + 1, versionstamp);
      }
    })();
    for (let i = 0; i < 3; i++) {
      const { out, bytes } = file();
      await backup(from, out, { clock });
      await restore(to, opening(bytes()), { clock, replace: true });
      const packages = createPackages(to);
      const held = await packages.get(packageKey);
      assert.equal((await packages.facts(packageKey, held!.record))?.releases.length, 2_000);
    }
    writing = false;
    await writer;
    assert.ok(commits > 1, String(commits));
  }));

Deno.test("backup and restore with artifacts carry each blob", () =>
  withKvs(async (from, to) => {
    const clock = testClock();
    const [source, target] = [createMemoryStore({ maxBytes: MAX }), createMemoryStore({ maxBytes: MAX })];
    const bodies = [new Uint8Array(), noise(1), noise(262_144), noise(1_000_001)];
    const keys: BlobKey[] = [];
    for (const body of bodies) keys.push((await source.put(body, { maxBytes: MAX })).key);
    await from.set(["a"], 1);
    const { out, bytes } = file();
    assert.deepEqual(await backup(from, out, { clock, artifacts: source }), { entries: 1, blobs: 4 });
    const result = await restore(to, opening(bytes()), { clock, artifacts: target });
    assert.deepEqual([result.blobs, result.blobsLeftOut], [4, 0]);
    for (const [i, key] of keys.entries()) assert.deepEqual(await target.read(key, MAX), bodies[i]);
    const without = await restore(to, opening(bytes()), { clock, replace: true });
    assert.deepEqual([without.blobs, without.blobsLeftOut], [0, 4]);
  }));

Deno.test("backup refuses a blob that is not what its name says, and aborts the file", () =>
  withKvs(async (from) => {
    const store = createMemoryStore({ maxBytes: MAX });
    const { key } = await store.put(noise(1_000), { maxBytes: MAX });
    const lying: ArtifactStore = {
      ...store,
      get: () =>
        Promise.resolve({
          key,
          sizeBytes: 1_000,
          body: new Blob([noise(1_000, 2) as Uint8Array<ArrayBuffer>]).stream(),
        }),
    };
    const { out, aborted } = file();
    await assert.rejects(backup(from, out, { clock: testClock(), artifacts: lying }), IntegrityError);
    assert.ok(aborted());
  }));

Deno.test("backup whose file cannot be written fails with what was said", () =>
  withKvs(async (from) => {
    for (let i = 0; i < 30; i++) await from.set(["a", i], noise(60_000, i + 1));
    const full = new WritableStream<Uint8Array>({
      write: () => {
        throw new Error("no space left on device");
      },
    });
    await assert.rejects(backup(from, full, { clock: testClock() }), /no space left/);
  }));

/** A whole file, with whatever is put into it. */
async function handWritten(put: (writer: BackupWriter) => Promise<void>, schema = 1): Promise<Uint8Array> {
  const { out, bytes } = file();
  const writer = await writeBackupFile(out, { schema, createdAt: "2026-11-21T09:00:00Z", artifacts: true });
  await put(writer);
  await writer.end();
  return bytes();
}

async function someBackup(from: Deno.Kv): Promise<Uint8Array> {
  const store = createMemoryStore({ maxBytes: MAX });
  await store.put(noise(5_000), { maxBytes: MAX });
  for (let i = 0; i < 20; i++) await from.set(["a", i], { text: noise(300, i + 1).toHex() });
  const { out, bytes } = file();
  await backup(from, out, { clock: testClock(), artifacts: store });
  return bytes();
}

async function gunzip(bytes: Uint8Array): Promise<string> {
  return await new Response(
    (await opening(bytes)()).pipeThrough(new DecompressionStream("gzip") as TransformStream),
  ).text();
}

async function gzip(text: string): Promise<Uint8Array> {
  return await new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

Deno.test("restore refuses a file cut off anywhere, and writes nothing", () =>
  withKvs(async (from, to) => {
    const bytes = await someBackup(from);
    for (let cut = 0; cut < bytes.byteLength; cut += Math.ceil(bytes.byteLength / 40)) {
      await assert.rejects(
        restore(to, opening(bytes.slice(0, cut)), { clock: testClock() }),
        SyntaxError,
        `cut at ${cut}`,
      );
    }
    const lines = (await gunzip(bytes)).split("\n");
    for (
      const shorter of [lines.slice(0, -2), lines.slice(0, 5), [], [...lines.slice(0, 3), ...lines.slice(4)]]
    ) {
      const again = await gzip(shorter.map((line) => line + "\n").join(""));
      await assert.rejects(restore(to, opening(again), { clock: testClock() }), SyntaxError);
    }
    assert.deepEqual(await everything(to), []);
  }));

Deno.test("restore refuses a file that was changed, is none, or is newer; and writes nothing", () =>
  withKvs(async (from, to) => {
    const text = await gunzip(await someBackup(from));
    const changed = [
      text.replace(/"text":"[0-9a-f]{2}/, '"text":"zz'),
      text.replace('"v":1', '"v":2'),
      text + '{"k":["late"],"v":1}\n',
      "{}\n",
      "hello\n",
    ];
    for (const each of changed) {
      assert.notEqual(each, text);
      await assert.rejects(restore(to, opening(await gzip(each)), { clock: testClock() }), SyntaxError);
    }
    await assert.rejects(
      restore(to, opening(new TextEncoder().encode(text)), { clock: testClock() }),
      SyntaxError,
    );
    const lines = text.split("\n");
    const blob = lines.findIndex((line) => line.startsWith('{"d"'));
    const other = lines.with(blob, JSON.stringify({ d: noise(5_000, 9).toBase64() })).join("\n");
    await assert.rejects(restore(to, opening(await gzip(other)), { clock: testClock() }), SyntaxError);
    assert.deepEqual(await everything(to), []);
  }));

Deno.test("restore refuses a whole file whose blob is not what its name says, or has no blob's name", () =>
  withKvs(async (_from, to) => {
    const key = blobKey(sha256Hex(noise(100)));
    const wrong: readonly [BlobKey, number, Uint8Array][] = [
      [key, 100, noise(100, 2)],
      [key, 100, noise(99)],
      [key, 99, noise(100)],
    ];
    for (const [name, size, data] of wrong) {
      const bytes = await handWritten(async (writer) => {
        await writer.blob(name, size);
        await writer.data(data);
        await writer.entry(["a"], 1);
      });
      await assert.rejects(restore(to, opening(bytes), { clock: testClock() }), IntegrityError);
    }
    for (const name of ["../../etc/passwd", "sha256/aa/bb"]) {
      const bytes = await handWritten((writer) => writer.blob(name as BlobKey, 1));
      await assert.rejects(restore(to, opening(bytes), { clock: testClock() }), /is no blob's name/);
    }
    const orphan = await handWritten((writer) => writer.data(noise(3)));
    await assert.rejects(restore(to, opening(orphan), { clock: testClock() }), /belongs to no blob/);
    assert.deepEqual(await everything(to), []);
  }));

Deno.test("restore refuses a backup of a newer schema", () =>
  withKvs(async (_from, to) => {
    const bytes = await handWritten(() => Promise.resolve(), 99);
    await assert.rejects(
      restore(to, opening(bytes), { clock: testClock() }),
      /version 99, and this program knows/,
    );
    assert.deepEqual(await everything(to), []);
  }));

Deno.test("restore refuses a store that is not empty; with replace it replaces all of it", () =>
  withKvs(async (from, to) => {
    const bytes = await someBackup(from);
    await to.set(["old"], 1);
    await assert.rejects(restore(to, opening(bytes), { clock: testClock() }), (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(
        error.message,
        /not empty, and a restore replaces all.*Nothing was changed.*add --replace/,
      );
      return true;
    });
    assert.deepEqual(await everything(to), [[["old"], 1]]);
    await restore(to, opening(bytes), { clock: testClock(), replace: true });
    assert.equal((await to.get(["old"])).value, null);
    assert.notEqual((await to.get(["a", 19])).value, null);
  }));

Deno.test("a restore broken off leaves a store that does not start, and is done again without replace", () =>
  withKvs(async (from, to) => {
    const bytes = await someBackup(from);
    let opened = 0;
    const failing = async () => {
      if (++opened === 1) return await opening(bytes)();
      const whole = (await opening(bytes)()).getReader();
      return new ReadableStream<Uint8Array>({
        async pull(controller) {
          controller.enqueue((await whole.read()).value!.slice(0, 3_000));
          controller.error(new Error("disk gone"));
        },
      });
    };
    await assert.rejects(restore(to, failing, { clock: testClock() }));
    await assert.rejects(migrate(to), /broken off/);
    await restore(to, opening(bytes), { clock: testClock() });
    await migrate(to);
    assert.notEqual((await to.get(["a", 19])).value, null);
  }));

Deno.test("restored waivers and floor are those of the backup", () =>
  withKvs(async (from, to) => {
    const clock = testClock();
    const organisations = testOrganisations(from, clock);
    await organisations.ensureDefault();
    await organisations.setFloor({ source: { deny: ["npm/left-pad: ALL"] }, author: "ann" });
    const waiver: Waiver = {
      id: "w",
      ecosystem: "npm",
      name: "a",
      version: "1",
      reason: "",
      owner: "",
      createdAt: clock(),
      until: clock() + 9_000 as EpochMs,
      kind: "granted",
    };
    await organisations.addWaiver("default", waiver);
    const before = await organisations.snapshot("default", null);
    const { out, bytes } = file();
    await backup(from, out, { clock });
    await restore(to, opening(bytes()), { clock });
    const after = await testOrganisations(to, clock).snapshot("default", null);
    assert.deepEqual({ ...after, stamp: "" }, { ...before, stamp: "" });
  }));

Deno.test("backup beside folds: its install log is of one moment, and no line is lost or counted twice", () =>
  withKvs(async (from, to) => {
    const now = () => Date.UTC(2026, 10, 21, 9, 30) as EpochMs;
    const deps = { kv: from, journal: null, clock: now, log: () => {} };
    const installs = createInstallLog({ ...deps, instance: "test", random: Math.random });
    let appended = 0;
    const append = () => installs.append(sampleRecord({ id: `r-${appended++}`, at: now() }));
    for (let i = 0; i < 300; i++) await append();
    const folds = (async () => {
      for (let i = 0; i < 100; i++) {
        await append();
        if (i % 20 === 0) await installs.fold();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    // As slow as a large store is.
    const slow = new Proxy(from, {
      get(target, property) {
        const value = Reflect.get(target, property, target);
        if (property !== "list") return typeof value === "function" ? value.bind(target) : value;
        return (selector: Deno.KvListSelector) => {
          const entries = target.list(selector, { batchSize: 1 });
          const next = entries.next.bind(entries);
          entries.next = async () => {
            await new Promise((resolve) => setTimeout(resolve, 2));
            return await next();
          };
          return entries;
        };
      },
    });
    const { out, bytes } = file();
    const before = appended;
    await backup(slow, out, { clock: now });
    await folds;
    await installs.close();
    await restore(to, opening(bytes()), { clock: now });
    const queries = createInstallQueries({ kv: to, journal: null, clock: now });
    const records = await Array.fromAsync(queries.export());
    assert.ok(records.length >= before && records.length > 300, `${records.length} of ${before}`);
    assert.equal(new Set(records.map(({ id }) => id)).size, records.length);
    assert.equal((await queries.who("left-pad"))[0]?.installs, records.length);
    assert.equal((await queries.count())[0]?.installs, records.length);
  }));

Deno.test("restore of keys as long as KV takes, and of many", () =>
  withKvs(async (from, to) => {
    for (const part of ["x".repeat(2_000), "\0".repeat(1_000), "ä".repeat(1_000)]) {
      for (let i = 0; i < 50; i++) await from.set([part, i], "v");
    }
    for (let i = 0; i < 3_000; i++) await from.set(["many", i], i);
    const { out, bytes } = file();
    await backup(from, out, { clock: testClock() });
    await restore(to, opening(bytes()), { clock: testClock() });
    await restore(to, opening(bytes()), { clock: testClock(), replace: true });
    const kept = (await everything(to)).filter((each) =>
      !/^\[\["(restore|schema|stamp|organ)/.test(JSON.stringify(each))
    );
    assert.deepEqual(kept, await everything(from));
  }));
