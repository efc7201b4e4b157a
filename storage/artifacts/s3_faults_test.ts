/** What a network and a busy server do to a store, through a faulty front before the real server. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type S3Fault, startS3Front } from "../../tests/fakes/s3_front.ts";
import { createS3World, S3_MISSING } from "../../tests/fakes/s3_server.ts";
import { StorageError } from "../errors.ts";
import type { S3Store } from "./s3.ts";
import { PART_BYTES } from "./s3_upload.ts";

const world = createS3World();
const SMALL = new Uint8Array(200_000).fill(5);
const LARGE = new Uint8Array(2 * PART_BYTES + 1_000_000).fill(9);
const ANY = /./;
const PART = /partNumber=/;

type How = S3Fault["how"];
const slow: How = { kind: "refuse", status: 503, code: "SlowDown" };
const lost: How = { kind: "cutAnswer", afterBytes: 0 };

if (S3_MISSING === null) {
  Deno.test.beforeAll(() => world.start());
  Deno.test.afterAll(() => world.stop());
}

function test(name: string, faults: readonly S3Fault[], run: (store: S3Store) => Promise<void>): void {
  Deno.test({
    name: S3_MISSING === null ? name : `${name} (skipped: ${S3_MISSING})`,
    ignore: S3_MISSING !== null,
    fn: async () => {
      const direct = world.place("faults");
      const sound = await world.open(direct);
      const front = startS3Front(world.server.port, faults.map((fault) => ({ ...fault })));
      try {
        const store = await world.open({ ...direct, origin: front.endpoint });
        await store.cleaned;
        const { key } = await sound.put(new Uint8Array([1]), { maxBytes: 1 });
        await run(store);
        assert.ok(front.struck.every((count) => count > 0), `not every fault struck: ${front.struck}`);
        for await (const blob of sound.list()) {
          const whole = [1, SMALL.length, LARGE.length].includes(blob.sizeBytes);
          assert.ok(whole, `${blob.sizeBytes} bytes are visible`);
        }
        assert.equal((await sound.stat(key))?.sizeBytes, 1);
        assert.deepEqual(await world.leftovers(direct), []);
      } finally {
        await world.close();
        await front[Symbol.asyncDispose]();
      }
    },
  });
}

async function putAndRead(store: S3Store, bytes: Uint8Array): Promise<void> {
  const { key } = await store.put(bytes, { maxBytes: bytes.length });
  assert.ok(Buffer.from((await store.read(key, bytes.length))!).equals(bytes));
}

const PASSING: readonly (readonly [what: string, bytes: Uint8Array, faults: readonly S3Fault[]])[] = [
  ["a small blob, SlowDown thrice", SMALL, [{ method: "PUT", target: ANY, times: 3, how: slow }]],
  ["a part, SlowDown thrice", LARGE, [{ method: "PUT", target: PART, times: 3, how: slow }]],
  ["an upload's beginning, SlowDown", LARGE, [{ method: "POST", target: /uploads=/, times: 2, how: slow }]],
  ["an upload's end, SlowDown", LARGE, [{ method: "POST", target: /uploadId=/, times: 2, how: slow }]],
  ["a small blob, cut in the middle", SMALL, [
    { method: "PUT", target: ANY, times: 1, how: { kind: "cutRequest", afterBytes: 100_000 } },
  ]],
  ["a part, cut in the middle", LARGE, [
    { method: "PUT", target: PART, times: 2, how: { kind: "cutRequest", afterBytes: 4_000_000 } },
  ]],
  ["a small blob, its answer lost", SMALL, [{ method: "PUT", target: ANY, times: 1, how: lost }]],
  ["a part, its answer lost", LARGE, [{ method: "PUT", target: PART, times: 1, how: lost }]],
  ["an upload's end, its answer lost", LARGE, [{
    method: "POST",
    target: /uploadId=/,
    times: 1,
    how: lost,
  }]],
  ["the copy, its answer lost", LARGE, [{ method: "PUT", target: /sha256\//, times: 1, how: lost }]],
  ["a read, SlowDown", SMALL, [{ method: "GET", target: /sha256\/../, times: 2, how: slow }]],
  ["a read, cut in the middle", LARGE, [
    { method: "GET", target: /sha256\/../, times: 2, how: { kind: "cutAnswer", afterBytes: 5_000_000 } },
  ]],
];

for (const [what, bytes, faults] of PASSING) {
  test(`S3 store: tries again and ends well: ${what}`, faults, (store) => putAndRead(store, bytes));
}

const LASTING: readonly (readonly [what: string, bytes: Uint8Array, fault: S3Fault, says: RegExp])[] = [
  [
    "a small blob, SlowDown without end",
    SMALL,
    { method: "PUT", target: ANY, times: Infinity, how: slow },
    /: it asks to slow down, and went on asking \(SlowDown\)$/,
  ],
  [
    "a part, SlowDown without end",
    LARGE,
    { method: "PUT", target: PART, times: Infinity, how: slow },
    /: it asks to slow down/,
  ],
  [
    "a part, cut in the middle each time",
    LARGE,
    { method: "PUT", target: PART, times: Infinity, how: { kind: "cutRequest", afterBytes: 1_000_000 } },
    /: the connection was cut$/,
  ],
  [
    "credentials that expire between two parts",
    LARGE,
    {
      method: "PUT",
      target: /partNumber=2/,
      times: 1,
      how: { kind: "refuse", status: 400, code: "ExpiredToken" },
    },
    /: the credentials have expired \(AWS_SESSION_TOKEN\)$/,
  ],
  [
    "a bucket that is full",
    SMALL,
    {
      method: "PUT",
      target: ANY,
      times: 1,
      how: { kind: "refuse", status: 403, code: "QuotaExceeded" },
    },
    /: the bucket's quota is used up$/,
  ],
];

for (const [what, bytes, fault, says] of LASTING) {
  test(`S3 store: fails by name and leaves nothing: ${what}`, [fault], async (store) => {
    await assert.rejects(store.put(bytes, { maxBytes: bytes.length, label: "npm/x" }), (error) => {
      assert.ok(error instanceof StorageError, String(error));
      assert.match(error.message, /^Cannot keep "npm\/x" in "s3:\/\/suite\//);
      assert.match(error.message, says);
      assert.doesNotMatch(Deno.inspect(error, { depth: 9 }), /hunter2|testsecret/);
      return true;
    });
  });
}

test("S3 store: a read that is cut each time fails, and is never shorter than it should be", [
  { method: "GET", target: /sha256\/../, times: Infinity, how: { kind: "cutAnswer", afterBytes: 300_000 } },
], async (store) => {
  const { key } = await store.put(LARGE, { maxBytes: LARGE.length });
  await assert.rejects(store.read(key, LARGE.length), (error) => {
    assert.ok(error instanceof StorageError, String(error));
    assert.match(error.message, /^Cannot read sha256\/.*: the connection was cut$/);
    return true;
  });
});

test("S3 store: a bucket that vanishes is no absent blob", [
  {
    method: "GET",
    target: /sha256\/../,
    times: 1,
    how: { kind: "refuse", status: 404, code: "NoSuchBucket" },
  },
], async (store) => {
  const { key } = await store.put(SMALL, { maxBytes: SMALL.length });
  await assert.rejects(store.get(key), /the bucket "suite" does not exist$/);
});

const EXPIRED: readonly (readonly [status: number, code: string, says: RegExp])[] = [
  [400, "ExpiredToken", /: the credentials have expired \(AWS_SESSION_TOKEN\)$/],
  [403, "ExpiredToken", /: the credentials have expired \(AWS_SESSION_TOKEN\)$/],
  [403, "RequestTimeTooSkewed", /: the clock of this machine and the server's are too far apart$/],
  [403, "AccessDenied", /: these credentials may not do that \(AccessDenied\)$/],
];

for (const [status, code, says] of EXPIRED) {
  const how = { kind: "refuse", status, code } as const;
  const faults = [
    { method: "GET", target: /sha256\/../, times: 1, how },
    // A small blob is put without a look; what is beyond 256 kB is looked for first.
    { method: "HEAD", target: ANY, times: 1, how: { ...how, status: 403 } },
  ];
  test(
    `S3 store: ${status} ${code} while it runs is no absent blob, and told as what it is`,
    faults,
    async (store) => {
      const { key } = await store.put(SMALL, { maxBytes: SMALL.length });
      await assert.rejects(store.get(key), (error) => {
        assert.ok(error instanceof StorageError, String(error));
        assert.match(error.message, says);
        return true;
      });
      await assert.rejects(store.stat(key), /: these credentials may not do that, or have expired \(403\)$/);
      assert.ok(await store.read(key, SMALL.length) !== null, "and when it is over, it is there");
    },
  );
}

Deno.test({
  name: "createS3Store: credentials that have expired are told at the start, by name",
  ignore: S3_MISSING !== null,
  fn: async () => {
    const how = { kind: "refuse", status: 403, code: "ExpiredToken" } as const;
    await using front = startS3Front(world.server.port, [{ method: "GET", target: ANY, times: 1, how }]);
    const opening = world.open({ ...world.place("expired"), origin: front.endpoint });
    await assert.rejects(
      opening,
      /^StorageError: Cannot keep artifacts in "s3:\/\/suite\/.*: the credentials have expired \(AWS_SESSION_TOKEN\)$/,
    );
    await world.close();
  },
});
