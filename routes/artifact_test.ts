import assert from "node:assert/strict";
import type { Outcome } from "../ecosystems/outcome.ts";
import { run, sampleDocument } from "./testing.ts";
import { sampleFile } from "./test_support.ts";
import { utf8 } from "./text.ts";

Deno.test("artifact: HEAD is answered before anything is opened", async () => {
  for (const known of [true, false]) {
    const { outcome, asked } = sampleFile({ known });
    await using running = run({ serve: () => outcome });
    const answer = await running.ask("/sample/x", { method: "HEAD", headers: { range: "bytes=0-1" } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-length"), known ? "10" : null);
    assert.equal(answer.body.byteLength, 0);
    assert.deepEqual(asked, []);
  }
});

Deno.test("artifact: a 304 opens nothing, whatever range it is asked with", async () => {
  const { outcome, asked } = sampleFile();
  await using running = run({ serve: () => outcome });
  for (const tag of ['"file"', 'W/"file"', '"other", "file"', "*"]) {
    const answer = await running.ask("/sample/x", { headers: { "if-none-match": tag, range: "bytes=0-1" } });
    assert.equal(answer.status, 304, tag);
    assert.equal(answer.body.byteLength, 0);
    assert.equal(answer.headers.get("etag"), '"file"');
    assert.match(answer.headers.get("cache-control") ?? "", /^private, no-cache/);
  }
  assert.deepEqual(asked, []);
  assert.equal((await running.ask("/sample/x", { headers: { "if-none-match": '"fil"' } })).status, 200);
  assert.deepEqual(asked, [null]);
});

const RANGES: readonly (readonly [string, string | null, number, string, string | null])[] = [
  // Range, If-Range, status, body, Content-Range
  ["bytes=0-3", null, 206, "0123", "bytes 0-3/10"],
  ["bytes=4-", null, 206, "456789", "bytes 4-9/10"],
  ["bytes=-3", null, 206, "789", "bytes 7-9/10"],
  ["bytes=-30", null, 206, "0123456789", "bytes 0-9/10"],
  ["bytes=0-99", null, 206, "0123456789", "bytes 0-9/10"],
  ["bytes=9-9", null, 206, "9", "bytes 9-9/10"],
  ["bytes=10-", null, 416, "", "bytes */10"],
  ["bytes=99-100", null, 416, "", "bytes */10"],
  ["bytes=-0", null, 416, "", "bytes */10"],
  ["bytes=0-1,4-5", null, 200, "0123456789", null],
  ["bytes=5-3", null, 200, "0123456789", null],
  ["bytes=a-b", null, 200, "0123456789", null],
  ["bytes=-", null, 200, "0123456789", null],
  ["lines=0-3", null, 200, "0123456789", null],
  ["bytes=0-3", '"file"', 206, "0123", "bytes 0-3/10"],
  ["bytes=0-3", 'W/"file"', 200, "0123456789", null],
  ["bytes=0-3", '"old"', 200, "0123456789", null],
  ["bytes=0-3", "Sat, 21 Nov 2026 08:00:00 GMT", 200, "0123456789", null],
];

Deno.test("artifact: the table of ranges, from memory and from a stream", async () => {
  for (const stream of [false, true]) {
    const { outcome } = sampleFile({ stream });
    await using running = run({ serve: () => outcome });
    for (const [range, ifRange, status, body, contentRange] of RANGES) {
      const headers = ifRange === null ? { range } : { range, "if-range": ifRange };
      const answer = await running.ask("/sample/x", { headers });
      const label = `${range} if ${ifRange}`;
      assert.equal(answer.status, status, label);
      assert.equal(answer.text, body, label);
      assert.equal(answer.headers.get("content-range"), contentRange, label);
      if (status === 206) assert.equal(answer.headers.get("content-length"), String(body.length), label);
    }
  }
});

Deno.test("artifact: on a miss a range is passed on, and 416 only once the file is known", async () => {
  const { outcome, asked } = sampleFile({ known: false });
  await using running = run({ serve: () => outcome });
  assert.equal((await running.ask("/sample/x", { headers: { range: "bytes=2-3" } })).text, "23");
  const answer = await running.ask("/sample/x", { headers: { range: "bytes=50-" } });
  assert.equal(answer.status, 416);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  assert.deepEqual(asked, [{ first: 2, last: 3 }, { first: 50, last: null }]);
  const ifRange = await running.ask("/sample/x", { headers: { range: "bytes=2-3", "if-range": '"file"' } });
  assert.equal(ifRange.status, 200, "no tag is known yet, so none can match");
});

Deno.test("artifact: a length is stated for a whole file only once it is verified", async () => {
  const miss = sampleFile({ known: false });
  const hit = sampleFile();
  await using running = run({
    serve: ({ request }) => request.segments[0] === "hit" ? hit.outcome : miss.outcome,
  });
  assert.equal((await running.ask("/sample/hit")).headers.get("content-length"), "10");
  const answer = await running.ask("/sample/miss");
  assert.equal(answer.headers.get("content-length"), null);
  assert.equal(answer.headers.get("etag"), null);
  assert.equal(answer.text, "0123456789");
});

Deno.test("artifact: what a file holds is not shown, guessed at or framed on this origin", async () => {
  const { outcome } = sampleFile();
  await using running = run({ serve: () => outcome });
  const { headers } = await running.ask("/sample/x");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.equal(headers.get("content-security-policy"), "sandbox; default-src 'none'");
  assert.equal(headers.get("content-disposition"), 'attachment; filename="fo_o__-1.0.0.tgz"');
  assert.equal(headers.get("cache-control"), "private, no-cache, no-transform");
  assert.equal(headers.get("accept-ranges"), "bytes");
});

Deno.test("bytes: bodies above 1 MB arrive whole, with their length", async () => {
  const bytes = new Uint8Array(2 ** 20 * 3 + 17).map((_, index) => index % 251);
  const documents = sampleDocument("", { identity: bytes });
  const { outcome } = sampleFile({ bytes });
  await using running = run({ serve: ({ request }) => request.segments[0] === "file" ? outcome : documents });
  for (const target of ["/sample/file", "/sample/index"]) {
    const answer = await running.ask(target);
    assert.equal(answer.headers.get("content-length"), String(bytes.byteLength));
    assert.equal(answer.headers.get("transfer-encoding"), null);
    assert.ok(
      answer.body.every((byte, index) => byte === bytes[index]) &&
        answer.body.byteLength === bytes.byteLength,
    );
  }
  const range = await running.ask("/sample/file", { headers: { range: "bytes=100-2000000" } });
  assert.equal(range.headers.get("content-length"), "1999901");
  assert.deepEqual(range.body, bytes.subarray(100, 2_000_001));
});

Deno.test("artifact: a client that goes away cancels the body, once", async () => {
  const cancelled = Promise.withResolvers<unknown>();
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    cancel: (reason) => cancelled.resolve(reason),
  }, { highWaterMark: 0 });
  const outcome: Outcome = {
    ...sampleFile({ known: false }).outcome,
    open: () => Promise.resolve({ body: endless, range: null, sizeBytes: null, etag: null }),
  };
  await using running = run({ serve: () => outcome });
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: running.port });
  await connection.write(utf8(`GET /sample/x HTTP/1.1\r\nHost: ${running.host}\r\n\r\n`));
  await connection.read(new Uint8Array(1_024));
  connection.close();
  await cancelled.promise;
});
