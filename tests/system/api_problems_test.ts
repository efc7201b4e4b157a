/** What is wrong, as the API tells it: problem details that name the field, what was there and what was expected. */
import assert from "node:assert/strict";
import { send } from "../contract/world.ts";
import { ADMIN_TOKEN, HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { NOW, startSluice } from "../fakes/sluice.ts";

const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` };

interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

async function problem(url: string, options: Parameters<typeof send>[1] = {}): Promise<Problem> {
  const { status, headers, text } = await send(url, { headers: ADMIN, ...options });
  assert.equal(headers.get("content-type"), "application/problem+json", `${url}: ${text}`);
  const body: Problem = JSON.parse(text);
  assert.equal(body.status, status);
  assert.equal(body.type, "about:blank");
  return body;
}

Deno.test("API: a problem's title is its status's phrase, its detail the sentence, and every mistake has its field", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const api = `${sluice.url}/-/api/v1`;
  const rows = [
    [
      "GET",
      "/installs?everywhere=maybe",
      undefined,
      "query.everywhere",
      'expected true or false, not "maybe"',
    ],
    ["GET", "/installs?limit=ten", undefined, "query.limit", 'expected a whole number, not "ten"'],
    ["GET", "/installs?limit=5000", undefined, "query.limit", "expected at most 1000, not 5000"],
    ["GET", "/installs/who", undefined, "query.package", "missing: expected text"],
    [
      "GET",
      "/installs?outcome=lost",
      undefined,
      "query.outcome",
      /^expected one of "served", .*, not "lost"$/,
    ],
    ["GET", "/installs?nothing=1", undefined, "query.nothing", /known/],
    ["GET", "/tokens?organisation=nobody", undefined, "query.organisation", /"nobody"/],
    ["POST", "/purge", {}, "body", /Name what to purge/],
    ["POST", "/purge", { all: "yes" }, "body.all", 'expected true or false, not "yes"'],
    ["POST", "/purge", [], "body", "expected an object, not a list"],
    ["POST", "/purge", "{", "body", /JSON/],
    ["POST", "/organisations", { id: "Bad Name" }, "body.id", /"Bad Name"/],
    ["POST", "/tokens", { user: "a:b" }, "body.user", /^expected a user name: .*, not "a:b"$/],
    [
      "POST",
      "/tokens",
      { user: "ann", scopes: ["fly"] },
      "body.scopes.0",
      /^expected one of "read".*, not "fly"$/,
    ],
    ["POST", "/tokens", { user: "ann", kind: 7 }, "body.kind", 'expected one of "header", "path", not 7'],
    [
      "POST",
      "/cache/pin",
      { purl: "x".repeat(2_000) },
      "body.purl",
      /^expected at most 1024 characters, not "x{60}…"$/,
    ],
  ] as const;
  for (const [method, path, body, field, message] of rows) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const told = await problem(`${api}${path}`, {
      method,
      headers: ADMIN,
      ...(body === undefined ? {} : { body: text }),
    });
    const what = `${method} ${path}: ${JSON.stringify(told)}`;
    assert.deepEqual([told.status, told.title], [400, "Bad Request"], what);
    assert.equal(told.errors?.[0]?.field, field, what);
    const said = told.errors![0]!.message;
    if (typeof message === "string") assert.equal(said, message, what);
    else assert.match(said, message, what);
    assert.ok(told.detail.includes(said), what);
    assert.doesNotMatch(JSON.stringify(told), /Invalid|undefined|enabled/, what);
  }
  const there = await problem(`${api}/organisations`, {
    method: "POST",
    headers: ADMIN,
    body: JSON.stringify({ id: "default" }),
  });
  assert.deepEqual([there.title, there.code, there.errors?.[0]?.field], ["Conflict", "exists", "body.id"]);
  const elsewhere = await problem(`${api}/nothing`);
  assert.deepEqual([elsewhere.title, elsewhere.code], ["Not Found", "no-such-endpoint"]);
});

Deno.test("API: an address that cannot even be read is told as a problem, too, with its part", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const rows = [
    ["GET", "/-/api/v1/installs?package=%FF", 400, "malformed-query", "query"],
    ["GET", "/-/api/v1//x", 400, "malformed-path", "path"],
    ["GET", "/o/NOPE!/-/api/v1/status", 404, "no-such-organisation", "path"],
    ["POST", "/-/api/v1", 405, "method-not-allowed", undefined],
    ["OPTIONS", "/-/api/v1/status", 405, "method-not-allowed", undefined],
  ] as const;
  for (const [method, path, status, code, field] of rows) {
    const told = await problem(`${sluice.url}${path}`, { method });
    assert.deepEqual([told.status, told.code, told.errors?.[0]?.field], [status, code, field], path);
  }
  const page = await send(`${sluice.url}/-//x`);
  assert.deepEqual([page.status, page.headers.get("content-type")], [400, "text/plain; charset=utf-8"]);
});

Deno.test("401: the API asks for a bearer token, a registry for what its clients know", async () => {
  await using sluice = await startSluice({ env: { ...HOLDERS_ENV, SLUICE_METRICS: "token" } });
  await sluice.setPolicy({ callers: "token" });
  const challenge = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await send(`${sluice.url}${path}`, { headers });
    assert.equal(answer.status, 401, path);
    return answer.headers.get("www-authenticate");
  };
  const wrong = { authorization: "Bearer nobody-has-this-token" };
  assert.equal(await challenge("/-/api/v1/status"), 'Bearer realm="sluice"');
  assert.equal(await challenge("/-/api/v1/status", wrong), 'Bearer realm="sluice"');
  assert.equal(await challenge("/-/metrics"), 'Bearer realm="sluice"');
  assert.equal(await challenge("/-/metrics", wrong), 'Bearer realm="sluice"');
  assert.equal(await challenge("/pypi/simple/x/"), 'Basic realm="sluice", charset="UTF-8"');
  // The token that the instance began with has every scope.
  const scraped = await send(`${sluice.url}/-/metrics`, { headers: ADMIN });
  assert.deepEqual([scraped.status, /^sluice_/m.test(scraped.text)], [200, true]);
});

Deno.test("GET /-/ready?require=…: only what can be required; anything else is told, not passed over", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  for (const query of ["", "?require=upstreams"]) {
    assert.equal((await send(`${sluice.url}/-/ready${query}`)).status, 200, query);
  }
  const { status, text } = await send(`${sluice.url}/-/ready?require=upstreams&require=bogus`);
  assert.equal(status, 400);
  assert.match(text, /"bogus": expected upstreams/);
});

Deno.test("a token where an organisation's name belongs is 400, with what to do about it", async () => {
  for (const root of ["", "npm"]) {
    await using sluice = await startSluice({
      env: { ...HOLDERS_ENV, ...(root === "" ? {} : { SLUICE_ROOT: root }) },
    });
    const { secret } = await makeToken(sluice, NOW, { organisation: "default", scopes: ["read"] });
    for (const path of [`/o/${secret}/npm/x`, `/o/${secret}`, `/o/${secret}/-/api/v1/status`]) {
      const { status, text } = await send(`${sluice.url}${path}`);
      assert.equal(status, 400, path);
      assert.match(text, /revoke it/);
      assert.ok(!text.includes(secret));
    }
  }
});

Deno.test("GET /tokens below an organisation's address, or with its name: that one's alone, for the instance too", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  await sluice.setPolicy({}, "acme");
  await sluice.setPolicy({}, "beta");
  const own = await makeToken(sluice, NOW, { organisation: "acme", scopes: ["admin"] });
  await makeToken(sluice, NOW, { organisation: "beta", scopes: ["read"] });
  const owners = async (path: string, headers: Readonly<Record<string, string>> = ADMIN) => {
    const { status, text } = await send(`${sluice.url}${path}`, { headers });
    assert.equal(status, 200, text);
    return JSON.parse(text).tokens.map((each: { readonly organisation: string | null }) => each.organisation);
  };
  assert.deepEqual((await owners("/-/api/v1/tokens")).toSorted(), ["acme", "beta"]);
  assert.deepEqual(await owners("/o/acme/-/api/v1/tokens"), ["acme"]);
  assert.deepEqual(await owners("/-/api/v1/tokens?organisation=beta"), ["beta"]);
  const bearer = { authorization: `Bearer ${own.secret}` };
  assert.deepEqual(await owners("/o/acme/-/api/v1/tokens?organisation=acme", bearer), ["acme"]);
  const other = await send(`${sluice.url}/o/acme/-/api/v1/tokens?organisation=beta`, { headers: bearer });
  assert.equal(other.status, 403);
});
