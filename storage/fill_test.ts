import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytesOf, createFillRig, KB, slowlyOf, wholeOf } from "../tests/fakes/fill_rig.ts";
import { createTestSource } from "../tests/fakes/source.ts";
import { createMemoryStore } from "./artifacts/memory.ts";
import { type ArtifactStore } from "./artifacts/store.ts";
import { StorageError, UpstreamError } from "./errors.ts";

Deno.test("follow: the client has its first byte before the store has the last, and its last after the record", async () => {
  const bytes = bytesOf(200 * KB);
  const source = createTestSource(bytes);
  const order: string[] = [];
  const rig = createFillRig();
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
  const { body, done, keeps, verified } = (await following)!;
  assert.deepEqual([keeps, verified], [true, null]);
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
  const bytes = bytesOf(700 * KB);
  const source = createTestSource(bytes);
  const rig = createFillRig();
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
  const rig = createFillRig();
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
  const rig = createFillRig();
  const first = wholeOf(await (source.allow(800 * KB), rig.fills.follow(rig.request(source, bytes))));
  await rig.time.advance(0);
  const late = wholeOf(await rig.fills.follow(rig.request(source, bytes)));
  await rig.time.advance(0);
  source.allowAll();
  assert.ok(Buffer.from(await late).equals(bytes));
  assert.ok(Buffer.from(await first).equals(bytes));
  assert.equal(source.opened, 1);
});

Deno.test("follow: an empty file is a file", async () => {
  const rig = createFillRig();
  const source = createTestSource(new Uint8Array());
  const following = await rig.fills.follow(rig.request(source, new Uint8Array()));
  assert.equal((await wholeOf(following)).length, 0);
  assert.equal((await following!.done)!.sizeBytes, 0);
});

Deno.test("follow: when all clients have gone the fill goes on, to its end", async () => {
  const bytes = bytesOf(300 * KB);
  const rig = createFillRig();
  const source = createTestSource(bytes);
  const following = rig.fills.follow(rig.request(source, bytes));
  source.allow(100 * KB);
  const { body, done } = (await following)!;
  await body.cancel();
  await rig.time.advance(20_000);
  source.allowAll();
  assert.equal((await done)!.sizeBytes, bytes.length);
  assert.equal(rig.kept.length, 1);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: a fill that nobody follows ends within its bound; one who comes back in time saves it", async () => {
  const bytes = bytesOf(3000 * KB);
  const rig = createFillRig();
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
  const rig = createFillRig({ store });
  source.allowAll();
  const reading = rig.fills.follow(rig.request(source, bytes)).then(wholeOf);
  await rig.time.advance(0);
  assert.ok(source.pulledBytes <= 4 * 16_384, `${source.pulledBytes}`);
  gate.resolve();
  assert.ok(Buffer.from(await reading).equals(bytes));
});

Deno.test("createFills maxConcurrent: the others wait in order, joined by their equals; too many are refused", async () => {
  const rig = createFillRig({ maxConcurrent: 2, maxWaiting: 2 });
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
  const rig = createFillRig();
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
  const rig = createFillRig();
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
  const rig = createFillRig();
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

Deno.test("follow: who fell behind is given a little now and then, and everything once it is kept", async () => {
  const bytes = bytesOf(1000 * KB);
  const rig = createFillRig();
  const source = createTestSource(bytes, { chunkBytes: 64 * KB });
  const starting = rig.fills.follow(rig.request(source, bytes));
  source.allow(128 * KB);
  const reader = (await starting)!.body.getReader();
  const chunks = [(await reader.read()).value!];
  source.allow(700 * KB);
  await rig.time.advance(0);
  const whenGiven: number[] = [];
  const from = rig.time.clock();
  const reading = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      chunks.push(next.value);
      whenGiven.push(rig.time.clock() - from);
    }
  })();
  for (let seconds = 0; seconds < 20; seconds++) {
    source.allow(1);
    await rig.time.advance(1000);
  }
  assert.deepEqual(whenGiven, [5000, 10_000, 15_000, 20_000]);
  assert.deepEqual(chunks.slice(1).map((chunk) => chunk.length), [1024, 1024, 1024, 1024]);
  source.allowAll();
  await reading;
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.equal(rig.time.sleeping, 0);
});
