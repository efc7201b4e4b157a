/** Tokens before a whole Sluice: in addresses, tried out, behind a proxy, after their organisation. */
import assert from "node:assert/strict";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { npm } from "../../ecosystems/npm/npm.ts";
import { send } from "../contract/world.ts";
import { ADMIN_TOKEN, HOLDERS_ENV, makeToken } from "../fakes/holders.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice } from "../fakes/sluice.ts";

const HOUR_S = 3_600;
const MINUTE_MS = 60_000;
/** Nobody made it. */
const WRONG = `slu_abcdefghijkl_${"x".repeat(43)}`;
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` };

function bearer(secret: string): Record<string, string> {
  return { authorization: `Bearer ${secret}` };
}

Deno.test("/t/{token}/: reads where its clients can send no header, is in no link, log or record, and ends", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "steady", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  registry.upstream.answer("/nothing", { status: 404 });
  const upstreams = { registry: registry.upstream.url };
  const paths: Ecosystem = Object.freeze({ ...npm, id: "paths", upstreams, pathTokens: "allowed" });
  await using sluice = await startSluice({ env: HOLDERS_ENV, ecosystems: [...ECOSYSTEMS, paths] });
  await sluice.setPolicy({ callers: "token" }, "acme");
  const wanted = { organisation: "acme", scopes: ["read"], kind: "path", expires: 24 * HOUR_S - 60 } as const;
  const { secret } = await makeToken(sluice, NOW, wanted);
  const header = await makeToken(sluice, NOW, { organisation: "acme", scopes: ["read"] });
  const below = `/o/acme/t/${secret}/paths`;
  const file = "steady/-/steady-1.0.0.tgz";
  const answers: string[] = [];
  const status = async (path: string, ask: Parameters<typeof send>[1] = {}) => {
    const answer = await send(`${sluice.url}${path}`, ask);
    answers.push(`${JSON.stringify([...answer.headers])} ${answer.text}`);
    return answer.status;
  };
  assert.equal(await status(`${below}/steady`), 200);
  assert.equal(await status(`${below}/${file}`), 200);
  assert.equal(await status(`${below}/nothing`), 404);
  assert.equal(await status(`/o/acme/t/${secret}/at/2026-05-01/paths/steady`), 200);
  assert.equal(await status(`/o/acme/at/2026-05-01/t/${secret}/paths/steady`), 400);
  // The instance's base comes first, then the organisation, then the token.
  assert.equal(await status(`/t/${secret}/o/acme/paths/steady`), 404);
  assert.equal(await status(`/t/${secret}/-/why/pkg:npm/steady@1.0.0`), 404);
  // Of another organisation; not to publish; each kind in its own place alone.
  assert.equal(await status(`/t/${secret}/paths/steady`), 403);
  assert.equal(await status(`${below}/steady`, { method: "PUT", body: "{}" }), 403);
  assert.equal(await status(`/o/acme/t/${header.secret}/paths/steady`), 403);
  assert.equal(await status("/o/acme/paths/steady", { headers: bearer(secret) }), 403);
  assert.equal(await status("/o/acme/-/api/v1/tokens", { headers: bearer(secret) }), 403);
  assert.equal(await status(`/o/acme/t/${WRONG}/paths/steady`, { headers: bearer(header.secret) }), 401);

  assert.match(answers[0]!, /\/o\/acme\/paths\/steady\/-\/steady-1\.0\.0\.tgz/);
  const installs = await sluice.installs("acme");
  assert.deepEqual(installs.map(({ user, file: name }) => [user, name]), [["jane", "steady-1.0.0.tgz"]]);
  const upstream = registry.upstream.requests.map(({ target, headers }) => [target, [...headers]]);
  const everything = JSON.stringify([answers, installs, sluice.lines, upstream]);
  for (const each of [secret, header.secret]) assert.ok(!everything.includes(each.slice(-43)));

  sluice.advance(24 * HOUR_S * 1_000);
  assert.equal(await status(`${below}/steady`), 401);
});

Deno.test("/t/{token}/: refused for npm, PyPI and Cargo with the sentence that names the right way", async () => {
  await using sluice = await startSluice({ env: { ...HOLDERS_ENV, SLUICE_ROOT: "npm" } });
  const wanted = { organisation: "default", scopes: ["read"], kind: "path", expires: HOUR_S } as const;
  const { secret } = await makeToken(sluice, NOW, wanted);
  const rows = [
    ["npm/steady", /\.npmrc as \/\/HOST\/npm\/:_authToken=TOKEN/],
    ["npm/steady/-/steady-1.0.0.tgz", /npmAuthToken/],
    ["pypi/simple/steady/", /~\/\.netrc/],
    ["cargo/config.json", /cargo login --registry/],
    ["cargo/api/v1/crates/steady/1.0.0/download", /CARGO_REGISTRIES_NAME_TOKEN/],
  ] as const;
  for (const [path, words] of rows) {
    const { status, text } = await send(`${sluice.url}/t/${secret}/${path}`);
    assert.equal(status, 403, path);
    assert.match(text, words);
    assert.ok(!text.includes(secret));
  }
  // With npm at the root there may be a package of that name.
  const { status, text } = await send(`${sluice.url}/t/${secret}/steady`);
  assert.equal(status, 404, text);
  assert.ok(ECOSYSTEMS.every(({ pathTokens }) => pathTokens !== "allowed"));
});

Deno.test("wrong tokens: after twenty of one address the next is 429; another's, and those known to be good, go on", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  await sluice.setPolicy({ callers: "token" });
  const wanted = { organisation: "default", scopes: ["read"] } as const;
  const known = await makeToken(sluice, NOW, wanted);
  const fresh = await makeToken(sluice, NOW, wanted);
  const ask = (secret: string, address: string, path = "npm/-/ping") =>
    send(`${sluice.url}/${path}`, { headers: { ...bearer(secret), "x-forwarded-for": address } });
  assert.equal((await ask(known.secret, "192.0.2.1")).status, 200);
  for (let tried = 0; tried < 20; tried++) {
    const path = tried % 2 === 0 ? "npm/-/ping" : "-/api/v1/tokens";
    assert.equal((await ask(WRONG, "192.0.2.1", path)).status, 401);
  }
  for (const path of ["npm/-/ping", "-/api/v1/tokens", "-/why/pkg:npm/x@1.0.0"]) {
    const told = await ask(WRONG, "192.0.2.1", path);
    assert.equal(told.status, 429, path);
    assert.equal(told.headers.get("retry-after"), path.startsWith("npm/") ? null : "600", path);
    assert.match(told.text, /too many wrong tokens/);
  }
  assert.equal((await ask(fresh.secret, "192.0.2.1")).status, 429);
  sluice.advance(MINUTE_MS);
  assert.equal((await ask(known.secret, "192.0.2.1")).status, 200);
  assert.equal((await ask(WRONG, "192.0.2.2")).status, 401);
  assert.equal((await ask(fresh.secret, "192.0.2.2")).status, 200);
  // What the client itself claims, left of what the proxy says, counts for nothing.
  assert.equal((await ask(WRONG, "203.0.113.5, 192.0.2.1")).status, 429);
  sluice.advance(9 * MINUTE_MS);
  assert.equal((await ask(WRONG, "192.0.2.1")).status, 401);

  for (let tried = 0; tried < 20; tried++) await ask(WRONG, `2001:db8::${tried}`);
  assert.equal((await ask(WRONG, "2001:db8::ffff")).status, 429);
  assert.equal((await ask(WRONG, "2001:db8:0:1::1")).status, 401);
});

Deno.test("wrong tokens: without trustedProxies nobody's X-Forwarded-For makes them another address", async () => {
  await using sluice = await startSluice({ env: {} });
  const ask = (tried: number) =>
    send(`${sluice.url}/npm/-/ping`, {
      headers: { ...bearer(WRONG), "x-forwarded-for": `192.0.2.${tried}` },
    });
  for (let tried = 0; tried < 20; tried++) assert.equal((await ask(tried)).status, 401);
  assert.equal((await ask(99)).status, 429);
});

Deno.test("revoked and never made: one answer, to the letter; an expired one is told so, however often", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const wanted = { organisation: "default", scopes: ["read"] } as const;
  const revoked = await makeToken(sluice, NOW, wanted);
  const expired = await makeToken(sluice, NOW, { ...wanted, expires: 60 });
  await send(`${sluice.url}/-/api/v1/tokens/${revoked.id}`, { method: "DELETE", headers: ADMIN });
  sluice.advance(61_000);
  const said = await Promise.all(
    [WRONG, revoked.secret, `${expired.secret.slice(0, -2)}AA`].map(async (secret) => {
      const { status, headers, text } = await send(`${sluice.url}/npm/-/ping`, { headers: bearer(secret) });
      return [status, text, [...headers].filter(([name]) => name !== "date")];
    }),
  );
  assert.deepEqual(said[1], said[0]);
  assert.deepEqual(said[2], said[0]);
  for (let tried = 0; tried < 25; tried++) {
    const { status, text } = await send(`${sluice.url}/npm/-/ping`, { headers: bearer(expired.secret) });
    assert.equal(status, 401);
    assert.match(text, /has expired/);
  }
});

Deno.test("DELETE /organisations/{organisation}: its tokens end with it, and are nobody's in a namesake", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const api = (method: string, path: string, body?: unknown) =>
    send(`${sluice.url}/-/api/v1${path}`, {
      method,
      headers: ADMIN,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  assert.equal((await api("POST", "/organisations", { id: "acme" })).status, 201);
  const { id, secret } = await makeToken(sluice, NOW, { organisation: "acme", scopes: ["admin"] });
  const ask = () => send(`${sluice.url}/o/acme/-/api/v1/tokens`, { headers: bearer(secret) });
  assert.equal((await ask()).status, 200);
  assert.equal((await api("DELETE", "/organisations/acme")).status, 204);
  assert.equal((await api("POST", "/organisations", { id: "acme" })).status, 201);
  sluice.advance(1_001);
  assert.equal((await ask()).status, 401);
  assert.ok(!(await api("GET", "/tokens")).text.includes(id));
});

Deno.test("API: a page of another site changes nothing, whoever's credentials the browser sends along", async () => {
  await using sluice = await startSluice({ env: HOLDERS_ENV });
  const { secret } = await makeToken(sluice, NOW, { organisation: null, scopes: ["admin"] });
  const make = (origin: string | null) =>
    send(`${sluice.url}/-/api/v1/tokens`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`:${secret}`)}`, ...(origin === null ? {} : { origin }) },
      body: JSON.stringify({ user: "mallory", scopes: ["admin"] }),
    });
  for (const origin of ["https://evil.example", "null", `${sluice.url}0`, "http://127.0.0.1"]) {
    const { status, text } = await make(origin);
    assert.equal(status, 403, origin);
    assert.match(text, /cross-site/);
  }
  for (const origin of [sluice.url, null]) assert.equal((await make(origin)).status, 201, String(origin));
});

Deno.test("callers: token: whoever has none is asked for one, but for npm, which then keeps the reason to itself", async () => {
  await using sluice = await startSluice({ env: {} });
  await sluice.setPolicy({ callers: "token" });
  const rows = [
    ["npm/steady", "npm/11.19.1 node/v24", false],
    ["npm/steady", "pnpm/12.21.0 npm/?", true],
    ["npm/steady", "a-stranger", true],
    ["pypi/simple/steady/", "pip/26.3", true],
    ["cargo/config.json", "cargo/1.95.0", true],
  ] as const;
  for (const [path, agent, isAsked] of rows) {
    const { status, headers, text } = await send(`${sluice.url}/${path}`, {
      headers: { "user-agent": agent },
    });
    assert.equal(status, 401);
    assert.equal(headers.has("www-authenticate"), isAsked, agent);
    assert.match(text, /lets in callers with a token only: ask/);
  }
});

Deno.test("a token where none belongs in an address: 400, and neither upstream nor a log hears of it", async () => {
  await using registry = await startNpmRegistry();
  await using sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  const places = [
    `npm/${WRONG}`,
    `npm/@acme%2f${WRONG}`,
    `npm/steady/-/${WRONG}.tgz`,
    `npm/-/v1/search?text=${WRONG}`,
    `npm/steady?token=${WRONG}`,
    `o/acme/npm/x${WRONG}`,
    `at/${WRONG}/npm/steady`,
    `t/${WRONG}/npm/${WRONG}`,
    `-/why/pkg:npm/${WRONG}`,
    `-/api/v1/tokens/${WRONG}`,
    `npm/%73lu${WRONG.slice(3)}`,
  ];
  for (const place of places) {
    const { status, text } = await send(`${sluice.url}/${place}`);
    assert.equal(status, 400, place);
    assert.match(text, /A token stands in this address/);
    assert.doesNotMatch(text, /xxx/);
  }
  assert.equal(registry.upstream.requests.length, 0);
  assert.doesNotMatch(JSON.stringify(sluice.lines), /xxx/);
});
