/** Credentials and own headers: where they go, and above all where they do not. */
import assert from "node:assert/strict";
import { type FakeUpstream, startFakeUpstream } from "../../tests/fakes/upstream.ts";
import type { UpstreamCredentials } from "./config.ts";
import { compileOrigins } from "./origins.ts";
import { source, testClient, textOf, upstreamConfig } from "./testing.ts";

const TOKEN: UpstreamCredentials = { kind: "bearer", token: "hunter2" };
const OWN_HEADER: UpstreamCredentials = { kind: "header", name: "X-Api-Key", value: "hunter2" };

function knowsSecret(fake: FakeUpstream): boolean {
  return fake.requests.some((request) =>
    JSON.stringify([...request.headers, request.target]).includes("hunter2")
  );
}

Deno.test("carriesCredentials: the same scheme, host and port, at or below the root's path", () => {
  const rules = compileOrigins(upstreamConfig({ url: "https://registry.example/npm/", credentials: TOKEN }));
  const carries = (url: string) => rules.carriesCredentials(new URL(url));
  for (
    const url of [
      "https://registry.example/npm/left-pad",
      "https://registry.example:443/npm/@acme%2ffoo",
      "https://REGISTRY.example/npm/",
    ]
  ) assert.equal(carries(url), true, url);
  for (
    const url of [
      "http://registry.example/npm/left-pad",
      "https://registry.example:8443/npm/left-pad",
      "https://registry.example.evil.test/npm/left-pad",
      "https://evil.test/https://registry.example/npm/",
      "https://registry.example@evil.test/npm/left-pad",
      "https://evilregistry.example/npm/left-pad",
      "https://sub.registry.example/npm/left-pad",
      "https://registry.example./npm/left-pad",
      "https://registry.example/npm-other/left-pad",
      "https://registry.example/",
      "https://registry.example/npm/../admin",
      "https://registry.example/npm/%2e%2e/admin",
      "https://registry.example/npm/x%2f..%2f..%2fadmin",
      "https://registry.example/npm/..%5cadmin",
    ]
  ) assert.equal(carries(url), false, url);
});

Deno.test("carriesCredentials: below a further path of the own origin where a person said so", () => {
  const rules = compileOrigins(
    upstreamConfig({
      url: "https://git.example/api/v4/groups/1/npm/",
      credentialPaths: ["/api/v4/projects"],
    }),
  );
  assert.equal(rules.carriesCredentials(new URL("https://git.example/api/v4/projects/7/a.tgz")), true);
  assert.equal(
    rules.carriesCredentials(new URL("https://git.example/api/v4/projects-of-others/a.tgz")),
    false,
  );
  assert.equal(rules.carriesCredentials(new URL("https://other.example/api/v4/projects/7/a.tgz")), false);
});

Deno.test("isConfigured: own origin, and allowed hosts on the scheme's own port or the one that is named", () => {
  const rules = compileOrigins(
    upstreamConfig({
      url: "https://registry.example/",
      allowedHosts: ["files.example", "cdn.example:8443", "::1"],
    }),
  );
  const rows = [
    ["https://registry.example/x", true],
    ["https://files.example/x", true],
    ["https://FILES.example:443/x", true],
    ["https://cdn.example:8443/x", true],
    ["https://[::1]/x", true],
    ["https://files.example:8443/x", false],
    ["https://cdn.example/x", false],
    ["http://files.example/x", false],
    ["http://files.example:443/x", false],
    ["http://registry.example/x", false],
    ["https://files.example.evil.test/x", false],
    ["https://a.files.example/x", false],
  ] as const;
  for (const [url, expected] of rows) assert.equal(rules.isConfigured(new URL(url)), expected, url);
});

Deno.test("compileOrigins: refuses hosts and credentials that cannot be used, without showing the secret", () => {
  for (const allowedHosts of [["a/b"], ["http://x"], ["x y"], [""], ["u@h"], ["h?x"]]) {
    assert.throws(
      () => compileOrigins(upstreamConfig({ url: "https://r.example", allowedHosts })),
      TypeError,
    );
  }
  const credentials = { kind: "bearer", token: "hunter2\r\nx-evil: 1" } as const;
  assert.throws(
    () => compileOrigins(upstreamConfig({ url: "https://r.example", credentials })),
    (error: Error) => error instanceof TypeError && !error.message.includes("hunter2"),
  );
});

Deno.test("credentials: each kind reaches its own origin as a header", async () => {
  const rows = [
    [TOKEN, "authorization", "Bearer hunter2"],
    [{ kind: "basic", username: "me", password: "pä:ss" }, "authorization", "Basic bWU6cMOkOnNz"],
    [OWN_HEADER, "x-api-key", "hunter2"],
  ] as const;
  for (const [credentials, name, value] of rows) {
    await using fake = await startFakeUpstream();
    await using test = testClient({ url: fake.url, credentials });
    fake.answer("/x", { body: "{}" });
    await test.client.document(test.upstream, source("x"), {});
    assert.equal(fake.requests[0]!.headers.get(name), value);
  }
});

Deno.test("credentials: a link to an allowed host is fetched without them", async () => {
  for (const credentials of [TOKEN, OWN_HEADER]) {
    await using fake = await startFakeUpstream();
    await using files = await startFakeUpstream();
    await using test = testClient({ url: fake.url, credentials, allowedHosts: [files.host] });
    files.answer("/a.tgz", { body: "bytes" });
    assert.equal(await textOf((await test.client.open(test.upstream, `${files.url}a.tgz`))!.body), "bytes");
    assert.equal(knowsSecret(files), false);
  }
});

Deno.test("credentials: a link to the own origin outside the root's path is fetched without them", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: `${fake.url}npm/`, credentials: TOKEN });
  fake.answer("/files/a.tgz", { body: "bytes" });
  assert.equal(await textOf((await test.client.open(test.upstream, "/files/a.tgz"))!.body), "bytes");
  assert.equal(knowsSecret(fake), false);
});

Deno.test("open: a link to any other host is refused before anything is sent", async () => {
  await using fake = await startFakeUpstream();
  await using other = await startFakeUpstream();
  await using test = testClient({ url: fake.url, credentials: TOKEN });
  const links = [
    `${other.url}a.tgz`,
    `//${other.host}/a.tgz`,
    `https://${fake.host}@${other.host}/a.tgz`,
    `http://user:pass@${fake.host}/a.tgz`,
    `http://localhost:${fake.port}/a.tgz`,
    `https://${fake.host}/a.tgz`,
    `HTTP://${other.host}/a.tgz`,
    "file:///etc/passwd",
    "ftp://files.example/a.tgz",
    "http://",
  ];
  for (const link of links) {
    await assert.rejects(
      test.client.open(test.upstream, link),
      (error: Error & { detail?: { kind: string } }) => {
        return error.detail?.kind === "forbidden-address";
      },
      link,
    );
  }
  assert.equal(other.connections + fake.connections, 0);
});

Deno.test("redirects: within the own place credentials stay; to another origin they and own headers go, for good", async () => {
  for (const credentials of [TOKEN, OWN_HEADER]) {
    await using fake = await startFakeUpstream();
    await using other = await startFakeUpstream();
    await using test = testClient({ url: `${fake.url}npm/`, credentials, allowedHosts: [other.host] });
    fake.answer("/npm/x", { status: 307, headers: { location: "/npm/y" } });
    fake.answer("/npm/y", { status: 302, headers: { location: `${other.url}z` } });
    other.answer("/z", { status: 302, headers: { location: `${fake.url}npm/back` } });
    fake.answer("/npm/back", { body: "{}" });
    const answer = await test.client.document(test.upstream, source("x"), { etag: '"1"' });
    assert.equal(answer.status === 200 && answer.url, `${fake.url}npm/back`);
    const header: string = credentials === TOKEN ? "authorization" : "x-api-key";
    assert.deepEqual(fake.requests.map((request): boolean => request.headers.has(header)), [
      true,
      true,
      false,
    ]);
    assert.equal(knowsSecret(other), false);
    assert.deepEqual([...other.requests[0]!.headers.keys()].sort(), [
      "accept",
      "accept-encoding",
      "connection",
      "host",
      "if-none-match",
      "user-agent",
    ]);
  }
});

Deno.test("redirects: to the own origin outside the root's path they go without credentials", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: `${fake.url}npm/`, credentials: TOKEN });
  fake.answer("/npm/x", { status: 301, headers: { location: "/login" } });
  fake.answer("/login", { body: "{}" });
  await test.client.document(test.upstream, source("x"), {});
  assert.deepEqual(fake.requests.map(({ headers }) => headers.has("authorization")), [true, false]);
});

Deno.test("redirects: an own header that is called like a harmless one does not leak either", async () => {
  await using fake = await startFakeUpstream();
  await using other = await startFakeUpstream();
  const credentials = { kind: "header", name: "User-Agent", value: "hunter2" } as const;
  await using test = testClient({ url: fake.url, credentials, allowedHosts: [other.host] });
  fake.answer("/x", { status: 302, headers: { location: `${other.url}z` } });
  other.answer("/z", { body: "{}" });
  await test.client.document(test.upstream, source("x"), {});
  assert.equal(fake.requests[0]!.headers.get("user-agent"), "hunter2");
  assert.equal(knowsSecret(other), false);
});
