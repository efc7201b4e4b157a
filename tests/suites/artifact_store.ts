/** What every artifact store promises, run over every driver. Nothing here knows which one it is. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { blobKey } from "../../storage/artifacts/key.ts";
import type { ArtifactStore, BlobKey, BlobStat, PutOptions } from "../../storage/artifacts/store.ts";
import { IntegrityError, TooLargeError } from "../../storage/errors.ts";
import type { Digest, DigestAlgorithm } from "../../policy/types.ts";

export interface SuiteSubject extends AsyncDisposable {
  readonly store: ArtifactStore;
  /** A second store on the same place, as another process would open it; null where the place is the store's own. */
  readonly reopen: (() => Promise<ArtifactStore>) | null;
  /** What is left of puts that did not end well (temporary files, uploads); empty after each. */
  readonly leftovers: () => Promise<readonly string[]>;
}

const MAX_BYTES = 16 * 1024 * 1024;
const LARGE_BYTES = 3 * 1024 * 1024 + 17;

/** Bytes that differ everywhere, so that a shifted range is noticed. */
function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed * 2654435761 >>> 0 || 1;
  for (let at = 0; at < length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

function streamInChunks(bytes: Uint8Array, chunkBytes = 65_536): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + chunkBytes));
      at += chunkBytes;
    },
  });
}

function keyOf(bytes: Uint8Array): BlobKey {
  return blobKey(createHash("sha256").update(bytes).digest("hex"));
}

/** RFC 7693 has no algorithm of Node's here, so its digests of known bytes are written down. */
const ABC = new TextEncoder().encode("abc");
const ABC_DIGESTS: Readonly<Record<DigestAlgorithm, string>> = {
  "md5": "900150983cd24fb0d6963f7d28e17f72",
  "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
  "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  "sha384":
    "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
  "sha512":
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
  "blake2b-256": "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
};

async function readAll(store: ArtifactStore, key: BlobKey, range?: { first: number; last: number }) {
  const blob = await store.get(key, range);
  assert.ok(blob, `${key} is not there`);
  return { stat: blob, bytes: new Uint8Array(await new Response(blob.body).arrayBuffer()) };
}

async function listed(store: ArtifactStore, prefix?: string): Promise<readonly BlobStat[]> {
  return await Array.fromAsync(store.list(prefix));
}

/** Nothing was kept, and nothing is left behind. */
async function assertNothing(subject: SuiteSubject): Promise<void> {
  assert.deepEqual(await listed(subject.store), []);
  assert.deepEqual(await subject.leftovers(), []);
}

/** Registers the suite's tests under `name`; `create` is called once for each, and what it made is disposed of. */
export function artifactStoreSuite(name: string, create: () => Promise<SuiteSubject>): void {
  function test(criterion: string, run: (subject: SuiteSubject) => Promise<void>): void {
    Deno.test(`${name}: ${criterion}`, async () => {
      await using subject = await create();
      await run(subject);
    });
  }

  const rejected = async (
    subject: SuiteSubject,
    body: ReadableStream<Uint8Array> | Uint8Array,
    options: Partial<PutOptions>,
    error: typeof IntegrityError | typeof TooLargeError | RegExp,
  ) => {
    await assert.rejects(subject.store.put(body, { maxBytes: MAX_BYTES, ...options }), error as RegExp);
    await assertNothing(subject);
  };

  test("what is absent is null, and deleting it is false", async ({ store }) => {
    const key = keyOf(ABC);
    assert.equal(await store.stat(key), null);
    assert.equal(await store.get(key), null);
    assert.equal(await store.read(key, 100), null);
    assert.equal(await store.delete(key), false);
    assert.deepEqual(await listed(store), []);
  });

  for (
    const [what, length] of [["empty", 0], ["one byte", 1], ["100 kB", 100_000], [
      "3 MB",
      LARGE_BYTES,
    ]] as const
  ) {
    test(`put, stat, get, read, list and delete agree: ${what}`, async ({ store, leftovers }) => {
      const bytes = bytesOf(length);
      const stat = await store.put(streamInChunks(bytes), { maxBytes: MAX_BYTES, expectSizeBytes: length });
      assert.deepEqual(stat, { key: keyOf(bytes), sizeBytes: length });
      assert.deepEqual(await store.stat(stat.key), stat);
      const got = await readAll(store, stat.key);
      assert.equal(got.stat.sizeBytes, length);
      assert.ok(Buffer.from(got.bytes).equals(bytes));
      assert.ok(Buffer.from((await store.read(stat.key, length))!).equals(bytes));
      if (length > 0) assert.equal(await store.read(stat.key, length - 1), null);
      assert.deepEqual(await listed(store), [stat]);
      assert.deepEqual(await leftovers(), []);
      assert.equal(await store.delete(stat.key), true);
      assert.equal(await store.stat(stat.key), null);
      assert.deepEqual(await listed(store), []);
    });
  }

  test("put of bytes is put of their stream", async ({ store }) => {
    const bytes = bytesOf(LARGE_BYTES, 2);
    const stat = await store.put(bytes, { maxBytes: MAX_BYTES });
    assert.deepEqual(stat, await store.put(streamInChunks(bytes, 1000), { maxBytes: MAX_BYTES }));
    assert.deepEqual(await listed(store), [stat]);
  });

  test("a sender that uses its buffer again changes nothing", async ({ store }) => {
    const buffer = new Uint8Array(1000);
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent === 5) return controller.close();
        buffer.fill(++sent);
        controller.enqueue(buffer);
      },
    }, { highWaterMark: 0 });
    const stat = await store.put(body, { maxBytes: MAX_BYTES });
    const expected = Uint8Array.from({ length: 5000 }, (_, at) => Math.floor(at / 1000) + 1);
    assert.equal(stat.key, keyOf(expected));
    assert.deepEqual((await readAll(store, stat.key)).bytes, expected);
  });

  for (const length of [1000, LARGE_BYTES]) {
    test(`a range of ${length} bytes is exact`, async ({ store }) => {
      const bytes = bytesOf(length, 3);
      const { key } = await store.put(bytes, { maxBytes: MAX_BYTES });
      const ranges = [
        [0, 0],
        [length - 1, length - 1],
        [0, length - 1],
        [1, length - 2],
        [length - 10, length - 1],
        [Math.floor(length / 3), Math.floor(length / 3) * 2],
      ] as const;
      for (const [first, last] of ranges) {
        const got = await readAll(store, key, { first, last });
        assert.equal(got.stat.sizeBytes, length, "the size is the blob's, not the range's");
        assert.ok(Buffer.from(got.bytes).equals(bytes.subarray(first, last + 1)), `bytes ${first}-${last}`);
      }
    });
  }

  test("a range that does not lie within the blob is a RangeError", async ({ store }) => {
    const { key } = await store.put(bytesOf(10), { maxBytes: MAX_BYTES });
    const empty = await store.put(new Uint8Array(), { maxBytes: MAX_BYTES });
    for (const [first, last] of [[0, 10], [10, 10], [-1, 3], [5, 4], [0.5, 2], [0, Infinity]] as const) {
      await assert.rejects(store.get(key, { first, last }), RangeError, `${first}-${last}`);
    }
    await assert.rejects(store.get(empty.key, { first: 0, last: 0 }), RangeError);
    assert.equal(await store.get(keyOf(ABC), { first: 0, last: 0 }), null, "absent comes before the range");
  });

  test("a body may be cancelled, at once and half-way", async ({ store }) => {
    const { key } = await store.put(bytesOf(LARGE_BYTES), { maxBytes: MAX_BYTES });
    for (const range of [undefined, { first: 1, last: LARGE_BYTES - 2 }]) {
      await (await store.get(key, range))!.body.cancel();
      const reader = (await store.get(key, range))!.body.getReader();
      await reader.read();
      await reader.cancel();
    }
  });

  const algorithms = Object.keys(ABC_DIGESTS) as DigestAlgorithm[];

  test("the right digests are accepted, all at once", async ({ store }) => {
    const expect = algorithms.map((algorithm): Digest => ({ algorithm, hex: ABC_DIGESTS[algorithm] }));
    assert.deepEqual(await store.put(ABC, { expect, maxBytes: 3 }), { key: keyOf(ABC), sizeBytes: 3 });
  });

  for (const algorithm of algorithms) {
    test(`a wrong ${algorithm} is an IntegrityError, and nothing is visible`, async (subject) => {
      const right = ABC_DIGESTS[algorithm];
      const good: Digest = { algorithm: "sha256", hex: ABC_DIGESTS.sha256 };
      const flipped = right.slice(0, -1) + (right.endsWith("0") ? "1" : "0");
      for (const hex of [flipped, right.slice(0, -2), right + "00", ""]) {
        await rejected(subject, streamInChunks(ABC), { expect: [good, { algorithm, hex }] }, IntegrityError);
      }
    });
  }

  test("more than maxBytes is a TooLargeError, and the body is cancelled", async (subject) => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => {
        cancelled = true;
      },
    });
    await rejected(subject, body, { maxBytes: 10_500 }, TooLargeError);
    assert.ok(cancelled);
  });

  test("exactly maxBytes is kept, one byte more is not", async (subject) => {
    await rejected(subject, bytesOf(1001), { maxBytes: 1000 }, TooLargeError);
    assert.equal((await subject.store.put(bytesOf(1000), { maxBytes: 1000 })).sizeBytes, 1000);
  });

  test("shorter or longer than stated is an IntegrityError", async (subject) => {
    await rejected(subject, streamInChunks(bytesOf(999)), { expectSizeBytes: 1000 }, IntegrityError);
    await rejected(subject, streamInChunks(bytesOf(1001)), { expectSizeBytes: 1000 }, IntegrityError);
    await rejected(subject, new Uint8Array(), { expectSizeBytes: 1 }, IntegrityError);
    await rejected(subject, bytesOf(1), { expectSizeBytes: 0 }, IntegrityError);
  });

  test("a body that never ends is given up as soon as it is longer than stated", async (subject) => {
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulls++;
        controller.enqueue(new Uint8Array(1000));
      },
    }, { highWaterMark: 0 });
    await rejected(subject, body, { expectSizeBytes: 10_500 }, IntegrityError);
    assert.ok(pulls <= 20, `${pulls}`);
  });

  test("a put that is aborted half-way leaves nothing", async (subject) => {
    const abort = new AbortController();
    let pulls = 0;
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        // The third pull never answers: an upstream that stalls.
        if (++pulls === 3) return new Promise(() => queueMicrotask(() => abort.abort(new Error("enough"))));
        controller.enqueue(bytesOf(100_000, pulls));
      },
      cancel: () => {
        cancelled = true;
      },
    }, { highWaterMark: 0 });
    await rejected(subject, body, { signal: abort.signal }, /enough/);
    assert.ok(cancelled);
  });

  test("a put with a signal that was aborted before leaves nothing", async (subject) => {
    await rejected(
      subject,
      streamInChunks(ABC),
      { signal: AbortSignal.abort(new Error("before")) },
      /before/,
    );
    await rejected(subject, ABC, { signal: AbortSignal.abort(new Error("before")) }, /before/);
  });

  test("a body that fails half-way fails the put with its own error", async (subject) => {
    let pulls = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++pulls === 3) throw new Error("cut off");
        controller.enqueue(bytesOf(100_000, pulls));
      },
    }, { highWaterMark: 0 });
    await rejected(subject, body, {}, /cut off/);
  });

  test("nothing is visible before the last byte came", async (subject) => {
    const bytes = bytesOf(200_000, 4);
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const putting = subject.store.put(readable, { maxBytes: MAX_BYTES });
    const writer = writable.getWriter();
    await writer.write(bytes);
    assert.equal(await subject.store.stat(keyOf(bytes)), null);
    assert.deepEqual(await listed(subject.store), []);
    await writer.close();
    const stat = await putting;
    assert.deepEqual(await listed(subject.store), [stat]);
  });

  test("twenty puts of the same bytes at once all end well, and one blob is there", async (subject) => {
    const bytes = bytesOf(300_000, 5);
    const stats = await Promise.all(
      Array.from({ length: 20 }, () => subject.store.put(streamInChunks(bytes), { maxBytes: MAX_BYTES })),
    );
    assert.deepEqual(new Set(stats.map((stat) => stat.key)), new Set([keyOf(bytes)]));
    assert.deepEqual(await listed(subject.store), [stats[0]]);
    assert.deepEqual(await subject.leftovers(), []);
    assert.ok(Buffer.from((await readAll(subject.store, stats[0]!.key)).bytes).equals(bytes));
  });

  test("two stores on one place see each other's blobs", async (subject) => {
    if (subject.reopen === null) return;
    const other = await subject.reopen();
    const bytes = bytesOf(LARGE_BYTES, 6);
    const both = await Promise.all(
      [subject.store, other].map((store) => store.put(streamInChunks(bytes), { maxBytes: MAX_BYTES })),
    );
    assert.deepEqual(both[0], both[1]);
    assert.ok(Buffer.from((await readAll(other, both[0]!.key)).bytes).equals(bytes));
    assert.equal(await other.delete(both[0]!.key), true);
    assert.equal(await subject.store.stat(both[0]!.key), null);
    assert.equal(await subject.store.delete(both[0]!.key), false);
  });

  test("a reader that has begun reads on although the blob is deleted, or fails: never other bytes", async ({ store }) => {
    const bytes = bytesOf(LARGE_BYTES, 7);
    const { key } = await store.put(bytes, { maxBytes: MAX_BYTES });
    const reader = (await store.get(key))!.body.getReader();
    const chunks = [(await reader.read()).value!];
    await store.delete(key);
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
    } catch {
      return;
    }
    assert.ok(Buffer.concat(chunks).equals(bytes));
  });

  test("a blob that was deleted can be put again", async ({ store }) => {
    for (let round = 0; round < 3; round++) {
      const stat = await store.put(ABC, { maxBytes: 3 });
      assert.equal(await store.delete(stat.key), true);
    }
    assert.deepEqual(await listed(store), []);
  });

  test("list is in order, goes past a thousand, and keeps to its prefix", async ({ store }) => {
    const expected: BlobKey[] = [];
    for (let batch = 0; batch < 41; batch++) {
      const stats = await Promise.all(
        Array.from(
          { length: 25 },
          (_, index) => store.put(new TextEncoder().encode(`${batch}/${index}`), { maxBytes: 20 }),
        ),
      );
      expected.push(...stats.map((stat) => stat.key));
    }
    expected.sort();
    assert.deepEqual((await listed(store)).map((stat) => stat.key), expected);
    for (
      const prefix of [
        "sha256/",
        "sha256/a",
        "sha256/ab/",
        expected[7]!.slice(0, 14),
        expected[7]!,
        "sha512/",
        "x",
      ]
    ) {
      const within = expected.filter((key) => key.startsWith(prefix));
      assert.deepEqual((await listed(store, prefix)).map((stat) => stat.key), within, prefix);
    }
  });

  test("odd labels never fail a put, and never reach beyond the store", async ({ store, leftovers }) => {
    const labels = [
      "npm/is-odd/is-odd-3.0.1.tgz",
      "npm/@types/node/node-1.0.0.tgz",
      "npm/is-odd",
      "npm/is-odd/is-odd-3.0.1.tgz/below",
      "",
      "/",
      "///",
      ".",
      "..",
      "../../../../etc/passwd",
      "a/../../b",
      "/etc/passwd",
      "a\\..\\b",
      "nul\u0000byte",
      "line\nbreak\u007f",
      "lone\ud800surrogate",
      "überlang/".repeat(60),
      "ü".repeat(4000),
      "C:/x|y*?",
    ];
    for (const [index, label] of labels.entries()) {
      const bytes = bytesOf(100, index + 1);
      const stat = await store.put(bytes, { maxBytes: 100, label });
      assert.equal(stat.key, keyOf(bytes));
      assert.deepEqual((await readAll(store, stat.key)).bytes, bytes);
    }
    assert.equal((await listed(store)).length, labels.length);
    assert.deepEqual(await leftovers(), []);
  });

  test("a name that is none is refused before anything is touched", async ({ store }) => {
    const { key } = await store.put(ABC, { maxBytes: 3 });
    const forged = [
      `${key}/../x`,
      "sha256/ab/../../etc",
      key.toUpperCase(),
      key.slice(7),
      `${key}\n`,
      "",
    ] as BlobKey[];
    for (const name of forged) {
      for (
        const ask of [
          () => store.stat(name),
          () => store.get(name),
          () => store.read(name, 9),
          () => store.delete(name),
        ]
      ) {
        await assert.rejects(ask, TypeError, JSON.stringify(name));
      }
    }
    assert.equal((await listed(store)).length, 1);
  });
}
