import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { openArtifactStore } from "./open.ts";

const deps = { clock: () => 0 as EpochMs, instance: "test", log: () => {} };

Deno.test("openArtifactStore: memory: with and without a size", async () => {
  const small = await openArtifactStore("memory:2kB", deps);
  await small.put(new Uint8Array(2000), { maxBytes: 5000 });
  await assert.rejects(small.put(new Uint8Array(1), { maxBytes: 5000 }), StorageError);
  for (const address of ["memory:", "memory:512MB", "memory:1GiB"]) {
    const store = await openArtifactStore(address, deps);
    await store.put(new Uint8Array(2001), { maxBytes: 5000 });
  }
});

Deno.test("openArtifactStore: file: as a path and as a URL", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "with space%20");
    const { key } = await (await openArtifactStore(`file:${path}`, deps)).put(new Uint8Array(3), {
      maxBytes: 3,
    });
    const again = await openArtifactStore(pathToFileURL(path).href, deps);
    assert.equal((await again.stat(key))?.sizeBytes, 3);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openArtifactStore: anything else is a RangeError that quotes it, without what may be secret", async () => {
  const addresses = [
    "",
    "file:",
    "memory",
    "memory:12",
    "memory:0MB",
    "memory:MB",
    "memory:1e9MB",
    "data",
    "http://x",
  ];
  for (const address of addresses) {
    await assert.rejects(openArtifactStore(address, deps), (error) => {
      assert.ok(error instanceof RangeError, address);
      assert.ok(error.message.includes(JSON.stringify(address)), error.message);
      return true;
    });
  }
  const buckets = [
    ["s3://bucket/prefix?secret=hunter2", /"s3:\/\/bucket\/prefix".*each of endpoint, region, pathStyle/],
    ["s3://bucket/prefix?endpoint=http://u:hunter2@host", /"s3:\/\/bucket\/prefix".*endpoint= to be an http/],
    ["s3://id:hunter2@bucket/prefix", /"s3:\/\/\*\*\*@bucket\/prefix".*the name of a bucket/],
    ["s3://bucket/prefix", /"s3:\/\/bucket\/prefix".*AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to be set/],
  ] as const;
  for (const [address, says] of buckets) {
    await assert.rejects(openArtifactStore(address, deps), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, says);
      assert.ok(!error.message.includes("hunter2"));
      return true;
    });
  }
});
