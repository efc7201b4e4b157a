import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { TooLargeError } from "../storage/errors.ts";
import { createTestClock } from "../tests/fakes/clock.ts";
import { readBody } from "./body.ts";
import { RequestError } from "./problem.ts";
import { run, sampleDocument } from "./testing.ts";
import { utf8 } from "./text.ts";

function post(body: Uint8Array | ReadableStream<Uint8Array>, encoding?: string): Request {
  const headers = encoding === undefined ? {} : { "content-encoding": encoding };
  return new Request("http://sluice.test/", { method: "POST", body: body as BodyInit, headers });
}

function failsWith(status: number) {
  return (error: unknown) => error instanceof RequestError && error.status === status;
}

Deno.test("readBody: as it is, with gzip, and none at all", async () => {
  const { timers } = createTestClock();
  const text = utf8("hello");
  assert.deepEqual(await readBody(post(text), 5, timers), text);
  assert.deepEqual(await readBody(post(text, "identity"), 5, timers), text);
  for (const encoding of ["gzip", "x-gzip", " GZIP "]) {
    assert.deepEqual(await readBody(post(gzipSync(text), encoding), 1_000, timers), text);
  }
  assert.deepEqual(
    await readBody(new Request("http://sluice.test/", { method: "POST" }), 5, timers),
    new Uint8Array(),
  );
});

Deno.test("readBody: more than the bound is TooLargeError, before and after decompression", async () => {
  const time = createTestClock();
  let produced = 0;
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        produced += 1_000;
        controller.enqueue(new Uint8Array(1_000));
      },
    });
  const bomb = gzipSync(new Uint8Array(50_000_000));
  for (const request of [post(new Uint8Array(11)), post(endless()), post(bomb, "gzip")]) {
    await assert.rejects(readBody(request, 10, time.timers), TooLargeError);
  }
  await assert.rejects(readBody(post(bomb, "gzip"), 1_000_000, time.timers), TooLargeError);
  assert.ok(produced < 100_000, `${produced} bytes were read of a body bounded to 10`);
  assert.equal(time.sleeping, 0, "no timer is left behind");
});

Deno.test("readBody: an unknown encoding is 415; broken, truncated and followed gzip is 400", async () => {
  const { timers } = createTestClock();
  for (const encoding of ["br", "deflate", "gzip, gzip", "zstd"]) {
    await assert.rejects(readBody(post(utf8("x"), encoding), 10, timers), failsWith(415));
  }
  const whole = new Uint8Array(gzipSync("hello hello hello"));
  for (
    const broken of [
      utf8("not gzip at all"),
      whole.subarray(0, whole.length - 6),
      new Uint8Array([...whole, 1, 2, 3]),
    ]
  ) {
    await assert.rejects(readBody(post(broken, "gzip"), 1_000, timers), failsWith(400));
  }
});

Deno.test("readBody: a body that stalls is given up after a minute", async () => {
  const time = createTestClock();
  const stalled = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(utf8("x")) });
  const reading = assert.rejects(readBody(post(stalled), 10, time.timers), failsWith(408));
  await time.advance(60_000);
  await reading;
});

Deno.test("registry: the pipeline reads a body decompressed; a bad one is the client's fault", async () => {
  await using running = run({
    serve: async ({ body }) => sampleDocument(new TextDecoder().decode(await body(100))),
  });
  const gzipped = String.fromCharCode(...gzipSync('{"a":1}'));
  const headers = { "content-encoding": "gzip" };
  assert.equal(
    (await running.ask("/sample/-/x", { method: "POST", headers, body: gzipped })).text,
    '{"a":1}',
  );
  assert.equal((await running.ask("/sample/-/x", { method: "POST", headers, body: "plain" })).status, 400);
  assert.equal((await running.ask("/sample/-/x", { method: "POST", body: "x".repeat(101) })).status, 413);
  assert.equal(
    (await running.ask("/sample/-/x", { method: "POST", headers: { "content-encoding": "br" }, body: "x" }))
      .status,
    415,
  );
});
