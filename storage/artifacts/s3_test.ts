import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { EpochMs } from "../../policy/types.ts";
import { createS3World, S3_MISSING, type S3World } from "../../tests/fakes/s3_server.ts";
import { artifactStoreSuite } from "../../tests/suites/artifact_store.ts";
import { IntegrityError, StorageError } from "../errors.ts";
import type { Clock, Log } from "../runtime.ts";
import { TEMPORARY_LEASE_MS } from "./folder_temporary.ts";
import { parseS3Address } from "./s3_address.ts";
import { createS3Client } from "./s3_client.ts";
import { cleanLeftovers } from "./s3_leftovers.ts";
import { copyObject, PART_BYTES } from "./s3_upload.ts";

const world = createS3World();
const PREFIX = "an odd+prefix, (ü) & 'more' !*";
const AFTER_THE_LEASE: Clock = () => Date.now() + TEMPORARY_LEASE_MS + 60_000 as EpochMs;

if (S3_MISSING === null) {
  Deno.test.beforeAll(() => world.start());
  Deno.test.afterAll(() => world.stop());

  artifactStoreSuite("S3 store", async () => {
    const place = world.place(PREFIX);
    return {
      store: await world.open(place),
      reopen: () => world.open(place),
      leftovers: () => world.leftovers(place),
      [Symbol.asyncDispose]: () => world.close(),
    };
  });
}

/** Skips, with the reason, where the server is missing. */
function test(name: string, run: (world: S3World) => Promise<void>): void {
  Deno.test({
    name: S3_MISSING === null ? name : `${name} (skipped: ${S3_MISSING})`,
    ignore: S3_MISSING !== null,
    fn: async () => {
      try {
        await run(world);
      } finally {
        await world.close();
      }
    },
  });
}

function streamOf(length: number, options: { readonly failAt?: number } = {}): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= (options.failAt ?? Infinity)) return controller.error(new Error("cut off"));
      if (at >= length) return controller.close();
      const chunk = new Uint8Array(Math.min(1_000_003, length - at)).fill(1 + at % 251);
      at += chunk.length;
      controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 });
}

for (const length of [PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 12_345]) {
  test(`S3 store put: ${length} bytes come back as they were, whole and in ranges`, async () => {
    const place = world.place(PREFIX);
    const store = await world.open(place);
    const bytes = Buffer.from(await new Response(streamOf(length)).arrayBuffer());
    const stat = await store.put(streamOf(length), { maxBytes: 2 * length, label: "npm/x/é 100%.tgz" });
    assert.equal(stat.sizeBytes, length);
    assert.ok(Buffer.from((await store.read(stat.key, length))!).equals(bytes));
    const range = { first: PART_BYTES - 10, last: length - 1 };
    const got = await new Response((await store.get(stat.key, range))!.body).arrayBuffer();
    assert.ok(Buffer.from(got).equals(bytes.subarray(range.first)));
    assert.deepEqual(await store.put(streamOf(length), { maxBytes: length }), stat, "again");
    assert.deepEqual(await Array.fromAsync(store.list()), [stat]);
    assert.deepEqual(await world.leftovers(place), []);
  });
}

test("S3 store put: a large body that fails, is aborted or is another one leaves nothing", async () => {
  const place = world.place(PREFIX);
  const store = await world.open(place);
  const length = 2 * PART_BYTES + 5_000_000;
  const abort = new AbortController();
  const stalled = new ReadableStream<Uint8Array>({
    async start(controller) {
      for await (const chunk of streamOf(length)) controller.enqueue(chunk);
      setTimeout(() => abort.abort(new Error("enough")), 50);
    },
  });
  const wrong = { algorithm: "sha256", hex: "0".repeat(64) } as const;
  const maxBytes = 2 * length;
  await assert.rejects(store.put(streamOf(length, { failAt: length - 1 }), { maxBytes }), /cut off/);
  await assert.rejects(store.put(stalled, { maxBytes, signal: abort.signal }), /enough/);
  await assert.rejects(store.put(streamOf(length), { maxBytes, expect: [wrong] }), IntegrityError);
  assert.deepEqual(await Array.fromAsync(store.list()), []);
  // A part that the server still had in its hands when its upload was taken back may make it anew, which S3 says of
  // itself too: that is what a start cleans once the lease has ended.
  const client = createS3Client({ ...world.deps(), place, caPem: null });
  await cleanLeftovers({ client, instance: "later", clock: AFTER_THE_LEASE, log: () => {} });
  await client.close();
  assert.deepEqual(await world.leftovers(place), []);
});

test("S3 store put: a blob that somebody cut short is replaced by the whole one, small and large", async () => {
  const place = world.place("cut");
  const store = await world.open(place);
  for (const length of [5_000, PART_BYTES + 5_000]) {
    const { key } = await store.put(streamOf(length), { maxBytes: length });
    await world.server.ask("PUT", `/${place.bucket}/${place.prefix}${key}`, new Uint8Array(10));
    assert.equal((await store.stat(key))?.sizeBytes, 10, "what lies there is told as it is");
    await store.put(streamOf(length), { maxBytes: length });
    assert.equal((await store.stat(key))?.sizeBytes, length);
  }
});

test("copyObject: what is too large for one copy is copied in parts", async () => {
  const place = world.place(PREFIX);
  const store = await world.open(place);
  const length = PART_BYTES + 4_000_000;
  const { key } = await store.put(streamOf(length), { maxBytes: length });
  const client = createS3Client({ ...world.deps(), place, caPem: null });
  const to = `sha256/00/${"0".repeat(64)}` as typeof key;
  const limits = { maxCopyBytes: 5_000_000, copyPartBytes: 5 * 1024 * 1024 };
  const copy = { from: key, to, sizeBytes: length, headers: {}, signal: undefined, action: "copy" };
  await copyObject(client, { ...copy, ...limits });
  await client.close();
  assert.ok(Buffer.from((await store.read(to, length))!).equals((await store.read(key, length))!));
});

test("createS3Store: a start cleans what is older than the lease and not its own, and nothing else", async () => {
  const place = world.place(PREFIX);
  const busy = await world.open(place, { instance: "busy" });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const putting = busy.put(readable, { maxBytes: 2 * PART_BYTES });
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(PART_BYTES));
  await writer.write(new Uint8Array(1));
  const staged = encodeURI(`/${place.bucket}/${place.prefix}staging/dead/one`).replace("+", "%2B");
  assert.equal((await world.server.ask("PUT", staged, new Uint8Array(3))).status, 200);
  await untilTrue(async () => (await world.leftovers(place)).length === 2);

  await (await world.open(place, { instance: "young" })).cleaned;
  assert.equal((await world.leftovers(place)).length, 2, "all of it is younger than the lease");
  const client = createS3Client({ ...world.deps(), place, caPem: null });
  const told: string[] = [];
  const log: Log = (_level, message) => void told.push(message);
  await cleanLeftovers({ client, instance: "busy", clock: AFTER_THE_LEASE, log });
  assert.equal((await world.leftovers(place)).length, 1, "its own upload stays");
  assert.match(told.join(), /^Removed 1 unfinished uploads/);
  await writer.close();
  await putting;

  const second = new TransformStream<Uint8Array, Uint8Array>();
  const late = busy.put(second.readable, { maxBytes: 2 * PART_BYTES }).catch((error) => error);
  const secondWriter = second.writable.getWriter();
  await secondWriter.write(new Uint8Array(PART_BYTES).fill(7));
  await secondWriter.write(new Uint8Array(1));
  await untilTrue(async () => await world.parts(place) === 1);
  await cleanLeftovers({ client, instance: "late", clock: AFTER_THE_LEASE, log });
  await client.close();
  await secondWriter.close();
  const error = await late;
  assert.ok(error instanceof StorageError, `a put whose upload was taken away fails: ${error}`);
  assert.equal((await Array.fromAsync(busy.list())).length, 1);
  assert.deepEqual(await world.leftovers(place), []);
});

async function untilTrue(holds: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 3_000 && !await holds(); tried++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const STARTS = [
  {
    what: "a bucket that does not exist",
    address: (endpoint: string) => `s3://nowhere/p?endpoint=${endpoint}`,
    credentials: {},
    says: /^Cannot keep artifacts in "s3:\/\/nowhere\/p\/" at .*: the bucket "nowhere" does not exist$/,
  },
  {
    what: "an access key that is not known",
    address: (endpoint: string) => `s3://suite/p?endpoint=${endpoint}`,
    credentials: { accessKeyId: "somebody" },
    says: /: the access key is not known there \(AWS_ACCESS_KEY_ID\)$/,
  },
  {
    what: "a secret key that is wrong",
    address: (endpoint: string) => `s3://suite/p?endpoint=${endpoint}`,
    credentials: { secretAccessKey: "hunter2" },
    says: /: the secret key does not fit the access key \(AWS_SECRET_ACCESS_KEY\)$/,
  },
  {
    what: "a server that is not there",
    address: () => "s3://suite/p?endpoint=http://127.0.0.1:1",
    credentials: {},
    says: /: nothing listens there$/,
  },
] as const;

test("createS3Store: a clock that is an hour off is told at the start", async (world) => {
  const clock: Clock = () => Date.now() + 3_600_000 as EpochMs;
  const opening = world.open(world.place("skewed"), { clock });
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof StorageError, String(error));
    assert.match(error.message, /: the clock of this machine and the server's are too far apart$/);
    return true;
  });
});

test("createS3Client: temporary credentials: the session token is sent and signed, and in no message", async () => {
  const asked: Headers[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ headers }) => {
    asked.push(headers);
    return new Response("<Error><Code>ExpiredToken</Code></Error>", { status: 400 });
  });
  const place = parseS3Address(`s3://suite/p?endpoint=http://127.0.0.1:${server.addr.port}`);
  const credentials = { accessKeyId: "id", secretAccessKey: "hunter2", sessionToken: "token-of-an-hour" };
  const client = createS3Client({ ...world.deps(), place, credentials, caPem: null });
  const answer = await client.send({ method: "GET", key: "x", action: "look" });
  await client.close();
  await server.shutdown();
  assert.equal(asked[0]?.get("x-amz-security-token"), "token-of-an-hour");
  assert.match(asked[0]?.get("authorization") ?? "", /SignedHeaders=[^,]*;x-amz-security-token,/);
  assert.doesNotMatch(JSON.stringify(answer), /token-of-an-hour|hunter2/);
});

for (const { what, address, credentials, says } of STARTS) {
  test(`createS3Store: ${what} is told at the start, by name and without a secret`, async () => {
    const place = parseS3Address(address(world.server.endpoint));
    const opening = world.open(place, { credentials: { ...world.server.credentials, ...credentials } });
    await assert.rejects(opening, (error) => {
      assert.ok(error instanceof StorageError, String(error));
      assert.match(error.message, says);
      assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hunter2|testsecret|Signature=/);
      return true;
    });
  });
}
