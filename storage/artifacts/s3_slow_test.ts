/** Readers that stop in the middle: they hold no connection, and go on where they were. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createS3World, S3_MISSING, s3Skip } from "../../tests/fakes/s3_server.ts";
import { sha256Of } from "./key.ts";

/** More than there are connections for reading. */
const STALLED = 250;
const SIZE_BYTES = 3_000_000;

Deno.test({
  name: `S3 store get: 250 readers that stop hold up no other one, and each goes on where it was${s3Skip}`,
  ignore: S3_MISSING !== null,
  async fn() {
    const world = createS3World();
    await world.start();
    try {
      const store = await world.open(world.place("slow"));
      const bytes = Uint8Array.from({ length: SIZE_BYTES }, (_, at) => at * 7919 % 251);
      const { key, sizeBytes } = await store.put(bytes, { maxBytes: SIZE_BYTES });

      const readers = await Promise.all(Array.from({ length: STALLED }, async () => {
        const reader = (await store.get(key))!.body.getReader();
        const { value } = await reader.read();
        return { reader, first: value! };
      }));
      const whole = await store.read(key, sizeBytes);
      assert.ok(Buffer.from(whole!).equals(bytes));

      for (const { reader, first } of readers.slice(-3)) {
        const hash = createHash("sha256").update(first);
        for (let next = await reader.read(); !next.done; next = await reader.read()) hash.update(next.value);
        assert.equal(hash.digest("hex"), sha256Of(key));
      }
      await Promise.all(readers.map(({ reader }) => reader.cancel()));
      await (await store.get(key))!.body.cancel();
    } finally {
      await world.close();
      await world.stop();
    }
  },
});
