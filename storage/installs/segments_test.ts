import assert from "node:assert/strict";
import { installLogSuite, NOW, sampleRecord } from "../../tests/suites/install_log.ts";
import { createRecordIds } from "./record.ts";
import { openSegments } from "./segments.ts";

installLogSuite("segments", async () => {
  const kv = await Deno.openKv(":memory:");
  return { kv, journal: null, [Symbol.asyncDispose]: () => Promise.resolve(kv.close()) };
});

Deno.test("openSegments packs what comes while a commit runs, below KV's bounds", async () => {
  using kv = await Deno.openKv(":memory:");
  const segments = openSegments({ kv, nextId: createRecordIds(() => NOW, "test", () => 0.5) });
  const entry = { record: sampleRecord(), cutOffAt: null };
  await Promise.all(Array.from({ length: 5000 }, () => segments.append(entry)));
  const sizes: number[] = [];
  for await (const { value } of kv.list<Uint8Array>({ prefix: ["installs", "segment"] })) {
    sizes.push(value.length);
  }
  assert.ok(sizes.length < 40, `${sizes.length} segments`);
  assert.ok(sizes.every((size) => size <= 60_000));
});

Deno.test("openSegments rejects what could not be committed with StorageError, and takes the next", async () => {
  const kv = await Deno.openKv(":memory:");
  const segments = openSegments({ kv, nextId: createRecordIds(() => NOW, "test", () => 0.5) });
  const entry = { record: sampleRecord(), cutOffAt: null };
  await segments.append(entry);
  kv.close();
  await assert.rejects(segments.append(entry), { name: "StorageError" });
  await assert.rejects(segments.append(entry), { name: "StorageError" });
});
