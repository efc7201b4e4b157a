import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytesOf, createFillRig, KB, slowlyOf, wholeOf } from "../tests/fakes/fill_rig.ts";
import { createTestSource } from "../tests/fakes/source.ts";
import { TooLargeError } from "./errors.ts";

Deno.test("follow: a body of which nothing is known is passed through and not kept", async () => {
  const bytes = bytesOf(2000 * KB);
  const rig = createFillRig();
  const source = createTestSource(bytes);
  source.allowAll();
  const unknown = rig.request(source, bytes, { expect: [] });
  const both = await Promise.all([rig.fills.follow(unknown), rig.fills.follow(unknown)]);
  const [slow, prompt] = await Promise.all([slowlyOf(both[0]), wholeOf(both[1])]);
  assert.ok(Buffer.from(slow.buffer, slow.byteOffset, slow.length).equals(bytes), "nobody is overtaken");
  assert.ok(Buffer.from(prompt.buffer).equals(bytes));
  assert.equal(source.opened, 1);
  assert.equal(both[0]!.keeps, false);
  assert.equal(await both[0]!.done, null);
  assert.deepEqual(await Array.fromAsync(rig.store.list()), []);
  assert.equal(rig.kept.length, 0);
  assert.equal(rig.time.sleeping, 0);
});

Deno.test("follow: unkept, who comes too late opens anew", async () => {
  const bytes = bytesOf(1000 * KB);
  const rig = createFillRig();
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

Deno.test("follow: unkept, a client that takes nothing is cut off, and the others go on", async () => {
  const bytes = bytesOf(2000 * KB);
  const rig = createFillRig();
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

Deno.test("follow: unkept, nothing more is fetched when the last client has gone", async () => {
  const bytes = bytesOf(2000 * KB);
  const rig = createFillRig();
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
  assert.ok(again.cancelled);
});
