import assert from "node:assert/strict";
import { createTestClock } from "../../tests/fakes/clock.ts";
import { UpstreamError } from "../errors.ts";
import type { NetworkConfig } from "../upstream/config.ts";
import { createIdentityFetch } from "./fetch.ts";

const NETWORK: NetworkConfig = {
  proxy: null,
  noProxy: [],
  caPem: null,
  userAgent: "sluice/test",
  connectTimeoutMs: 1_000,
  firstByteTimeoutMs: 1_000,
  idleTimeoutMs: 1_000,
  maxConnectionsPerOrigin: 4,
};

function world() {
  const seen: Readonly<Record<string, string>>[] = [];
  const hanging = Promise.withResolvers<void>();
  const hang = Promise.withResolvers<Response>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    seen.push(Object.fromEntries(request.headers));
    switch (new URL(request.url).pathname) {
      case "/large":
        return new Response(new Uint8Array(1_048_577));
      case "/redirect":
        return new Response(null, { status: 302, headers: { location: "/plain" } });
      case "/encoded":
        return new Response("x", {
          headers: { "content-encoding": "gzip", "cache-control": "no-transform" },
        });
      case "/hang":
        hanging.resolve();
        return hang.promise;
      default:
        return Response.json({ ok: true });
    }
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    seen,
    hanging: hanging.promise,
    async [Symbol.asyncDispose]() {
      hang.resolve(new Response());
      await server.shutdown();
    },
  };
}

Deno.test("createIdentityFetch: says who it is; follows no redirect; neither large, encoded nor slow answers are taken", async () => {
  await using w = world();
  const time = createTestClock();
  const { fetch, close } = createIdentityFetch({
    network: NETWORK,
    timers: time.timers,
    own: [`${w.url}/base`],
  });
  const get = { method: "GET", headers: { cookie: "", accept: "application/json" } };
  try {
    const plain = await fetch(`${w.url}/plain`, get);
    assert.deepEqual(await plain.json(), { ok: true });
    assert.equal(w.seen[0]?.["user-agent"], "sluice/test");
    assert.equal(w.seen[0]?.["accept-encoding"], "identity");
    assert.equal((await fetch(`${w.url}/redirect`, get)).status, 302);
    assert.equal(w.seen.length, 2);
    const refused = (path: string, words: RegExp) =>
      assert.rejects(
        fetch(`${w.url}${path}`, get),
        (error: Error) =>
          error instanceof UpstreamError && words.test(error.message) && error.message.includes(w.url),
      );
    await refused("/large", /longer than 1048576 bytes/);
    await refused("/encoded", /encoded/);
    const slow = refused("/hang", /no answer within 10000 ms/);
    await w.hanging;
    await time.advance(10_000);
    await slow;
  } finally {
    await close();
  }
});

Deno.test("createIdentityFetch: what nobody configured is not asked where its address is private", async () => {
  await using w = world();
  const { timers } = createTestClock();
  const { fetch, close } = createIdentityFetch({ network: NETWORK, timers, own: ["https://login.example"] });
  try {
    await assert.rejects(
      fetch(`${w.url}/plain`, { method: "GET", headers: {} }),
      (error: Error) => error instanceof UpstreamError && error.detail.kind === "forbidden-address",
    );
    assert.equal(w.seen.length, 0);
  } finally {
    await close();
  }
});
