import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { StorageError } from "../errors.ts";
import { realTimers } from "../timers.ts";
import { readBody } from "./content.ts";
import { responseAt } from "./response.ts";

const MEGABYTE = 1024 * 1024;

/** In pieces of 64 kB; `given` is how many bytes of it were taken. */
function bodyOf(bytes: Uint8Array, encoding?: string) {
  let given = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(bytes.slice(given, given + 65_536));
      given = Math.min(given + 65_536, bytes.length);
      if (given === bytes.length) controller.close();
    },
  }, { highWaterMark: 0 });
  const headers = encoding === undefined ? {} : { "content-encoding": encoding };
  const response = responseAt("http://registry.example/x", stream, { status: 200, headers });
  return { response, given: () => given };
}

Deno.test("readBody: a large body waits for its turn, and no more than a megabyte of it is read before", async () => {
  const turn = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const { response, given } = bodyOf(new Uint8Array(3 * MEGABYTE));
  const large = () => (asked.resolve(), turn.promise);
  const body = readBody(response, 8 * MEGABYTE, { timers: realTimers, large });
  await asked.promise;
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(given() > MEGABYTE / 2 && given() <= MEGABYTE + 2 * 65_536, String(given()));
  turn.resolve();
  assert.equal((await body).byteLength, 3 * MEGABYTE);
});

Deno.test("readBody: what is large once it is decoded waits too; what is small does not", async () => {
  let asked = 0;
  const large = () => Promise.resolve(void asked++);
  const inflating = new Uint8Array(gzipSync(new Uint8Array(3 * MEGABYTE)));
  assert.equal(
    (await readBody(bodyOf(inflating, "gzip").response, 8 * MEGABYTE, { timers: realTimers, large }))
      .byteLength,
    3 * MEGABYTE,
  );
  assert.ok(asked > 0);
  asked = 0;
  await readBody(bodyOf(new Uint8Array(MEGABYTE)).response, 8 * MEGABYTE, { timers: realTimers, large });
  assert.equal(asked, 0);
});

Deno.test("readBody: where too many wait for their turn, it fails as the storage does", async () => {
  const large = () => Promise.reject(new StorageError("too many wait"));
  const inflating = new Uint8Array(gzipSync(new Uint8Array(3 * MEGABYTE)));
  await assert.rejects(
    readBody(bodyOf(inflating, "gzip").response, 8 * MEGABYTE, { timers: realTimers, large }),
    StorageError,
  );
  await assert.rejects(
    readBody(bodyOf(new Uint8Array(3 * MEGABYTE)).response, 8 * MEGABYTE, { timers: realTimers, large }),
    StorageError,
  );
});
