import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createTestClock } from "../tests/fakes/clock.ts";
import { createTestSource, type TestSource } from "../tests/fakes/source.ts";
import { createMemoryStore } from "./artifacts/memory.ts";
import type { ArtifactStore, BlobStat } from "./artifacts/store.ts";
import { createBackground } from "./background.ts";
import { IntegrityError, StorageError, TooLargeError, UpstreamError } from "./errors.ts";
import { createFills, type FillRequest, type FillsOptions, type Following } from "./fill.ts";

const KB = 1024;

function bytesOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7) & 0xff;
  return bytes;
}

function sha512(bytes: Uint8Array): string {
  return createHash("sha512").update(bytes).digest("hex");
}

interface Rig {
  readonly fills: ReturnType<typeof createFills>;
  readonly store: ArtifactStore;
  readonly time: ReturnType<typeof createTestClock>;
  readonly logged: readonly (readonly [level: string, message: string])[];
  readonly kept: readonly BlobStat[];
  request(source: Pick<TestSource, "open">, bytes: Uint8Array, more?: Partial<FillRequest>): FillRequest;
}

function createRig(options: Partial<FillsOptions> = {}): Rig {
  const time = createTestClock();
  const store = options.store ?? createMemoryStore({ maxBytes: 100_000_000 });
  const logged: [string, string][] = [];
  const kept: BlobStat[] = [];
  const log = (level: string, message: string) => void logged.push([level, message]);
  const fills = createFills({
    background: createBackground({ log, timers: time.timers }),
    log,
    clock: time.clock,
    timers: time.timers,
    windowBytes: 256 * KB,
    idleMs: 30_000,
    unfollowedMs: 120_000,
    ...options,
    store,
  });
  const request: Rig["request"] = (source, bytes, more = {}) => ({
    key: "npm/x/x-1.0.0.tgz",
    label: "npm/x/x-1.0.0.tgz",
    open: source.open,
    expect: [{ algorithm: "sha512", hex: sha512(bytes) }],
    expectSizeBytes: null,
    maxBytes: 100_000_000,
    kept: (stat) => {
      kept.push(stat);
      return Promise.resolve();
    },
    ...more,
  });
  return { fills, store, time, logged, kept, request };
}

async function wholeOf(following: Following | null): Promise<Uint8Array> {
  assert.ok(following);
  return new Uint8Array(await new Response(following.body).arrayBuffer());
}

/** As `wholeOf`, each read after a turn of the loop. */
async function slowlyOf(following: Following | null): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of following!.body) {
    chunks.push(chunk);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return Buffer.concat(chunks);
}

Deno.test("follow: the client has its first byte before the store has the last, and its last after the record", async () => {
  const bytes = bytesOf(200 * KB);
  const source = createTestSource(bytes);
  const order: string[] = [];
  const rig = createRig();
  const recorded = Promise.withResolvers<void>();
  const following = rig.fills.follow(rig.request(source, bytes, {
    kept: async (stat) => {
      assert.ok(await rig.store.stat(stat.key), "the blob is visible when kept is called");
      order.push("kept");
      await recorded.promise;
      order.push("recorded");
    },
  }));
  source.allow(100 * KB);
  const { body, done, verified } = (await following)!;
  assert.equal(verified, null);
  const reader = body.getReader();
  const first = await reader.read();
  assert.ok(first.value!.length > 0);
  assert.deepEqual(await Array.fromAsync(rig.store.list()), []);

  source.allowAll();
  let taken = first.value!.length;
  const rest = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      taken += next.value.length;
      if (taken === bytes.length) order.push("last byte");
    }
  })();
  await rig.time.advance(0);
  assert.ok(taken < bytes.length && taken > 150 * KB, `${taken}: all but the last chunk`);
  assert.deepEqual(order, ["kept"]);
  recorded.resolve();
  await rest;
  assert.deepEqual(order, ["kept", "recorded", "last byte"]);
  assert.equal((await done)!.sizeBytes, bytes.length);
  assert.equal(rig.time.sleeping, 0, "no timer is left");
});

Deno.test("follow: five hundred at once are one opening; the first and the slowest get identical bytes", async () => {
  const bytes = bytesOf(1500 * KB);
  const source = createTestSource(bytes);
  const rig = createRig();
  const following = Array.from({ length: 500 }, () => rig.fills.follow(rig.request(source, bytes)));
  assert.ok(rig.fills.running <= 1);
  source.allow(100 * KB);
  const all = await Promise.all(following);
  // The last fifty begin only when everything is over, and long after the window has left them behind.
  const [late, slow, prompt] = [all.slice(450), all.slice(440, 450), all.slice(0, 440)];
  const reading = Promise.all([...prompt.map(wholeOf), ...slow.map(slowlyOf)]);
  source.allowAll();
  const got = [...await reading, ...await Promise.all(late.map(wholeOf))];
  assert.equal(source.opened, 1);
  assert.equal(source.pulledBytes, bytes.length);
  assert.equal(rig.kept.length, 1);
  for (const each of got) assert.ok(Buffer.from(each.buffer).equals(bytes));
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: who never reads, and who reads one chunk and stops, hold nobody up", async () => {
  const bytes = bytesOf(2000 * KB);
  const source = createTestSource(bytes);
  const rig = createRig();
  const [never, once, healthy] = [1, 2, 3].map(() => rig.fills.follow(rig.request(source, bytes)));
  source.allowAll();
  assert.ok(await never);
  await (await once)!.body.getReader().read();
  assert.ok(Buffer.from(await wholeOf(await healthy!)).equals(bytes));
  assert.equal((await (await never!)!.done)!.sizeBytes, bytes.length);
});

Deno.test("follow: who joins when the beginning has left the window waits for the commit and gets all of it", async () => {
  const bytes = bytesOf(1000 * KB);
  const source = createTestSource(bytes);
  const rig = createRig();
  const first = wholeOf(await (source.allow(800 * KB), rig.fills.follow(rig.request(source, bytes))));
  await rig.time.advance(0);
  const late = wholeOf(await rig.fills.follow(rig.request(source, bytes)));
  await rig.time.advance(0);
  source.allowAll();
  assert.ok(Buffer.from(await late).equals(bytes));
  assert.ok(Buffer.from(await first).equals(bytes));
  assert.equal(source.opened, 1);
});

Deno.test("follow: a wrong digest fails every client's stream, is kept nowhere, is told once, and the next may try", async () => {
  const bytes = bytesOf(300 * KB);
  const wrong = createTestSource(bytesOf(300 * KB).fill(1, 299 * KB));
  const rig = createRig();
  const following = Array.from({ length: 5 }, () => rig.fills.follow(rig.request(wrong, bytes)));
  wrong.allowAll();
  for (const each of await Promise.all(following)) {
    let taken = 0;
    await assert.rejects(async () => {
      for await (const chunk of each!.body) taken += chunk.length;
    }, IntegrityError);
    assert.ok(taken < bytes.length, "nobody has all of it");
    await assert.rejects(each!.done, IntegrityError);
  }
  assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
  assert.equal(rig.kept.length, 0);
  assert.deepEqual(rig.logged.map(([level]) => level), ["error"]);
  assert.match(rig.logged[0]![1], /Cannot keep "npm\/x\/x-1.0.0.tgz": its sha512 is /);

  const right = createTestSource(bytes);
  right.allowAll();
  assert.ok(Buffer.from(await wholeOf(await rig.fills.follow(rig.request(right, bytes)))).equals(bytes));
});

Deno.test("follow: a small file that is wrong fails before its first byte; one that is right is known at once", async () => {
  const bytes = bytesOf(1000);
  const rig = createRig();
  const wrong = createTestSource(bytesOf(1000).fill(1));
  wrong.allowAll();
  await assert.rejects(rig.fills.follow(rig.request(wrong, bytes)), IntegrityError);
  const right = createTestSource(bytes);
  right.allowAll();
  const following = await rig.fills.follow(rig.request(right, bytes));
  assert.equal(following!.verified!.sizeBytes, 1000);
  assert.deepEqual(await wholeOf(following), bytes);
});

Deno.test("follow: an empty file is a file", async () => {
  const rig = createRig();
  const source = createTestSource(new Uint8Array());
  const following = await rig.fills.follow(rig.request(source, new Uint8Array()));
  assert.equal((await wholeOf(following)).length, 0);
  assert.equal((await following!.done)!.sizeBytes, 0);
});

Deno.test("follow: absent is null for all, and what opening throws is thrown to all", async () => {
  const rig = createRig();
  let opened = 0;
  const absent = { open: () => (opened++, Promise.resolve(null)) } as unknown as TestSource;
  const answers = await Promise.all([1, 2, 3].map(() => rig.fills.follow(rig.request(absent, bytesOf(1)))));
  assert.deepEqual(answers, [null, null, null]);
  assert.equal(opened, 1);
  const error = new UpstreamError("Cannot reach it", {
    kind: "connection",
    origin: "http://registry.example",
  });
  const broken = { open: () => Promise.reject(error) } as unknown as TestSource;
  for (const each of [1, 2].map(() => rig.fills.follow(rig.request(broken, bytesOf(1))))) {
    await assert.rejects(each, (thrown) => thrown === error);
  }
  assert.equal(rig.fills.running, 0);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: a connection that breaks is an UpstreamError with its cause, before or after the first byte", async () => {
  const bytes = bytesOf(100 * KB);
  for (const sent of [0, 60 * KB, 100 * KB - 1]) {
    const rig = createRig();
    const source = createTestSource(bytes);
    const cause = new TypeError("reset");
    const following = rig.fills.follow(rig.request(source, bytes, { origin: "http://registry.example" }));
    source.allow(sent);
    source.fail(cause);
    await assert.rejects(async () => await wholeOf(await following), (error) => {
      assert.ok(error instanceof UpstreamError);
      assert.deepEqual(error.detail, { kind: "connection", origin: "http://registry.example" });
      assert.equal(error.cause, cause);
      return true;
    });
    assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
    assert.deepEqual(rig.logged, [], "whoever follows tells it");
  }
});

Deno.test("follow: an upstream that sends nothing is a timeout; a clock that jumps is none", async () => {
  const bytes = bytesOf(100 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  const following = rig.fills.follow(rig.request(source, bytes));
  source.allow(50 * KB);
  const reading = wholeOf(await following);
  reading.catch(() => {});
  rig.time.jump(3_600_000);
  await rig.time.advance(29_000);
  source.allow(10 * KB);
  await rig.time.advance(29_000);
  assert.equal(source.cancelled, false);
  await rig.time.advance(10_000);
  await assert.rejects(reading, (error) => error instanceof UpstreamError && error.detail.kind === "timeout");
  assert.ok(source.cancelled);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: when all clients have gone the fill goes on, to its end", async () => {
  const bytes = bytesOf(300 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  const following = rig.fills.follow(rig.request(source, bytes));
  source.allow(100 * KB);
  const { body, done } = (await following)!;
  await body.cancel();
  await rig.time.advance(60_000 - 40_000);
  source.allowAll();
  assert.equal((await done)!.sizeBytes, bytes.length);
  assert.equal(rig.kept.length, 1);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: a fill that nobody follows ends within its bound; one who comes back in time saves it", async () => {
  const bytes = bytesOf(3000 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  const trickle = async (steps: number) => {
    for (let step = 0; step < steps; step++) {
      source.allow(20 * KB);
      await rig.time.advance(20_000);
    }
  };
  const starting = rig.fills.follow(rig.request(source, bytes));
  source.allow(100 * KB);
  await (await starting)!.body.cancel();
  await trickle(5);
  const second = await rig.fills.follow(rig.request(source, bytes));
  await trickle(20);
  assert.equal(source.cancelled, false, "somebody follows");
  await second!.body.cancel();
  await trickle(5);
  assert.equal(source.cancelled, false);
  await trickle(2);
  assert.ok(source.cancelled);
  assert.equal(source.opened, 1);
  await assert.rejects(second!.done, UpstreamError);
  assert.deepEqual(rig.logged.map(([level]) => level), ["warn"], "nobody else could tell");
  assert.equal(rig.fills.running, 0);
});

Deno.test("follow: the bytes are held to what was stated, by the index or by upstream", async () => {
  const bytes = bytesOf(100 * KB);
  for (
    const [expectSizeBytes, sizeBytes] of [[100 * KB + 1, null], [100 * KB - 1, null], [
      null,
      101 * KB,
    ]] as const
  ) {
    const rig = createRig();
    const source = createTestSource(bytes, { sizeBytes });
    source.allowAll();
    const reading = (async () =>
      await wholeOf(await rig.fills.follow(rig.request(source, bytes, { expectSizeBytes }))))();
    await assert.rejects(reading, IntegrityError, `${expectSizeBytes} ${sizeBytes}`);
    assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
  }
  const rig = createRig();
  const source = createTestSource(bytes, { sizeBytes: bytes.length });
  source.allowAll();
  await wholeOf(await rig.fills.follow(rig.request(source, bytes, { expect: [] })));
  assert.equal(rig.kept.length, 1, "a stated length is enough to be kept");
});

Deno.test("follow: more than maxBytes is a TooLargeError, at once where upstream says so", async () => {
  const bytes = bytesOf(100 * KB);
  const rig = createRig();
  const honest = createTestSource(bytes, { sizeBytes: bytes.length });
  await assert.rejects(rig.fills.follow(rig.request(honest, bytes, { maxBytes: 1000 })), TooLargeError);
  assert.ok(honest.cancelled);
  assert.equal(honest.pulledBytes, 0);
  const silent = createTestSource(bytes);
  silent.allowAll();
  const reading =
    (async () => await wholeOf(await rig.fills.follow(rig.request(silent, bytes, { maxBytes: 90_000 }))))();
  await assert.rejects(reading, TooLargeError);
});

Deno.test("follow: what the store or the record cannot do fails the client's download", async () => {
  const bytes = bytesOf(300 * KB);
  const full = createRig({ store: createMemoryStore({ maxBytes: 200 * KB }) });
  const source = createTestSource(bytes);
  source.allowAll();
  await assert.rejects(
    async () => await wholeOf(await full.fills.follow(full.request(source, bytes))),
    StorageError,
  );
  assert.ok(source.cancelled);

  const rig = createRig();
  const again = createTestSource(bytes);
  again.allowAll();
  const failing = rig.request(again, bytes, {
    kept: () => Promise.reject(new StorageError("Cannot write the record")),
  });
  await assert.rejects(async () => await wholeOf(await rig.fills.follow(failing)), /Cannot write the record/);
});

Deno.test("follow: the store's pace is upstream's", async () => {
  const memory = createMemoryStore({ maxBytes: 10_000_000 });
  const gate = Promise.withResolvers<void>();
  const store: ArtifactStore = {
    ...memory,
    put: async (body, options) => {
      const slow = (body as ReadableStream<Uint8Array>).pipeThrough(
        new TransformStream(
          {
            transform: async (chunk, controller) => {
              controller.enqueue(chunk);
              await gate.promise;
            },
          },
          { highWaterMark: 1 },
          { highWaterMark: 0 },
        ),
      );
      return await memory.put(slow, options);
    },
  };
  const bytes = bytesOf(2000 * KB);
  const source = createTestSource(bytes);
  const rig = createRig({ store });
  source.allowAll();
  const reading = rig.fills.follow(rig.request(source, bytes)).then(wholeOf);
  await rig.time.advance(0);
  assert.ok(source.pulledBytes <= 4 * 16_384, `${source.pulledBytes}`);
  gate.resolve();
  assert.ok(Buffer.from(await reading).equals(bytes));
});

Deno.test("createFills maxConcurrent: the others wait in order, joined by their equals; too many are refused", async () => {
  const rig = createRig({ maxConcurrent: 2, maxWaiting: 2 });
  const bytes = bytesOf(1000);
  const sources = Array.from({ length: 4 }, () => createTestSource(bytes));
  const all = sources.map((source, index) =>
    rig.fills.follow(rig.request(source, bytes, { key: `${index}` }))
  );
  const equal = rig.fills.follow(rig.request(sources[3]!, bytes, { key: "3" }));
  const refused = rig.fills.follow(rig.request(sources[3]!, bytes, { key: "another" }));
  await assert.rejects(refused, StorageError);
  await rig.time.advance(0);
  assert.deepEqual(sources.map((source) => source.opened), [1, 1, 0, 0]);
  assert.equal(rig.fills.running, 4);
  sources[1]!.allowAll();
  await rig.time.advance(0);
  assert.deepEqual(sources.map((source) => source.opened), [1, 1, 1, 0]);
  for (const source of sources) source.allowAll();
  for (const each of await Promise.all([...all, equal])) assert.deepEqual(await wholeOf(each), bytes);
  assert.deepEqual(sources.map((source) => source.opened), [1, 1, 1, 1]);
});

Deno.test("follow: a fill that has just ended is joined; one whose blob was purged, or that ended long ago, is not", async () => {
  const bytes = bytesOf(100 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  source.allowAll();
  const get = async () => await wholeOf(await rig.fills.follow(rig.request(source, bytes)));
  await get();
  await rig.time.advance(1000);
  assert.ok(Buffer.from(await get()).equals(bytes));
  assert.equal(source.opened, 1);
  await rig.store.delete(rig.kept[0]!.key);
  assert.ok(Buffer.from(await get()).equals(bytes));
  assert.equal(source.opened, 2);
  await rig.time.advance(3000);
  await get();
  assert.equal(source.opened, 3);
});

Deno.test("follow: nobody joins a fill that checks against other digests", async () => {
  const rig = createRig();
  const [one, other] = [bytesOf(1000), bytesOf(2000)];
  const sources = [createTestSource(one), createTestSource(other)];
  const both = [
    rig.fills.follow(rig.request(sources[0]!, one)),
    rig.fills.follow(rig.request(sources[1]!, other)),
  ];
  for (const source of sources) source.allowAll();
  const [first, second] = await Promise.all(both);
  assert.deepEqual(await wholeOf(first!), one);
  assert.deepEqual(await wholeOf(second!), other);
});

Deno.test("drain: resolves when the last fill has ended, or at its bound", async () => {
  const rig = createRig();
  await rig.fills.drain(1000);
  const bytes = bytesOf(1000);
  const source = createTestSource(bytes);
  const following = rig.fills.follow(rig.request(source, bytes));
  await rig.time.advance(0);
  let drained = 0;
  rig.fills.drain(1000).then(() => drained++);
  await rig.time.advance(999);
  assert.equal(drained, 0);
  await rig.time.advance(1);
  assert.equal(drained, 1);
  const second = rig.fills.drain(1000);
  source.allowAll();
  await second;
  await wholeOf(await following);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: a body of which nothing is known is passed through and not kept", async () => {
  const bytes = bytesOf(2000 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  source.allowAll();
  const unknown = rig.request(source, bytes, { expect: [] });
  const both = await Promise.all([rig.fills.follow(unknown), rig.fills.follow(unknown)]);
  const [slow, prompt] = await Promise.all([slowlyOf(both[0]), wholeOf(both[1])]);
  assert.ok(Buffer.from(slow.buffer, slow.byteOffset, slow.length).equals(bytes), "nobody is overtaken");
  assert.ok(Buffer.from(prompt.buffer).equals(bytes));
  assert.equal(source.opened, 1);
  assert.equal(await both[0]!.done, null);
  assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
  assert.equal(rig.kept.length, 0);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: of a body that is not kept, who comes too late opens anew", async () => {
  const bytes = bytesOf(1000 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  source.allow(800 * KB);
  const unknown = rig.request(source, bytes, { expect: [] });
  const first = wholeOf(await rig.fills.follow(unknown));
  await rig.time.advance(0);
  const late = wholeOf(await rig.fills.follow(unknown));
  source.allowAll();
  assert.ok(Buffer.from(await late).equals(bytes));
  assert.ok(Buffer.from(await first).equals(bytes));
  assert.equal(source.opened, 2);
});

Deno.test("follow: of a body that is not kept, a client that takes nothing is cut off, and the others go on", async () => {
  const bytes = bytesOf(2000 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  source.allowAll();
  const unknown = rig.request(source, bytes, { expect: [] });
  const [stalled, healthy] = await Promise.all([rig.fills.follow(unknown), rig.fills.follow(unknown)]);
  const reading = wholeOf(healthy);
  await rig.time.advance(29_000);
  assert.ok(source.pulledBytes < 400 * KB, "it waits");
  await rig.time.advance(2_000);
  assert.ok(Buffer.from(await reading).equals(bytes));
  await assert.rejects(wholeOf(stalled), /its client took nothing for 30000 ms/);
});

Deno.test("follow: of a body that is not kept, nothing more is fetched when the last client has gone", async () => {
  const bytes = bytesOf(2000 * KB);
  const rig = createRig();
  const source = createTestSource(bytes);
  source.allow(100 * KB);
  const following = await rig.fills.follow(rig.request(source, bytes, { expect: [] }));
  await following!.body.cancel();
  await rig.time.advance(0);
  assert.ok(source.cancelled);
  assert.equal(rig.fills.running, 0);
  assert.equal(rig.time.sleeping, 0);
  const large = rig.request(createTestSource(bytes), bytes, { expect: [], maxBytes: 50 * KB });
  const again = createTestSource(bytes);
  again.allowAll();
  await assert.rejects(
    async () => await wholeOf(await rig.fills.follow({ ...large, open: again.open })),
    TooLargeError,
  );
});
