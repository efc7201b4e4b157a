import assert from "node:assert/strict";
import { startFakeUpstream } from "../../tests/fakes/upstream.ts";
import { UpstreamError } from "../errors.ts";
import { createDispatcher, guardedLookup, type LookupAll } from "./dispatcher.ts";
import type { NetworkConfig } from "./config.ts";
import { FORBIDDEN_ADDRESS } from "./failures.ts";
import { source, TEST_NETWORK, testClient } from "./testing.ts";
import { TEST_CA, TEST_CERTIFICATE, TEST_KEY } from "./testing_tls.ts";

/** A resolver that gives each answer once, then the last one for ever, and counts. */
function lookupOf(...answers: readonly (readonly string[])[]): LookupAll & { readonly asked: string[] } {
  const asked: string[] = [];
  const lookup = (hostname: string) => {
    asked.push(hostname);
    return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1]!);
  };
  return Object.assign(lookup, { asked });
}

function looked(lookup: LookupAll, trust: "named" | "configured", all: boolean): Promise<unknown> {
  return new Promise((resolve, reject) => {
    guardedLookup(lookup, trust)("registry.example", { all }, (error, address) => {
      if (error === null) resolve(address);
      else reject(error);
    });
  });
}

const isKind = (kind: string) => (error: unknown) =>
  error instanceof UpstreamError && error.detail.kind === kind;

Deno.test("guardedLookup: a name that is public first and private later is pinned, then refused (DNS rebinding)", async () => {
  const lookup = lookupOf(["93.184.216.34"], ["127.0.0.1"]);
  assert.deepEqual(await looked(lookup, "named", true), [{ address: "93.184.216.34", family: 4 }]);
  await assert.rejects(looked(lookup, "named", true), { code: FORBIDDEN_ADDRESS });
});

Deno.test("guardedLookup: of mixed addresses only the public ones are used; none is an error", async () => {
  const mixed = lookupOf(["10.0.0.1", "2606:4700::1111", "::ffff:127.0.0.1", "93.184.216.34"]);
  assert.deepEqual(await looked(mixed, "named", true), [
    { address: "2606:4700::1111", family: 6 },
    { address: "93.184.216.34", family: 4 },
  ]);
  assert.equal(await looked(mixed, "named", false), "2606:4700::1111");
  await assert.rejects(looked(lookupOf([]), "named", true), { code: "ENOTFOUND" });
});

Deno.test("dispatcher: a connection goes to what its one look-up answered, and is not looked up again", async () => {
  await using fake = await startFakeUpstream();
  const lookup = lookupOf(["127.0.0.1"], ["169.254.169.254"]);
  await using test = testClient({ url: `http://registry.example:${fake.port}/` }, { lookup });
  fake.answer("/x", { body: "{}" });
  assert.equal((await test.client.document(test.upstream, source("x"), {})).status, 200);
  assert.deepEqual(lookup.asked, ["registry.example"]);
  assert.equal(fake.requests[0]!.headers.get("host"), `registry.example:${fake.port}`);
});

Deno.test("dispatcher: a configured name that leads to a metadata address is refused", async () => {
  const lookup = lookupOf(["169.254.169.254"]);
  await using test = testClient({ url: "http://registry.example/" }, { lookup });
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), isKind("forbidden-address"));
});

Deno.test("dispatcher: a redirect to a name that leads to this network is refused, configured connections or not", async () => {
  await using fake = await startFakeUpstream();
  const lookup = lookupOf(["127.0.0.1"]);
  await using test = testClient({ url: fake.url }, { lookup });
  const url = `http://rebound.example:${fake.port}/secret`;
  // Another upstream has a connection to that very host open, because it was configured there.
  await using other = testClient({ url: `http://rebound.example:${fake.port}/` }, { lookup });
  fake.answer("/secret", { body: "{}" });
  await other.client.document(other.upstream, source("secret"), {});
  fake.answer("/x", { status: 302, headers: { location: url } });
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), isKind("forbidden-address"));
  assert.equal(fake.asked("/secret").length, 1);
});

Deno.test("dispatcher: trust is of the request, not of a connection that is open already", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/x", { body: "{}" });
  const dispatcher = createDispatcher(TEST_NETWORK, lookupOf(["127.0.0.1"]));
  const url = `http://registry.example:${fake.port}/x`;
  await (await dispatcher.send(new Request(url), "configured")).text();
  await assert.rejects(dispatcher.send(new Request(url), "named"), isKind("forbidden-address"));
  await assert.rejects(dispatcher.send(new Request(fake.url + "x"), "named"), isKind("forbidden-address"));
  await dispatcher.close();
});

Deno.test("dispatcher: the second address is tried where the first does not answer", async () => {
  await using fake = await startFakeUpstream();
  const lookup = lookupOf(["::1", "127.0.0.1"]);
  await using test = testClient({ url: `http://registry.example:${fake.port}/` }, { lookup });
  fake.answer("/x", { body: "{}" });
  assert.equal((await test.client.document(test.upstream, source("x"), {})).status, 200);
});

Deno.test("dispatcher: a look-up that never answers, or fails, ends as an error", async () => {
  const network = { connectTimeoutMs: 100, firstByteTimeoutMs: 100 };
  const url = "http://registry.example/";
  await using silent = testClient({ url }, { network, lookup: () => new Promise(() => {}) });
  await assert.rejects(silent.client.document(silent.upstream, source("x"), {}), isKind("timeout"));
  const lookup = () => Promise.reject(Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" }));
  await using unknown = testClient({ url }, { lookup });
  await assert.rejects(unknown.client.document(unknown.upstream, source("x"), {}), {
    message: "Cannot fetch packument from http://registry.example: no such host",
  });
});

Deno.test("dispatcher: an extra certificate authority is trusted beside the built-in ones, for its names only", async () => {
  await using server = tlsServer();
  const lookup = lookupOf(["127.0.0.1"]);
  const url = `https://registry.example:${server.port}/`;
  await using without = testClient({ url }, { lookup });
  await assert.rejects(without.client.document(without.upstream, source("x"), {}), isKind("connection"));
  await using test = testClient({ url }, { lookup, network: { caPem: TEST_CA } });
  assert.equal((await test.client.document(test.upstream, source("x"), {})).status, 200);
  const wrong = `https://other.example:${server.port}/`;
  await using mistaken = testClient({ url: wrong }, { lookup, network: { caPem: TEST_CA } });
  await assert.rejects(mistaken.client.document(mistaken.upstream, source("x"), {}), isKind("connection"));
});

Deno.test("proxy: http is asked in absolute form, with the proxy's credentials for the proxy alone", async () => {
  await using proxy = await startFakeUpstream();
  proxy.answer(/.*/, { body: "{}" });
  const network = { proxy: `http://me:hunter2@${proxy.host}/` };
  await using test = testClient({ url: "http://registry.example/npm/" }, { network });
  await test.client.document(test.upstream, source("x"), {});
  const [asked] = proxy.requests;
  assert.equal(asked!.target, "http://registry.example/npm/x");
  assert.equal(asked!.headers.get("host"), "registry.example");
  assert.equal(asked!.headers.get("proxy-authorization"), `Basic ${btoa("me:hunter2")}`);
});

Deno.test("proxy: https goes through a tunnel, and the certificate is checked against the registry's name", async () => {
  await using server = tlsServer();
  await using tunnel = tunnelTo(server.port);
  const network = { proxy: `http://me:hunter2@127.0.0.1:${tunnel.port}`, caPem: TEST_CA };
  await using test = testClient({ url: "https://registry.example/" }, { network });
  assert.equal((await test.client.document(test.upstream, source("x"), {})).status, 200);
  assert.match(tunnel.heads[0]!, /^CONNECT registry\.example:443 HTTP\/1\.1\r\n/);
  assert.match(tunnel.heads[0]!, /proxy-authorization: Basic bWU6aHVudGVyMg==/i);
  assert.equal(server.headers[0]!.has("proxy-authorization"), false);
  await using mistaken = testClient({ url: "https://other.example/" }, { network });
  await assert.rejects(mistaken.client.document(mistaken.upstream, source("x"), {}), isKind("connection"));
});

Deno.test("proxy: one that refuses the tunnel, or is not there, or is no http address, is told as such", async () => {
  await using proxy = await startFakeUpstream();
  proxy.answer(/.*/, { method: "CONNECT", status: 407 });
  await using test = testClient({ url: "https://registry.example/" }, { network: { proxy: proxy.url } });
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), {
    message: "Cannot fetch packument from https://registry.example: the proxy refused the connection",
  });
  await proxy.stop();
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), isKind("connection"));
  for (const address of ["https://me:hunter2@proxy.example", "socks5://proxy.example", "me:hunter2@proxy"]) {
    assert.throws(() => createDispatcher({ ...TEST_NETWORK, proxy: address }), (error: Error) => {
      return error instanceof TypeError && !error.message.includes("hunter2");
    });
  }
});

Deno.test("proxy: loopback and noProxy hosts are asked directly", async () => {
  await using fake = await startFakeUpstream();
  fake.answer("/x", { body: "{}" });
  const lookup = lookupOf(["127.0.0.1"]);
  const network: Partial<NetworkConfig> = { proxy: "http://127.0.0.1:1", noProxy: [".example"] };
  for (const url of [fake.url, `http://registry.example:${fake.port}/`]) {
    await using test = testClient({ url }, { network, lookup });
    assert.equal((await test.client.document(test.upstream, source("x"), {})).status, 200);
  }
  await using proxied = testClient({ url: `http://registry.test:${fake.port}/` }, { network, lookup });
  await assert.rejects(proxied.client.document(proxied.upstream, source("x"), {}), isKind("connection"));
});

Deno.test("proxy: private literals and local names that nobody configured are refused although the proxy would resolve them", async () => {
  await using proxy = await startFakeUpstream();
  const dispatcher = createDispatcher({ ...TEST_NETWORK, proxy: proxy.url });
  for (const host of ["10.0.0.1", "169.254.169.254", "[fd00::1]", "metadata.google.internal", "intranet"]) {
    await assert.rejects(
      dispatcher.send(new Request(`http://${host}/`), "named"),
      isKind("forbidden-address"),
      host,
    );
  }
  assert.equal(proxy.connections, 0);
  await dispatcher.close();
});

function tlsServer() {
  const headers: Headers[] = [];
  const options = { hostname: "127.0.0.1", port: 0, cert: TEST_CERTIFICATE, key: TEST_KEY, onListen() {} };
  const server = Deno.serve(options, (request) => {
    headers.push(request.headers);
    return new Response("{}");
  });
  return { port: server.addr.port, headers, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A proxy that tunnels whatever it is asked for to one port of this machine. */
function tunnelTo(port: number) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const heads: string[] = [];
  const sockets: Deno.Conn[] = [];
  async function tunnel(client: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(4096);
    heads.push(new TextDecoder().decode(buffer.subarray(0, await client.read(buffer) ?? 0)));
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    sockets.push(client, server);
    await client.write(new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"));
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  }
  const accepting = (async () => {
    for await (const client of listener) tunnel(client).catch(() => {});
  })();
  return {
    port: (listener.addr as Deno.NetAddr).port,
    heads,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const socket of sockets) {
        try {
          socket.close();
        } catch {
          // Closed by its pipe.
        }
      }
      await accepting.catch(() => {});
    },
  };
}
