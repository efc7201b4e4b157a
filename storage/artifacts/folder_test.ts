import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { artifactStoreSuite } from "../../tests/suites/artifact_store.ts";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { StorageError } from "../errors.ts";
import type { EpochMs } from "../../policy/types.ts";
import { createFolderStore } from "./folder.ts";
import { storageError } from "./folder_errors.ts";
import { TEMPORARY_LEASE_MS } from "./folder_temporary.ts";

const NOW = Date.parse("2026-11-21T08:00:00Z");
const clock = () => NOW as EpochMs;

async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "sluice-folder-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function namesBelow(path: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.map((entry) => entry.name).sort();
}

artifactStoreSuite("folder store", async () => {
  const folder = await temporaryFolder();
  const path = join(folder.path, "artifacts");
  let instances = 0;
  const reopen = () => createFolderStore({ path, clock, instance: `instance-${++instances}` });
  return {
    store: await reopen(),
    reopen,
    leftovers: () => namesBelow(join(path, "tmp")),
    [Symbol.asyncDispose]: async () => {
      assert.deepEqual(await namesBelow(folder.path), ["artifacts"], "nothing was written beside the store");
      await folder[Symbol.asyncDispose]();
    },
  };
});

Deno.test("createFolderStore: a blob is a read-only file under its digest, with its label beside it", async () => {
  await using folder = await temporaryFolder();
  const store = await createFolderStore({ path: folder.path, clock, instance: "one" });
  const bytes = new TextEncoder().encode("abc");
  const label = "npm/@scope/is-odd/is-odd-3.0.1.tgz";
  const { key } = await store.put(bytes, { maxBytes: 10, label });
  const info = await Deno.stat(join(folder.path, key));
  assert.equal((info.mode ?? 0) & 0o777, 0o444);
  const link = join(folder.path, "by-name", label);
  assert.equal(await Deno.readLink(link), `../../../../${key}`);
  assert.equal(await Deno.readTextFile(link), "abc");
  assert.deepEqual(await namesBelow(folder.path), ["by-name", "sha256", "tmp"]);

  const next = await store.put(new TextEncoder().encode("abcd"), { maxBytes: 10, label });
  assert.equal(await Deno.readLink(link), `../../../../${next.key}`, "the label follows the newest");
  assert.deepEqual(await namesBelow(dirname(link)), ["is-odd-3.0.1.tgz"]);
});

Deno.test("createFolderStore: a start cleans what is older than the lease, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const tmp = join(folder.path, "tmp");
  await Deno.mkdir(tmp);
  const old = NOW - TEMPORARY_LEASE_MS;
  const name = (instance: string, at: number) => `${instance}.${at}.${crypto.randomUUID()}`;
  const files = [
    { name: name("dead", old), touched: old, stays: false },
    { name: name("dead", old + 1), touched: old, stays: true },
    { name: name("busy", old - 5_000_000), touched: NOW - 1000, stays: true },
    { name: name("own", old), touched: old, stays: true },
    { name: "notes.txt", touched: old, stays: true },
  ];
  for (const file of files) {
    await Deno.writeTextFile(join(tmp, file.name), "half");
    await Deno.utime(join(tmp, file.name), file.touched / 1000, file.touched / 1000);
  }
  const told: string[] = [];
  await createFolderStore({
    path: folder.path,
    clock,
    instance: "own",
    log: (_level, message) => told.push(message),
  });
  assert.deepEqual(await namesBelow(tmp), files.filter((file) => file.stays).map((file) => file.name).sort());
  assert.match(told.join("\n"), /Removed 1 temporary files/);
});

Deno.test("createFolderStore: another process's start does not disturb a put under way", async () => {
  await using folder = await temporaryFolder();
  const time = createTestClock(NOW);
  const store = await createFolderStore({ path: folder.path, clock: time.clock, instance: "one" });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const putting = store.put(readable, { maxBytes: 10 });
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(3));
  await createFolderStore({ path: folder.path, clock: time.clock, instance: "two" });
  await writer.close();
  assert.equal((await putting).sizeBytes, 3);
});

Deno.test("createFolderStore put: a blob that somebody cut short is replaced by the whole one", async () => {
  await using folder = await temporaryFolder();
  const store = await createFolderStore({ path: folder.path, clock, instance: "one" });
  const bytes = new Uint8Array(5000).fill(7);
  const { key } = await store.put(bytes, { maxBytes: 5000 });
  await Deno.remove(join(folder.path, key));
  await Deno.writeFile(join(folder.path, key), bytes.subarray(0, 10));
  assert.equal((await store.stat(key))?.sizeBytes, 10, "what lies there is told as it is");
  await store.put(bytes, { maxBytes: 5000 });
  assert.deepEqual(await store.read(key, 5000), bytes);
});

Deno.test("createFolderStore get: a file that shrinks while it is read fails the reader", async () => {
  await using folder = await temporaryFolder();
  const store = await createFolderStore({ path: folder.path, clock, instance: "one" });
  const { key } = await store.put(new Uint8Array(1_000_000), { maxBytes: 1_000_000 });
  const blob = await store.get(key, { first: 0, last: 900_000 });
  await Deno.chmod(join(folder.path, key), 0o644);
  await Deno.truncate(join(folder.path, key), 500_000);
  await assert.rejects(new Response(blob!.body).arrayBuffer(), StorageError);
});

Deno.test("createFolderStore: a folder that cannot be used is told by its path", async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, "file");
  await Deno.writeTextFile(file, "");
  await assert.rejects(createFolderStore({ path: join(file, "below"), clock, instance: "one" }), (error) => {
    assert.ok(error instanceof StorageError);
    assert.equal(
      error.message,
      `Cannot use the artifact folder "${join(file, "below")}": a file stands where a folder belongs`,
    );
    return true;
  });
  await assert.rejects(createFolderStore({ path: folder.path, clock, instance: "../x" }), TypeError);
});

Deno.test("createFolderStore put: what the file system refuses is a StorageError, and the body is cancelled", async () => {
  await using folder = await temporaryFolder();
  const store = await createFolderStore({ path: folder.path, clock, instance: "one" });
  await Deno.remove(join(folder.path, "tmp"));
  await Deno.writeTextFile(join(folder.path, "tmp"), "");
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    cancel: () => {
      cancelled = true;
    },
  });
  await assert.rejects(store.put(body, { maxBytes: 10, label: "npm/x" }), (error) => {
    assert.ok(error instanceof StorageError);
    assert.match(error.message, /^Cannot keep "npm\/x" in ".*": a file stands where a folder belongs$/);
    return true;
  });
  assert.ok(cancelled);
});

Deno.test("createFolderStore put: the blob's own place being refused leaves no temporary file", async () => {
  await using folder = await temporaryFolder();
  const store = await createFolderStore({ path: folder.path, clock, instance: "one" });
  await Deno.remove(join(folder.path, "sha256"));
  await Deno.writeTextFile(join(folder.path, "sha256"), "");
  await assert.rejects(store.put(new Uint8Array(3), { maxBytes: 10 }), StorageError);
  assert.deepEqual(await namesBelow(join(folder.path, "tmp")), []);
});

Deno.test({
  name: "storageError: a full disk is told in words, with its cause",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const full = await Deno.writeTextFile("/dev/full", "x").catch((error) => error);
    const error = storageError('keep "npm/x" in "./data"', full);
    assert.equal(error.message, 'Cannot keep "npm/x" in "./data": the disk is full');
    assert.equal(error.cause, full);
  },
});
