import assert from "node:assert/strict";
import { startFakeUpstream } from "../../tests/fakes/upstream.ts";
import { UpstreamError } from "../errors.ts";
import { compileOrigins } from "./origins.ts";
import { redirectsLayer } from "./redirects.ts";
import { responseAt } from "./response.ts";
import { source, testClient, textOf, upstreamConfig } from "./testing.ts";

/** What the layer asks for when each address of `answers` redirects to the next. */
async function walk(root: string, locations: readonly (string | null)[]): Promise<readonly string[]> {
  const asked: string[] = [];
  const layer = redirectsLayer(compileOrigins(upstreamConfig({ url: root })));
  const fetch = layer((request) => {
    asked.push(request.url);
    const location = locations[asked.length - 1];
    const headers: HeadersInit = location === null || location === undefined ? {} : { location };
    const status = asked.length > locations.length ? 200 : 302;
    return Promise.resolve(responseAt(request.url, null, { status, headers }));
  });
  await fetch(new Request(`${root}x`));
  return asked;
}

Deno.test("redirects: relative, absolute, and http to https are followed; a fragment is dropped", async () => {
  assert.deepEqual(await walk("http://a.example/", ["y?z=1#f", "https://b.example/c"]), [
    "http://a.example/x",
    "http://a.example/y?z=1",
    "https://b.example/c",
  ]);
});

Deno.test("redirects: five hops are followed, the sixth is not", async () => {
  assert.equal((await walk("https://a.example/", ["1", "2", "3", "4", "5"])).length, 6);
  await assert.rejects(walk("https://a.example/", ["1", "2", "3", "4", "5", "6"]), /more than 5 redirects/);
});

Deno.test("redirects: what is refused is refused before the next hop is asked", async () => {
  const rows = [
    ["http://a.example/y", /from https to http/],
    ["http://b.example/y", /from https to http/],
    ["file:///etc/passwd", /neither http nor https/],
    ["javascript:alert(1)", /neither http nor https/],
    ["https://user:pass@b.example/", /with credentials/],
    ["https://", /no address/],
    [null, /without saying where/],
    ["x", /in a loop/],
  ] as const;
  for (const [location, message] of rows) {
    await assert.rejects(walk("https://a.example/", [location]), (error: unknown) => {
      assert.ok(error instanceof UpstreamError);
      assert.equal(error.detail.kind, "redirect");
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("redirects: 304 and 300 are answers, not redirects", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { status: 300, headers: { location: "/y" } });
  await assert.rejects(test.client.document(test.upstream, source("x"), {}), /status 300$/);
});

Deno.test("redirects: a file may lie on an allowed private host, and nowhere else on this network", async () => {
  await using fake = await startFakeUpstream();
  await using files = await startFakeUpstream();
  await using stranger = await startFakeUpstream();
  await using test = testClient({ url: fake.url, allowedHosts: [files.host] });
  fake.answer("/a.tgz", { status: 302, headers: { location: `${files.url}blob?signature=1` } });
  files.answer("/blob?signature=1", { body: "bytes" });
  assert.equal(await textOf((await test.client.open(test.upstream, "a.tgz"))!.body), "bytes");
  const elsewhere = [
    stranger.url,
    `http://2130706433:${stranger.port}/`,
    `http://[::ffff:127.0.0.1]:${stranger.port}/`,
    `http://localhost:${stranger.port}/`,
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://0.0.0.0/",
  ];
  for (const location of elsewhere) {
    fake.answer("/b.tgz", { status: 302, headers: { location } });
    await assert.rejects(
      test.client.open(test.upstream, "b.tgz"),
      (error: unknown) => error instanceof UpstreamError && error.detail.kind === "forbidden-address",
      location,
    );
  }
  assert.equal(stranger.connections, 0);
});
