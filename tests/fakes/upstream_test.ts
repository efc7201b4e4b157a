import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { startFakeUpstream } from "./upstream.ts";
import { bomb } from "./upstream_faults.ts";

/** Sends the text on a connection of its own and reads until the server closes, or nothing more comes. */
async function raw(port: number, text: string): Promise<string> {
  using socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(text));
  await socket.closeWrite();
  return await new Response(socket.readable).text();
}

const get = (target: string, method = "GET") => `${method} ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
const bodyOf = (answer: string) => answer.slice(answer.indexOf("\r\n\r\n") + 4);

Deno.test("answer: by path, by path and query, by expression, by method, and computed", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/a", { body: "path" });
  fake.answer("/b?x=1", { body: "query" });
  fake.answer(/^\/c\//, (request) => ({ body: request.path, status: 201, headers: { etag: '"1"' } }));
  fake.answer("/a", { method: "POST", body: "posted" });
  assert.equal(bodyOf(await raw(fake.port, get("/a?ignored"))), "path");
  assert.equal(bodyOf(await raw(fake.port, get("/b?x=1"))), "query");
  assert.match(await raw(fake.port, get("/c/d")), /^HTTP\/1\.1 201 .*etag: "1".*\/c\/d$/s);
  assert.equal(bodyOf(await raw(fake.port, get("/a", "POST"))), "posted");
  assert.equal(bodyOf(await raw(fake.port, get("/a", "HEAD"))), "");
});

Deno.test("answer: those with times come first and are used up; a later one without replaces an earlier one", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/a", { body: "old" });
  fake.answer("/a", { body: "once", times: 1 });
  fake.answer("/a", { body: "new" });
  const bodies: string[] = [];
  for (let at = 0; at < 3; at += 1) bodies.push(bodyOf(await raw(fake.port, get("/a"))));
  assert.deepEqual(bodies, ["once", "new", "new"]);
});

Deno.test("requests: method, target, headers and body are recorded, chunked or not, on one connection or several", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/a", { method: "PUT", delayMs: 5 });
  const plain = "PUT /a?q HTTP/1.1\r\nX-Own: 1\r\nContent-Length: 3\r\n\r\nabc";
  const chunked = "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n";
  await raw(fake.port, plain + chunked);
  assert.equal(fake.connections, 1);
  assert.deepEqual(fake.requests.map(({ target, body }) => [target, new TextDecoder().decode(body)]), [
    ["/a?q", "abc"],
    ["/a", "def"],
  ]);
  assert.equal(fake.requests[0]!.headers.get("x-own"), "1");
  assert.equal(fake.asked("/a").length, 2);
});

Deno.test("assertNoUnexpected: fails the test, by disposal too, on a request that nobody expected", async () => {
  const fake = await startFakeUpstream();
  assert.match(await raw(fake.port, get("/unknown?x")), /^HTTP\/1\.1 501 /);
  assert.throws(() => fake.assertNoUnexpected(), /GET \/unknown\?x$/);
  await assert.rejects(async () => await fake[Symbol.asyncDispose](), /GET \/unknown\?x$/);
});

Deno.test("stop and start: gone, then back on the same port with the same answers", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/a", { body: "here" });
  await fake.stop();
  await assert.rejects(raw(fake.port, get("/a")), Deno.errors.ConnectionRefused);
  fake.start();
  assert.equal(bodyOf(await raw(fake.port, get("/a"))), "here");
});

Deno.test("cutAfterBytes and faults: the bytes on the wire are the lie that was asked for", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/cut", { body: "0123456789", cutAfterBytes: 4 });
  fake.answer("/short", { body: "0123456789", fault: "one-byte-short" });
  fake.answer("/chunks", { chunks: ["ab", "c"] });
  fake.answer("/open", { body: "abc", fault: "no-final-chunk" });
  assert.match(await raw(fake.port, get("/cut")), /content-length: 10\r\n\r\n0123$/);
  assert.match(await raw(fake.port, get("/short")), /content-length: 10\r\n\r\n012345678$/);
  assert.equal(bodyOf(await raw(fake.port, get("/chunks"))), "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n");
  assert.equal(bodyOf(await raw(fake.port, get("/open"))), "3\r\nabc\r\n");
  assert.equal(gunzipSync(bomb(2)).length, 2 * 1024 * 1024);
});
