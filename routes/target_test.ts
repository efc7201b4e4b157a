import assert from "node:assert/strict";
import { createAdmission, createPlace } from "./target.ts";
import { run, type Running } from "./testing.ts";

const ROUTES = [
  "/",
  "/health",
  "/-/health",
  "/-/style.css",
  "/-/schema/policy.json",
  "/-/why/pkg:npm/foo@1.0.0",
  "/sample/foo",
  "/sample/@acme/foo",
  "/sample/foo/-/foo-1.0.0.tgz",
  "/foo/-/foo-1.0.0.tgz",
  "/o/default/sample/foo",
  "/o/default/-/why/pkg:npm/foo@1.0.0",
  "/at/2020-01-01/sample/foo",
  "/at/2020-01-01/-/why/pkg:npm/foo@1.0.0",
];

/** Wrong as a segment of their own. */
const SEGMENTS = [
  "..",
  ".",
  "%2e%2e",
  "%2E%2e",
  ".%2e",
  "%2e",
  "..%2f",
  "%2f..",
  "..%2fx",
  "x%2f..%2fy",
  "x%2f.%2fy",
  "x%2f%2fy",
  "%2fx",
  "x%2f",
  "/",
  "%c0%ae%c0%ae",
  "%e0%80%ae",
];

/** Wrong wherever they stand. */
const INLINE = [
  "%252e%252e",
  "%25%32%65",
  "%252f",
  "%25",
  "\\",
  "%5c",
  "..\\..",
  ";",
  ";x=1",
  "%3b",
  "%00",
  "%2500",
  "\x00",
  "\x01",
  "\x7f",
  "\t",
  " ",
  "%01",
  "%09",
  "%7f",
  "%0d%0a",
  "%c0%af",
  "%e0%80%af",
  "%ff",
  "%c3",
  "\xff",
  "\xc3\xa9",
  "%ed%a0%80",
  "%f4%90%80%80",
  "%c2%85",
  "%e2%80%ae",
  "%e2%80%8b",
  "%e2%80%a8",
  "%ef%bb%bf",
  "%u002e",
  "%",
  "%2",
  "%zz",
  "%23",
  "%3f",
  "#x",
  "<",
  '"',
  "|",
];

async function isRefused(running: Running, request: string, label: string): Promise<void> {
  const answer = await running.raw(request);
  if (answer !== null) assert.ok([400, 404].includes(answer.status), `${label}: ${answer.status}`);
  assert.equal(running.served.length, 0, `${label} reached the pipeline`);
  assert.equal(running.explained.length, 0, `${label} reached the explanations`);
}

Deno.test("admit: the traversal matrix over raw sockets is 400 or 404 on every route, upstream untouched", async () => {
  await using running = run();
  const targets = ROUTES.flatMap((route) => [
    ...SEGMENTS.flatMap((
      attack,
    ) => [`${route}/${attack}`, `/${attack}${route}`, route.replace("/", `/x/${attack}/`)]),
    ...INLINE.flatMap((attack) => [`${route}${attack}`, `${route}/${attack}`, `/${attack}${route}`]),
  ]);
  const queue = targets.values();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const target of queue) {
      const request = `GET ${target} HTTP/1.1\r\nHost: ${running.host}\r\nConnection: close\r\n\r\n`;
      await isRefused(running, request, JSON.stringify(target));
    }
  }));
});

Deno.test("admit: every route answers when nothing is wrong with it", async () => {
  await using running = run();
  for (const route of ROUTES) {
    const { status } = await running.ask(route);
    assert.equal(status, route.includes("/why/") ? 404 : 200, route);
  }
  assert.deepEqual(running.served.map(({ request }) => request.segments), [
    ["foo"],
    ["@acme", "foo"],
    ["foo", "-", "foo-1.0.0.tgz"],
    ["foo", "-", "foo-1.0.0.tgz"],
    ["foo"],
    ["foo"],
  ]);
});

Deno.test("admit: Host tricks are 400 or 404 on every route, upstream untouched", async () => {
  await using running = run({ base: "http://sluice.test:{port}" });
  const { port } = running;
  const hosts = [
    "",
    `x/o/evil/sample?`,
    `sluice.test:${port}/o/default?`,
    `sluice.test:${port}#`,
    `sluice.test:${port}@evil.test`,
    `evil.test@sluice.test:${port}`,
    "a b",
    "a,b",
    "a\\b",
    "a%2f",
    "\xe9",
    "sluice.test.",
    "sluice..test",
    "-sluice.test",
    "sluice.test:99999",
    "sluice.test:",
    "sluice.test:8a",
    "[::1",
    "[::1]x",
    `[::g]:${port}`,
    "x".repeat(300),
  ];
  for (const route of ROUTES) {
    for (const host of hosts) {
      const request = `GET ${route} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      await isRefused(running, request, `Host ${JSON.stringify(host)} on ${route}`);
    }
  }
});

Deno.test("admit: two Host headers, and absolute targets that disagree with Host, are refused", async () => {
  await using running = run();
  const { host, port } = running;
  const ending = "Connection: close\r\n\r\n";
  const requests = [
    `GET /sample/foo HTTP/1.1\r\nHost: ${host}\r\nHost: evil.test\r\n${ending}`,
    `GET http://evil.test/sample/foo HTTP/1.1\r\nHost: ${host}\r\n${ending}`,
    `GET http://${host}/sample/foo HTTP/1.1\r\nHost: evil.test\r\n${ending}`,
    `GET http://u:p@${host}/sample/foo HTTP/1.1\r\nHost: ${host}\r\n${ending}`,
    `GET http://${host}@evil.test/sample/foo HTTP/1.1\r\nHost: ${host}\r\n${ending}`,
    `GET http://127.0.0.1:${port}0/sample/foo HTTP/1.1\r\nHost: ${host}\r\n${ending}`,
    `GET http:///sample/foo HTTP/1.1\r\nHost: ${host}\r\n${ending}`,
    `GET ftp://${host}/sample/foo HTTP/1.1\r\nHost: ${host}\r\n${ending}`,
    `GET http://evil.test/sample/foo HTTP/1.0\r\n\r\n`,
  ];
  for (const request of requests) await isRefused(running, request, JSON.stringify(request));
});

Deno.test("admit: an absolute target that agrees with Host is the same request", async () => {
  await using running = run();
  const { host } = running;
  const answer = await running.raw(
    `GET http://${host}/sample/foo HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );
  assert.equal(answer?.status, 200);
  assert.deepEqual(running.served[0]?.request.segments, ["foo"]);
});

Deno.test("admit: health answers at any host that is one, and nothing else does", async () => {
  await using running = run({ base: "http://sluice.test", hosts: [] });
  for (const path of ["/health", "/-/health"]) {
    assert.equal((await running.ask(path, { headers: { host: "10.0.0.7:8080" } })).status, 200);
    assert.equal((await running.ask(path, { headers: { host: "pod_3" } })).status, 200);
    assert.equal((await running.ask(path, { headers: { host: "a b" } })).status, 400);
  }
  for (const path of ["/", "/sample/foo", "/-/style.css", "/-/why/pkg:npm/foo", "/o/default/-/health"]) {
    const answer = await running.ask(path, { headers: { host: "10.0.0.7:8080" } });
    assert.equal(answer.status, 404, path);
    assert.match(answer.text, /--base-url/);
  }
  assert.equal(running.served.length, 0);
});

Deno.test("admit: localhost, 127.0.0.1 and [::1] are ours while listening on loopback, with the port", async () => {
  await using running = run({ base: "https://sluice.test" });
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    assert.equal(
      (await running.ask("/sample/foo", { headers: { host: `${host}:${running.port}` } })).status,
      200,
      host,
    );
    assert.equal((await running.ask("/sample/foo", { headers: { host } })).status, 404, host);
  }
  assert.equal((await running.ask("/sample/foo", { headers: { host: "SLUICE.test" } })).status, 200);
  assert.equal((await running.ask("/sample/foo", { headers: { host: "sluice.test:443" } })).status, 200);
  assert.equal((await running.ask("/sample/foo", { headers: { host: "sluice.test:80" } })).status, 404);
});

Deno.test("admit: each segment is decoded once, and %2f stays inside its segment", async () => {
  await using running = run();
  const table: readonly (readonly [string, readonly string[]])[] = [
    ["/sample", []],
    ["/sample/", [""]],
    ["/sample/@acme%2ffoo", ["@acme/foo"]],
    ["/sample/@acme%2Ffoo/", ["@acme/foo", ""]],
    ["/sample/%40acme/foo", ["@acme", "foo"]],
    ["/%73ample/foo", ["foo"]],
    ["/sample/a+b/1.0.0%2Bbuild", ["a+b", "1.0.0+build"]],
    ["/sample/caf%C3%A9", ["café"]],
    ["/sample/constructor/__proto__", ["constructor", "__proto__"]],
    ["/sample/...", ["..."]],
  ];
  for (const [target, segments] of table) {
    assert.equal((await running.ask(target)).status, 200, target);
    assert.deepEqual(running.served.at(-1)?.request.segments, segments, target);
  }
});

Deno.test("admit: the query is split off at the first question mark and decoded by itself", async () => {
  await using running = run();
  assert.equal((await running.ask("/sample/-/v1/search?text=a%20b%25%3Fc&size=20?x=/../y")).status, 200);
  const { segments, query } = running.served[0]!.request;
  assert.deepEqual(segments, ["-", "v1", "search"]);
  assert.deepEqual([...query], [["text", "a b%?c"], ["size", "20?x=/../y"]]);
  for (const bad of ["a=%", "a=%zz", "a=%00", "a=%0d%0a", "a=%ff", "a=\\", "a=#", "a=<"]) {
    assert.equal((await running.ask(`/sample/x?${bad}`)).status, 400, bad);
  }
  assert.equal(running.served.length, 1);
});

Deno.test("admit: methods that nothing answers are 405, and a target above 8 kB is 414", async () => {
  await using running = run();
  for (const method of ["OPTIONS", "PATCH", "TRACE", "FOO", "get"]) {
    const answer = await running.ask("/sample/foo", { method });
    assert.equal(answer.status, 405, method);
    assert.equal(answer.headers.get("allow"), "GET, HEAD, POST, PUT, DELETE");
  }
  assert.equal((await running.ask(`/sample/${"a".repeat(8_192)}`)).status, 414);
  assert.equal((await running.ask(`/sample/x?${"a".repeat(8_192)}`)).status, 414);
  assert.equal(running.served.length, 0);
});

Deno.test("createPlace: no ecosystem may shadow a path of ours", () => {
  for (const id of ["-", "o", "t", "at", "health", ""]) {
    const options = { base: new URL("http://sluice.test"), hosts: [], ecosystems: ["sample", id] };
    assert.throws(() => createPlace(options), /Cannot mount ecosystem/);
  }
});

Deno.test("createAdmission: an address is admitted as its method, URL and Host say, however often it was asked", () => {
  const place = createPlace({ base: new URL("http://sluice.test/"), hosts: [], ecosystems: ["sample"] });
  const admitted = createAdmission(place);
  const ask = (method: string, url: string, host: string | null) => {
    const target = admitted({ method, url, headers: new Headers(host === null ? {} : { host }) } as Request);
    return "status" in target ? `${target.kind} ${target.status}` : `${target.kind} ${target.method}`;
  };
  for (let i = 0; i < 2; i++) {
    assert.equal(ask("GET", "http://sluice.test/sample/foo", "sluice.test"), "registry GET");
    assert.equal(ask("HEAD", "http://sluice.test/sample/foo", "sluice.test"), "registry HEAD");
    assert.equal(ask("GET", "http://sluice.test/sample/foo", null), "registry GET");
    assert.equal(ask("GET", "http://sluice.test/sample/foo", ""), "rejection 400");
    assert.equal(ask("GET", "http://sluice.test/sample/foo", "other.test"), "rejection 400");
    assert.equal(ask("GET", "http://sluice.test/sample/../foo", "sluice.test"), "rejection 400");
    assert.equal(ask("PATCH", "http://sluice.test/sample/foo", "sluice.test"), "rejection 405");
  }
});
