import assert from "node:assert/strict";
import { startNpmRegistry } from "../tests/fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../tests/fakes/sluice.ts";
import { exchange } from "./testing.ts";

const ROUTES = [
  "/npm/steady",
  "/npm/steady/1.0.0",
  "/npm/@acme/scoped",
  "/npm/@acme%2fscoped",
  "/npm/steady/-/steady-1.0.0.tgz",
  "/npm/@acme/scoped/-/scoped-1.0.0.tgz",
  "/npm/-/package/steady/dist-tags",
  "/npm/-/v1/search",
  "/steady/-/steady-1.0.0.tgz",
  "/o/default/npm/steady",
  "/at/2026-05-01/npm/steady",
  "/at/2026-05-01/npm/steady/-/steady-1.0.0.tgz",
];

const ATTACKS = [
  "..",
  "%2e%2e",
  "%252e%252e",
  "..%2fx",
  "%2f",
  "%5c",
  "\\",
  ";",
  ";/../../x",
  "%3b",
  "%00",
  "\x00",
  "%0d%0a",
  "%c0%af",
  "%ff",
  "\xff",
  "%e2%80%ae",
  "%",
  "%25",
  "%23",
  "%3f",
  "#",
  "/",
];

async function world() {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "steady",
    releases: { "1.0.0": { publishedAt: daysAgo(100) }, "1.1.0": { publishedAt: daysAgo(1) } },
  });
  registry.publish({ name: "@acme/scoped", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  registry.upstream.answer("/absent", {
    status: 404,
    body: "{}",
    headers: { "content-type": "application/json" },
  });
  const sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  return {
    registry,
    sluice,
    host: new URL(sluice.url).host,
    port: Number(new URL(sluice.url).port),
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a whole Sluice: the traversal matrix on npm's routes is 400 or 404, upstream never asked", async () => {
  await using here = await world();
  const { host, port } = here;
  const targets = ROUTES.flatMap((route) =>
    ATTACKS.flatMap((
      attack,
    ) => [`${route}/${attack}`, `/${attack}${route}`, route.replace("/", `/npm/${attack}/`)])
  );
  const queue = targets.values();
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (const target of queue) {
      const answer = await exchange(
        port,
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      if (answer !== null) {
        assert.ok([400, 404].includes(answer.status), `${JSON.stringify(target)}: ${answer.status}`);
      }
    }
  }));
  for (const route of ROUTES) {
    for (
      const trick of [
        "x/o/evil/npm?",
        `${host}@evil.test`,
        `evil.test`,
        `${host}, evil.test`,
        "a b",
        `${host}/npm/other?`,
      ]
    ) {
      const answer = await exchange(
        port,
        `GET ${route} HTTP/1.1\r\nHost: ${trick}\r\nConnection: close\r\n\r\n`,
      );
      assert.ok(answer !== null && [400, 404].includes(answer.status), `${trick} ${route}`);
    }
    const absolute = `GET http://evil.test${route} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
    assert.equal((await exchange(port, absolute))?.status, 400, route);
  }
  assert.equal(here.registry.upstream.requests.length, 0);
  assert.deepEqual(await here.sluice.installs(), []);
});

Deno.test("a whole Sluice: what npm's routes answer is private or no-store, and a refusal leads to its why page", async () => {
  await using here = await world();
  for (const route of [...ROUTES, "/npm/absent", "/npm/steady/9.9.9", "/npm/-/ping"]) {
    for (const method of ["GET", "HEAD", "PUT"]) {
      const request = `${method} ${route} HTTP/1.1\r\nHost: ${here.host}\r\nConnection: close\r\n\r\n`;
      const answer = await exchange(here.port, request);
      assert.match(
        answer?.headers.get("cache-control") ?? "",
        /^(?:private\b|no-store$)/,
        `${method} ${route}`,
      );
    }
  }
  const refused = await fetch(`${here.sluice.url}/npm/steady/-/steady-1.1.0.tgz`);
  assert.equal(refused.status, 403);
  await refused.body?.cancel();
  const link = /^<([^>]+)>; rel="describedby"$/.exec(refused.headers.get("link") ?? "")?.[1] ?? "";
  assert.ok(link.startsWith(`${here.sluice.url}/-/why/pkg:npm/steady@1.1.0?decision=`), link);
  const why = await fetch(link);
  const text = await why.text();
  assert.equal(why.status, 200);
  assert.match(text, /^steady 1\.1\.0 is held until /);
  assert.match(text, /Newest allowed {2}1\.0\.0/);
  assert.match(text, /What each rule found\n {2}held by minimumAge/);
  const unknown = await fetch(`${here.sluice.url}/-/why/pkg:npm/never-asked`);
  assert.equal(unknown.status, 404);
  await unknown.body?.cancel();
  assert.equal(here.registry.upstream.asked("/never-asked").length, 0);
});
