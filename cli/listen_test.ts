import assert from "node:assert/strict";
import type { EpochMs } from "../policy/types.ts";
import type { Log } from "../storage/runtime.ts";
import { realTimers } from "../storage/timers.ts";
import { listen, type Server, siteAddress } from "./listen.ts";

/** Answers each request with `first`, and ends the answer when told to. */
function streaming(server: Server): () => void {
  const end = Promise.withResolvers<void>();
  server.answer(() => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode("first "));
        await end.promise;
        try {
          controller.enqueue(new TextEncoder().encode("last"));
          controller.close();
        } catch {
          // It was cut.
        }
      },
    });
    return new Response(body);
  });
  return end.resolve;
}

async function begin(server: Server): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const { hostname, port } = server.address;
  const response = await fetch(`http://${hostname}:${port}/`);
  const reader = response.body?.getReader();
  assert(reader !== undefined);
  assert.equal(new TextDecoder().decode((await reader.read()).value), "first ");
  return reader;
}

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
const DEPS = { clock: () => 0 as EpochMs, timers: realTimers, log: () => {} };

Deno.test("Server.drain: a running transfer ends whole, and nobody new is let in", async () => {
  const server = listen(LOOPBACK, DEPS);
  const end = streaming(server);
  const reader = await begin(server);
  const drained = server.drain(60_000);
  await assert.rejects(fetch(`http://127.0.0.1:${server.address.port}/`));
  end();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "last");
  assert.equal((await reader.read()).done, true);
  await drained;
  await server.cut();
});

Deno.test("Server.drain: waits no longer than it was told to", async () => {
  const server = listen(LOOPBACK, DEPS);
  const end = streaming(server);
  const reader = await begin(server);
  await server.drain(20);
  await server.cut();
  end();
  assert.equal(new TextDecoder().decode((await reader.read()).value), "last");
  assert.equal((await reader.read()).done, true);
});

Deno.test("Server.cut: a server that was not drained ends at once, transfers and all", async () => {
  const server = listen(LOOPBACK, DEPS);
  const end = streaming(server);
  const reader = await begin(server);
  const ended = reader.read().then(() => "whole", () => "cut");
  await server.cut();
  assert.equal(await ended, "cut");
  end();
});

Deno.test("listen: a request that comes before there is an app waits for it", async () => {
  const server = listen(LOOPBACK, DEPS);
  const answer = fetch(`http://127.0.0.1:${server.address.port}/`);
  server.answer(() => new Response("ready"));
  assert.equal(await (await answer).text(), "ready");
  await server.drain(1_000);
  await server.cut();
});

Deno.test("listen: an answer that throws is a 500 that is kept by nobody", async () => {
  const lines: string[] = [];
  const log: Log = (_level, message) => void lines.push(message);
  const server = listen(LOOPBACK, { ...DEPS, log });
  server.answer(() => Promise.reject(new Error("broken")));
  const response = await fetch(`http://127.0.0.1:${server.address.port}/`);
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(await response.text(), "Internal error\n");
  assert.equal(lines.length, 1);
  await server.drain(1_000);
  await server.cut();
});

Deno.test("siteAddress: what it listens on, a name where that is every interface", () => {
  const address = (hostname: string, port: number) => siteAddress(null, { hostname, port });
  assert.equal(address("127.0.0.1", 8080).baseUrl, "http://127.0.0.1:8080");
  assert.equal(address("::1", 8080).baseUrl, "http://[::1]:8080");
  assert.equal(address("127.0.0.1", 80).baseUrl, "http://127.0.0.1");
  assert.equal(address("0.0.0.0", 3000).baseUrl, "http://localhost:3000");
  assert.match(address("0.0.0.0", 3000).warnings.join(), /set --base-url/);
  assert.deepEqual(siteAddress("https://sluice.example", { hostname: "::", port: 1 }), {
    baseUrl: "https://sluice.example",
    warnings: [],
  });
});
