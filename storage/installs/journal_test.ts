import assert from "node:assert/strict";
import type { EpochMs } from "../../policy/types.ts";
import { installLogSuite, NOW, sampleRecord } from "../../tests/suites/install_log.ts";
import { foldInstalls } from "./fold.ts";
import { type JournalFile, openJournal } from "./journal.ts";
import { createInstallQueries } from "./queries.ts";
import type { InstallRecord } from "./log.ts";

const HOUR = 3_600_000;

installLogSuite("a journal", async () => {
  const kv = await Deno.openKv(":memory:");
  const folder = await Deno.makeTempDir();
  async function dispose(): Promise<void> {
    kv.close();
    await Deno.remove(folder, { recursive: true });
  }
  return { kv, journal: `${folder}/journal`, [Symbol.asyncDispose]: dispose };
});

interface Bench {
  readonly path: string;
  readonly kv: Deno.Kv;
  readonly told: string[];
  now: number;
  open(
    over?: { maxFileBytes?: number; open?: (path: string) => JournalFile },
  ): ReturnType<typeof openJournal>;
  fold(): Promise<void>;
  installs(): Promise<number>;
  files(): string[];
}

async function withJournal(run: (bench: Bench) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  const kv = await Deno.openKv(":memory:");
  const told: string[] = [];
  const log = (level: string, message: string) => void told.push(`${level}: ${message}`);
  const bench: Bench = {
    path,
    kv,
    told,
    now: NOW,
    open: (over = {}) =>
      openJournal({ path, instance: "host", clock: () => bench.now as EpochMs, log, ...over }),
    fold: () => foldInstalls({ kv, journal: path, clock: () => bench.now as EpochMs, log }),
    installs: async () => {
      const queries = createInstallQueries({ kv, journal: path, clock: () => bench.now as EpochMs });
      return (await queries.count())[0]?.installs ?? -1;
    },
    files: () => Array.from(Deno.readDirSync(path), ({ name }) => name).sort(),
  };
  try {
    await run(bench);
  } finally {
    kv.close();
    await Deno.remove(path, { recursive: true });
  }
}

function entry(over: Partial<InstallRecord> = {}) {
  return { record: sampleRecord(over), cutOffAt: null };
}

Deno.test("openJournal writes what waits with one write", () =>
  withJournal(async ({ open, path, files }) => {
    let writes = 0;
    const journal = open({
      open: (name) => {
        const file = Deno.openSync(name, { append: true, createNew: true });
        return {
          writeSync: (bytes) => (writes += 1, file.writeSync(bytes)),
          truncateSync: (length) => file.truncateSync(length),
          close: () => file.close(),
        };
      },
    });
    await Promise.all(Array.from({ length: 3000 }, () => journal.append(entry())));
    assert.equal(writes, 1);
    assert.equal(Deno.readTextFileSync(`${path}/${files()[0]}`).split("\n").length, 3001);
    journal.close();
  }));

Deno.test("openJournal begins a new file at its size and at its age, and never one that exists", () =>
  withJournal(async (bench) => {
    const journal = bench.open({ maxFileBytes: 1000 });
    const other = bench.open();
    await other.append(entry());
    for (let n = 0; n < 8; n += 1) await journal.append(entry());
    assert.ok(bench.files().length >= 3, bench.files().join());
    const before = bench.files().length;
    bench.now += HOUR;
    await other.append(entry());
    assert.equal(bench.files().length, before + 1);
    journal.close();
    other.close();
    assert.equal(await bench.installs(), 10);
  }));

Deno.test("foldInstalls deletes a file that its writer ended, never one that it may still write to", () =>
  withJournal(async (bench) => {
    const journal = bench.open();
    await journal.append(entry());
    await bench.fold();
    assert.equal(bench.files().length, 1);
    await journal.append(entry());
    await bench.fold();
    journal.close();
    await bench.fold();
    assert.deepEqual(bench.files(), []);
    assert.equal(await bench.installs(), 2);
  }));

Deno.test("foldInstalls skips a torn last line of a dead writer, tells so, and deletes the file in time", () =>
  withJournal(async (bench) => {
    const journal = bench.open();
    await Promise.all([journal.append(entry()), journal.append(entry())]);
    const file = `${bench.path}/${bench.files()[0]}`;
    Deno.writeTextFileSync(file, Deno.readTextFileSync(file).slice(0, -40));
    await bench.fold();
    assert.equal(await bench.installs(), 1);
    assert.deepEqual(bench.told, []);
    bench.now += 3 * HOUR;
    await bench.fold();
    assert.equal(await bench.installs(), 1);
    assert.deepEqual(bench.files(), []);
    assert.match(bench.told.join(), /unfinished last line/);
    journal.close();
  }));

Deno.test("foldInstalls skips a damaged line in the middle and tells so", () =>
  withJournal(async (bench) => {
    const journal = bench.open();
    for (let n = 0; n < 3; n += 1) await journal.append(entry());
    const file = `${bench.path}/${bench.files()[0]}`;
    const lines = Deno.readTextFileSync(file).split("\n");
    lines[1] = `\0\0\0${lines[1]?.slice(5)}`;
    Deno.writeTextFileSync(file, lines.join("\n"));
    await bench.fold();
    assert.equal(await bench.installs(), 2);
    assert.match(bench.told.join(), /Skipped 1 unreadable lines/);
    journal.close();
  }));

Deno.test("foldInstalls refuses a line that a newer Sluice wrote, and keeps it", () =>
  withJournal(async (bench) => {
    const journal = bench.open();
    await journal.append(entry());
    const file = `${bench.path}/${bench.files()[0]}`;
    Deno.writeTextFileSync(file, Deno.readTextFileSync(file).replace("[1,", "[2,"));
    await assert.rejects(bench.fold(), { name: "StorageError", message: /format 2 is newer than 1/ });
    assert.equal(bench.files().length, 1);
    journal.close();
  }));

Deno.test({
  name: "append rejects with StorageError on a full disk, and goes on once there is room",
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withJournal(async (bench) => {
      let full = true;
      const journal = bench.open({
        open: (path) => Deno.openSync(full ? "/dev/full" : path, { write: true, create: true }),
      });
      const failing = [journal.append(entry()), journal.append(entry())];
      for (const each of failing) {
        await assert.rejects(each, {
          name: "StorageError",
          message: /Cannot write to install journal .*space/,
        });
      }
      full = false;
      await journal.append(entry());
      assert.equal(await bench.installs(), 1);
      journal.close();
    }),
});

Deno.test("append takes back a write that failed half-way, so that a rejected record is not in the log", () =>
  withJournal(async (bench) => {
    let room = Infinity;
    const journal = bench.open({
      open: (path) => {
        const file = Deno.openSync(path, { write: true, createNew: true });
        function writeSync(bytes: Uint8Array): number {
          if (room <= 0) throw new Error("No space left on device");
          const written = file.writeSync(bytes.subarray(0, room));
          room -= written;
          return written;
        }
        return { writeSync, truncateSync: (length) => file.truncateSync(length), close: () => file.close() };
      },
    });
    await journal.append(entry());
    room = 700;
    await assert.rejects(Promise.all([1, 2, 3, 4].map(() => journal.append(entry()))), {
      name: "StorageError",
    });
    assert.equal(await bench.installs(), 1);
    room = Infinity;
    await journal.append(entry());
    assert.equal(await bench.installs(), 2);
    journal.close();
    await assert.rejects(journal.append(entry()), { name: "StorageError", message: /closed/ });
  }));

Deno.test("openJournal keeps its files from other users of the machine", () =>
  withJournal(async ({ open, path, files }) => {
    const journal = open();
    await journal.append(entry());
    const { mode } = Deno.statSync(`${path}/${files()[0]}`);
    if (mode !== null) assert.equal(mode & 0o077, 0);
    journal.close();
  }));
