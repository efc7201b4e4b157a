import assert from "node:assert/strict";
import { StorageError } from "../errors.ts";
import { keyPart } from "./key_part.ts";
import { keys, migrate, openStorage } from "./kv.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./schema.ts";
import { withMemoryKv, withTwoKvs } from "./test_support.ts";

Deno.test("openStorage makes the folder of a path", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const kv = await openStorage(`${folder}/deep/er/kv.sqlite3`);
    await kv.set(["a"], 1);
    kv.close();
    assert.equal((await Deno.stat(`${folder}/deep/er/kv.sqlite3`)).isFile, true);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openStorage says what it could not open", async () => {
  const file = await Deno.makeTempFile();
  try {
    await assert.rejects(openStorage(`${file}/kv.sqlite3`), (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /^Cannot open ".*kv\.sqlite3": /);
      return true;
    });
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("migrate stamps a fresh store, once, and again changes nothing", () =>
  withMemoryKv(async (kv) => {
    await migrate(kv);
    const first = await kv.get(keys.schema());
    assert.deepEqual(first.value, { v: SCHEMA_VERSION });
    await migrate(kv);
    assert.equal((await kv.get(keys.schema())).versionstamp, first.versionstamp);
  }));

Deno.test("migrate brings a store without a stamp from version 0 to 1 and keeps what it holds", () =>
  withMemoryKv(async (kv) => {
    await kv.set(["packages", "npm"], { kept: true });
    const ran: number[] = [];
    const migrations = MIGRATIONS.map((each) => ({
      ...each,
      run: async (kv: Deno.Kv) => {
        ran.push(each.to);
        await each.run(kv);
      },
    }));
    await migrate(kv, { migrations });
    assert.deepEqual(ran, [1]);
    assert.deepEqual((await kv.get(keys.schema())).value, { v: 1 });
    assert.deepEqual((await kv.get(["packages", "npm"])).value, { kept: true });
  }));

Deno.test("migrate runs what is missing in order, and stamps after each", () =>
  withMemoryKv(async (kv) => {
    await kv.set(keys.schema(), { v: 1 });
    const seen: unknown[] = [];
    const step = (to: number) => ({
      to,
      description: `to ${to}`,
      run: async (kv: Deno.Kv) => void seen.push([to, (await kv.get(keys.schema())).value]),
    });
    await migrate(kv, { migrations: [step(1), step(2), step(3)] });
    assert.deepEqual(seen, [[2, { v: 1 }], [3, { v: 2 }]]);
    assert.deepEqual((await kv.get(keys.schema())).value, { v: 3 });
  }));

Deno.test("migrate that fails midway goes on from there at the next start", () =>
  withMemoryKv(async (kv) => {
    await kv.set(["x"], 1);
    let broken = true;
    const ran: number[] = [];
    const step = (to: number) => ({
      to,
      description: "",
      run: () => {
        if (to === 2 && broken) return Promise.reject(new Error("disk full"));
        ran.push(to);
        return Promise.resolve();
      },
    });
    const migrations = [step(1), step(2)];
    await assert.rejects(migrate(kv, { migrations }), /Cannot migrate to version 2: disk full/);
    broken = false;
    await migrate(kv, { migrations });
    assert.deepEqual(ran, [1, 2]);
  }));

Deno.test("migrate refuses a newer store and says what to do", () =>
  withMemoryKv(async (kv) => {
    await kv.set(keys.schema(), { v: SCHEMA_VERSION + 1 });
    await assert.rejects(migrate(kv), (error) => {
      assert.ok(error instanceof StorageError);
      assert.match(
        error.message,
        /version 2, and this program knows versions up to 1\. Start the newer program/,
      );
      return true;
    });
  }));

Deno.test("migrate refuses a stamp that it cannot read", () =>
  withMemoryKv(async (kv) => {
    await kv.set(keys.schema(), "one");
    await assert.rejects(migrate(kv), /Cannot read the store's version/);
  }));

Deno.test("migrate refuses a store whose restore was broken off", () =>
  withMemoryKv(async (kv) => {
    for (const state of ["running", "broken"]) {
      await kv.set(keys.restore(), { v: 1, id: "x", state });
      await assert.rejects(migrate(kv), /a restore into it runs, or was broken off/);
    }
  }));

Deno.test("migrate in two processes at once succeeds in both", () =>
  withTwoKvs(async (a, b) => {
    await a.set(["x"], 1);
    await Promise.all([migrate(a), migrate(b)]);
    assert.deepEqual((await a.get(keys.schema())).value, { v: 1 });
  }));

Deno.test("keyPart keeps different texts apart", () => {
  const long = "a".repeat(5_000);
  const texts = [
    "",
    "a",
    "A",
    "~a",
    "~sha256:x",
    "a/b",
    "a\0b",
    "\ud800",
    "\ud801",
    "\ufffd",
    long,
    long + "a",
    "ä".repeat(128),
    "ä".repeat(129),
    keyPart(long),
    keyPart("\ud800"),
  ];
  const parts = texts.map(keyPart);
  assert.equal(new Set(parts).size, texts.length);
  for (const part of parts) {
    assert.ok(part.isWellFormed());
    assert.ok(new TextEncoder().encode(part).byteLength <= 256, part);
  }
});

Deno.test("keys of the longest names fit KV, NUL included", () =>
  withMemoryKv(async (kv) => {
    for (
      const name of [
        "x".repeat(256),
        "\0".repeat(256),
        "😀".repeat(64),
        "\udc00".repeat(90),
        "y".repeat(100_000),
      ]
    ) {
      const at = { ecosystem: name, upstreamId: name, subject: name, name };
      const owner = keys.package(at);
      for (
        const key of [
          owner,
          keys.file(at, name),
          keys.part(owner, "d".repeat(70), 1_000),
          keys.grant("o", name, name, name),
        ]
      ) {
        await kv.set(key, 1);
        assert.equal((await kv.get(key)).value, 1);
      }
    }
  }));
