import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytesOf, createFillRig, KB, wholeOf } from "../tests/fakes/fill_rig.ts";
import { createTestSource, type TestSource } from "../tests/fakes/source.ts";
import { IntegrityError, StorageError, TooLargeError, UpstreamError } from "./errors.ts";

Deno.test("follow: a wrong digest fails every client's stream, is kept nowhere, is told once, and the next may try", async () => {
  const bytes = bytesOf(300 * KB);
  const wrong = createTestSource(bytesOf(300 * KB).fill(1, 299 * KB));
  const rig = createFillRig();
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
  const rig = createFillRig();
  const wrong = createTestSource(bytesOf(1000).fill(1));
  wrong.allowAll();
  await assert.rejects(rig.fills.follow(rig.request(wrong, bytes)), IntegrityError);
  assert.deepEqual(rig.logged, [], "whoever follows tells it");
  const right = createTestSource(bytes);
  right.allowAll();
  const following = await rig.fills.follow(rig.request(right, bytes));
  assert.equal(following!.verified!.sizeBytes, 1000);
  assert.deepEqual(await wholeOf(following), bytes);
});

Deno.test("follow: absent is null for all, and what opening throws is thrown to all", async () => {
  const rig = createFillRig();
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
    const rig = createFillRig();
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
    assert.equal(
      rig.logged.length,
      sent === 0 ? 0 : 1,
      "whoever follows tells it, until the first byte is out",
    );
  }
});

Deno.test("follow: an upstream that sends nothing is a timeout; a clock that jumps is none", async () => {
  const bytes = bytesOf(100 * KB);
  const rig = createFillRig();
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

Deno.test("follow: the bytes are held to what was stated, by the index or by upstream", async () => {
  const bytes = bytesOf(100 * KB);
  for (
    const [expectSizeBytes, sizeBytes] of [[100 * KB + 1, null], [100 * KB - 1, null], [
      null,
      101 * KB,
    ]] as const
  ) {
    const rig = createFillRig();
    const source = createTestSource(bytes, { sizeBytes });
    source.allowAll();
    const reading = (async () =>
      await wholeOf(await rig.fills.follow(rig.request(source, bytes, { expectSizeBytes }))))();
    await assert.rejects(reading, IntegrityError, `${expectSizeBytes} ${sizeBytes}`);
    assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
  }
  const rig = createFillRig();
  const source = createTestSource(bytes, { sizeBytes: bytes.length });
  source.allowAll();
  await wholeOf(await rig.fills.follow(rig.request(source, bytes, { expect: [] })));
  assert.equal(rig.kept.length, 1, "a stated length is enough to be kept");
});

Deno.test("follow: more than maxBytes is a TooLargeError, at once where upstream says so", async () => {
  const bytes = bytesOf(100 * KB);
  const rig = createFillRig();
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

Deno.test("follow: what the record cannot do fails the client's download", async () => {
  const bytes = bytesOf(300 * KB);
  const rig = createFillRig();
  const again = createTestSource(bytes);
  again.allowAll();
  const failing = rig.request(again, bytes, {
    kept: () => Promise.reject(new StorageError("Cannot write the record")),
  });
  await assert.rejects(async () => await wholeOf(await rig.fills.follow(failing)), /Cannot write the record/);
});
