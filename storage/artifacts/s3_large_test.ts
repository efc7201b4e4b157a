/** Large blobs pass through: what waits in memory is bounded, whatever the size. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { startS3Front } from "../../tests/fakes/s3_front.ts";
import { createS3World, S3_MISSING, type S3World } from "../../tests/fakes/s3_server.ts";
import { blobKey } from "./key.ts";
import { PART_BYTES } from "./s3_upload.ts";

const world = createS3World();
const MIB = 1024 * 1024;
const CHUNK = new Uint8Array(MIB).map((_, at) => at % 253);

if (S3_MISSING === null) {
  Deno.test.beforeAll(() => world.start());
  Deno.test.afterAll(() => world.stop());
}

function test(name: string, run: (world: S3World) => Promise<void>): void {
  const why = S3_MISSING === null ? null : `skipped: ${S3_MISSING}`;
  Deno.test({
    name: why === null ? name : `${name} (${why})`,
    ignore: why !== null,
    fn: async () => {
      try {
        await run(world);
      } finally {
        await world.close();
      }
    },
  });
}

/** The same buffer again and again, so that what is held is the store's. */
function streamOf(chunks: number, pulled: (bytes: number) => void = () => {}): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent++ >= chunks) return controller.close();
      pulled(CHUNK.length);
      controller.enqueue(CHUNK);
    },
  }, { highWaterMark: 0 });
}

function digestOf(chunks: number): string {
  const hash = createHash("sha256");
  for (let sent = 0; sent < chunks; sent++) hash.update(CHUNK);
  return hash.digest("hex");
}

const settle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("S3 store put: a server that stalls is sent no more than four parts of 64 MB", async () => {
  const stall = { method: "PUT", target: /partNumber=/, times: Infinity, how: { kind: "stall" } } as const;
  await using front = startS3Front(world.server.port, [stall]);
  const store = await world.open({ ...world.place("stall"), origin: front.endpoint });
  const abort = new AbortController();
  let pulledBytes = 0;
  const putting = store.put(streamOf(64, (bytes) => pulledBytes += bytes), {
    maxBytes: 65 * MIB,
    signal: abort.signal,
  });
  await settle(500);
  assert.ok(pulledBytes >= PART_BYTES && pulledBytes <= 4 * PART_BYTES, `${pulledBytes}`);
  abort.abort(new Error("enough"));
  await assert.rejects(putting, /enough/);
});

test("S3 store get: a client that stalls holds up the server, not the memory: 64 MB", async () => {
  await using front = startS3Front(world.server.port, []);
  const store = await world.open({ ...world.place("slow"), origin: front.endpoint });
  const { key } = await store.put(streamOf(64), { maxBytes: 64 * MIB, expectSizeBytes: 64 * MIB });
  assert.equal(key, blobKey(digestOf(64)));
  const before = front.answeredBytes;
  const reader = (await store.get(key))!.body.getReader();
  await reader.read();
  await settle(300);
  const waiting = front.answeredBytes - before;
  assert.ok(waiting < 24 * MIB, `${waiting} bytes wait, in sockets for the most part`);
  await reader.cancel();
});

/** Half a minute and 2 GB of disk: only where it is asked for. */
if (Deno.env.get("SLUICE_TEST_LARGE") === "1") testLarge();

function testLarge(): void {
  test("S3 store: 2 GB there and back in less than 64 MB more than idle", async () => {
    const store = await world.open(world.place("large"));
    const warm = await store.put(streamOf(32), { maxBytes: 32 * MIB });
    for await (const _ of (await store.get(warm.key))!.body);
    const chunks = 2048;
    const expected = blobKey(digestOf(chunks));
    const up = await measured(async () => {
      const { key } = await store.put(streamOf(chunks), { maxBytes: chunks * MIB });
      assert.equal(key, expected);
    });
    const down = await measured(async () => {
      const hash = createHash("sha256");
      for await (const chunk of (await store.get(expected))!.body) hash.update(chunk);
      assert.equal(blobKey(hash.digest("hex")), expected);
    });
    console.log({ up, down });
    assert.ok(up.moreMiB < 64, `up: ${up.moreMiB} MiB`);
    assert.ok(down.moreMiB < 64, `down: ${down.moreMiB} MiB`);
  });
}

/** The most resident memory while it runs, above what there was before. */
async function measured(work: () => Promise<void>): Promise<{ moreMiB: number; seconds: number }> {
  const before = Deno.memoryUsage().rss;
  const startedAt = performance.now();
  let most = before;
  const timer = setInterval(() => most = Math.max(most, Deno.memoryUsage().rss), 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
  return { moreMiB: Math.round((most - before) / MIB), seconds };
}
