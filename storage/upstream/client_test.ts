import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { startFakeUpstream } from "../../tests/fakes/upstream.ts";
import type { DurationMs } from "../../policy/types.ts";
import { TooLargeError, UpstreamError } from "../errors.ts";
import { source, testClient, textOf } from "./testing.ts";

const JSON_TYPE = { "content-type": "application/json" };

Deno.test("document: 200 is the whole body with its validators and the address it was read from", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: `${fake.url}npm` });
  fake.answer("/npm/@acme%2ffoo", {
    body: '{"name":"@acme/foo"}',
    headers: { ...JSON_TYPE, etag: 'W/"1"', "last-modified": "Mon, 02 Nov 2026 10:00:00 GMT" },
  });
  const answer = await test.client.document(test.upstream, source("@acme%2ffoo"), {});
  assert.deepEqual(answer, {
    status: 200,
    body: new TextEncoder().encode('{"name":"@acme/foo"}'),
    contentType: "application/json",
    etag: 'W/"1"',
    lastModified: "Mon, 02 Nov 2026 10:00:00 GMT",
    url: `${fake.url}npm/@acme%2ffoo`,
  });
});

Deno.test("document: sends its own headers and no others", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { body: "{}" });
  await test.client.document(test.upstream, source("x"), {});
  assert.deepEqual([...fake.requests[0]!.headers.keys()].sort(), [
    "accept",
    "accept-encoding",
    "connection",
    "host",
    "user-agent",
  ]);
  assert.equal(fake.requests[0]!.headers.get("user-agent"), "sluice/test");
  assert.equal(fake.requests[0]!.headers.get("accept-encoding"), "gzip");
});

Deno.test("document: a validator is sent, and a 304 to it passed on", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { status: 304 });
  const options = { etag: '"1"', lastModified: "Mon, 02 Nov 2026 10:00:00 GMT" };
  assert.deepEqual(await test.client.document(test.upstream, source("x"), options), { status: 304 });
  assert.equal(fake.requests[0]!.headers.get("if-none-match"), '"1"');
  assert.equal(fake.requests[0]!.headers.get("if-modified-since"), "Mon, 02 Nov 2026 10:00:00 GMT");
});

Deno.test("document: a validator that is no header value is left out", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { body: "{}" });
  await test.client.document(test.upstream, source("x"), {
    etag: '"a\r\nx-evil: 1"',
    lastModified: "\u{1f600}",
  });
  assert.equal(fake.requests[0]!.headers.has("if-none-match"), false);
  assert.equal(fake.requests[0]!.headers.has("x-evil"), false);
});

Deno.test("document: 404 and 410 are an absence", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  for (const status of [404, 410]) {
    fake.answer("/x", { status, body: "<html>no</html>" });
    assert.deepEqual(await test.client.document(test.upstream, source("x"), {}), { status: 404 });
  }
});

Deno.test("document: any other status is an error with that status, a sentence, and no path or query", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  for (const status of [204, 206, 400, 401, 403, 451, 500, 503, 429]) {
    fake.answer("/x?token=secret", { status, headers: { "retry-after": "30" } });
    await assert.rejects(
      test.client.document(test.upstream, source("x?token=secret"), {}),
      (error: unknown) => {
        assert.ok(error instanceof UpstreamError);
        assert.equal(error.detail.kind, "status");
        assert.equal(error.detail.status, status);
        assert.equal(error.detail.retryAfterSeconds, 30);
        assert.equal(error.message, `Cannot fetch packument from http://${fake.host}: status ${status}`);
        return true;
      },
    );
  }
});

Deno.test("document: gzip is decoded", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { body: gzipSync('{"a":1}'), headers: { ...JSON_TYPE, "content-encoding": "gzip" } });
  const answer = await test.client.document(test.upstream, source("x"), {});
  assert.equal(answer.status === 200 && new TextDecoder().decode(answer.body), '{"a":1}');
});

Deno.test("document: a body above maxBytes is TooLargeError, whether its length is stated or not, or inflates", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const large = `{"a":"${"x".repeat(5_000)}"}`;
  fake.answer("/stated", { body: large });
  fake.answer("/chunked", { chunks: [large.slice(0, 600), large.slice(600)] });
  fake.answer("/gzip", { body: gzipSync(large), headers: { "content-encoding": "gzip" } });
  for (const path of ["stated", "chunked", "gzip"]) {
    await assert.rejects(
      test.client.document(test.upstream, source(path, { maxBytes: 1_000 }), {}),
      (error: unknown) =>
        error instanceof TooLargeError && error.maxBytes === 1_000 &&
        error.message.includes(`from http://${fake.host}: `),
      path,
    );
  }
  const exact = await test.client.document(test.upstream, source("stated", { maxBytes: large.length }), {});
  assert.equal(exact.status, 200);
});

Deno.test("document: a path that leads out of the root is refused before anything is sent", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: `${fake.url}npm/` });
  for (
    const path of [
      "../admin",
      "a/../../admin",
      "%2e%2e/admin",
      "x/%2e%2e%2f%2e%2e%2fadmin",
      "a%5c..%5cb",
      "a%00",
    ]
  ) {
    await assert.rejects(test.client.document(test.upstream, source(path), {}), UpstreamError, path);
  }
  assert.equal(fake.connections, 0);
});

Deno.test("document: the caller's signal ends it with the signal's own reason", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { fault: "stall-before-headers" });
  const gone = new AbortController();
  const answer = test.client.document(test.upstream, source("x"), { signal: gone.signal });
  setTimeout(() => gone.abort(new DOMException("The client went away", "AbortError")), 10);
  await assert.rejects(answer, { name: "AbortError", message: "The client went away" });
});

Deno.test("open: a file as it comes, with what upstream states", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: `${fake.url}npm/` });
  fake.answer("/npm/a/-/a-1.0.0.tgz", {
    body: "bytes",
    headers: { "last-modified": "Mon, 02 Nov 2026 10:00:00 GMT" },
  });
  for (const url of ["a/-/a-1.0.0.tgz", `${fake.url}npm/a/-/a-1.0.0.tgz`, "/npm/a/-/a-1.0.0.tgz"]) {
    const opened = await test.client.open(test.upstream, url);
    assert.equal(opened!.sizeBytes, 5);
    assert.equal(opened!.lastModified, Date.parse("2026-11-02T10:00:00Z"));
    assert.equal(await textOf(opened!.body), "bytes");
  }
  assert.equal(fake.requests[0]!.headers.get("accept-encoding"), "identity");
});

Deno.test("open: a file that is labelled encoded passes as it is, and its length is not vouched for", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const tgz = gzipSync("tar");
  fake.answer("/a.tgz", { body: tgz, headers: { "content-encoding": "gzip" } });
  const opened = await test.client.open(test.upstream, "a.tgz");
  assert.equal(opened!.sizeBytes, null);
  assert.deepEqual(new Uint8Array(await new Response(opened!.body).arrayBuffer()), new Uint8Array(tgz));
});

Deno.test("open: null for 404 and 410, UpstreamError for any other status", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  for (const status of [404, 410]) {
    fake.answer("/a.tgz", { status });
    assert.equal(await test.client.open(test.upstream, "a.tgz"), null);
  }
  fake.answer("/a.tgz", { status: 403 });
  await assert.rejects(test.client.open(test.upstream, "a.tgz"), {
    message: /^Cannot fetch a file from .*status 403$/,
  });
});

Deno.test("open: a reader that takes its time is not cut off, and is not read ahead of without bound", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  let sent = 0;
  async function* large() {
    for (let at = 0; at < 300; at += 1) {
      sent += 65_536;
      yield await Promise.resolve(new Uint8Array(65_536));
    }
  }
  fake.answer("/a.tgz", { stream: large() });
  const opened = await test.client.open(test.upstream, "a.tgz");
  const reader = opened!.body.getReader();
  await reader.read();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.ok(sent < 12 * 1024 * 1024, `${sent} bytes were taken from upstream though nobody read`);
  let received = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    received += part.value.byteLength;
  }
  assert.ok(received > 299 * 65_536 - 300_000);
});

Deno.test("open: cancelling the body closes the connection to upstream", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const { promise: returned, resolve } = Promise.withResolvers<void>();
  async function* endless() {
    try {
      for (;;) yield await Promise.resolve(new Uint8Array(65_536));
    } finally {
      resolve();
    }
  }
  fake.answer("/a.tgz", { stream: endless() });
  const opened = await test.client.open(test.upstream, "a.tgz");
  await opened!.body.cancel();
  await returned;
});

Deno.test("forward: any status is an answer; body and type go along; nothing of a client does", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url, credentials: { kind: "bearer", token: "t" } });
  fake.answer("/-/npm/v1/security/advisories/bulk", {
    method: "POST",
    status: 400,
    body: gzipSync('{"error":"no"}'),
    headers: { ...JSON_TYPE, "content-encoding": "gzip" },
  });
  const answer = await test.client.forward(test.upstream, {
    method: "POST",
    path: "-/npm/v1/security/advisories/bulk",
    accept: "application/json",
    contentType: "application/json",
    body: new TextEncoder().encode('{"left-pad":["1.0.0"]}'),
    maxBytes: 1_000,
  });
  assert.equal(answer.status, 400);
  assert.equal(new TextDecoder().decode(answer.body), '{"error":"no"}');
  const [asked] = fake.requests;
  assert.equal(new TextDecoder().decode(asked!.body), '{"left-pad":["1.0.0"]}');
  assert.equal(asked!.headers.get("content-type"), "application/json");
  assert.equal(asked!.headers.get("content-length"), "22");
  assert.equal(asked!.headers.get("authorization"), "Bearer t");
});

Deno.test("forward: a POST that fails is not sent twice, nor redirected", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const request = {
    method: "POST",
    path: "x",
    accept: "*/*",
    body: new Uint8Array([1]),
    maxBytes: 1_000,
  } as const;
  fake.answer("/x", { method: "POST", fault: "server-error", times: 1 });
  assert.equal((await test.client.forward(test.upstream, request)).status, 500);
  fake.answer("/x", { method: "POST", fault: "cut-before-headers", times: 1 });
  await assert.rejects(test.client.forward(test.upstream, request), UpstreamError);
  fake.answer("/x", { method: "POST", status: 307, headers: { location: "/y" }, times: 1 });
  await assert.rejects(test.client.forward(test.upstream, request), UpstreamError);
  assert.equal(fake.requests.length, 3);
});

Deno.test("client: connections are used again, and no more than the bound are made", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url }, {
    network: { maxConnectionsPerOrigin: 3, firstByteTimeoutMs: 2_000 },
  });
  fake.answer("/x", { body: "{}" });
  for (let at = 0; at < 20; at += 1) await test.client.document(test.upstream, source("x"), {});
  fake.answer("/x", { body: "{}", delayMs: 5 });
  await Promise.all(Array.from({ length: 20 }, () => test.client.document(test.upstream, source("x"), {})));
  assert.ok(fake.connections <= 3, `${fake.connections} connections`);
});

Deno.test("client: an upstream that is gone is a connection error, and asked again when it is back", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { body: "{}" });
  await test.client.document(test.upstream, source("x"), {});
  await fake.stop();
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), {
    message: `Cannot fetch packument from http://${fake.host}: connection refused`,
  });
  fake.start();
  assert.equal((await test.client.document(test.upstream, source("x"), {})).status, 200);
});

Deno.test("health: configured origins, whether they were asked, and what is known of them", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const origin = `http://${fake.host}`;
  assert.deepEqual(test.client.health(), [{
    origin,
    state: "ok",
    asked: false,
    lastError: null,
    lastErrorAt: null,
  }]);
  fake.answer("/x", { fault: "server-error" });
  await assert.rejects(test.client.document(test.upstream, source("x"), {}));
  assert.deepEqual(test.client.health(), [{
    origin,
    state: "failing",
    asked: true,
    lastError: "status 500",
    lastErrorAt: 1_790_000_000_000,
  }]);
});

Deno.test("document: the whole request has its time, however many pieces its body comes in", async () => {
  await using fake = await startFakeUpstream();
  const given: Promise<void>[] = [];
  const timers = {
    sleep: (ms: number, signal?: AbortSignal) => {
      // The deadline's alone: what watches over pieces never wakes.
      const never = new Promise<void>((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
      return ms === 15_000 ? Promise.race([given[0] ?? never, never]) : never;
    },
  };
  await using test = testClient({ url: fake.url }, { timers });
  const { promise: late, resolve: letPass } = Promise.withResolvers<void>();
  given.push(late);
  async function* pieces() {
    yield new TextEncoder().encode("{");
    letPass();
    while (true) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield new TextEncoder().encode(" ");
    }
  }
  fake.answer("/x", { headers: JSON_TYPE, stream: pieces() });
  await assert.rejects(
    test.client.document(test.upstream, source("x"), {}),
    (error) =>
      error instanceof UpstreamError && error.detail.kind === "timeout" &&
      error.message.includes("not done within 60000 ms (upstreamTimeout)"),
  );
  assert.equal(fake.requests.length, 1, "it is not asked again");
});

Deno.test("document, open: each upstream has a user agent and a time of its own", async () => {
  await using fake = await startFakeUpstream();
  const lifetimes = () => ({ upstreamTimeout: 40 as DurationMs, userAgent: "acme-mirror/2" });
  await using test = testClient({ url: fake.url }, { lifetimes });
  fake.answer("/x", { body: "{}", delayMs: 10_000 });
  const isLate = (error: unknown) => error instanceof UpstreamError && error.detail.kind === "timeout";
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), isLate);
  await assert.rejects(test.client.open(test.upstream, "x"), isLate);
  assert.deepEqual(fake.requests.map(({ headers }) => headers.get("user-agent")), [
    "acme-mirror/2",
    "acme-mirror/2",
  ]);
  assert.equal(
    test.client.health()[0]?.state,
    "failing",
    "an upstream that is always late is no healthy one",
  );
});
