import assert from "node:assert/strict";
import { createTestClock } from "../tests/fakes/clock.ts";
import { createAuthenticator } from "./authenticate.ts";
import { authorise, createCallers, type Identified } from "./caller.ts";
import { clientOf } from "./client.ts";
import { createPeerOf } from "./peer.ts";
import { NO_TOKENS, run, sampleDocument, sampleView } from "./testing.ts";

const INFO = {
  remoteAddr: { transport: "tcp", hostname: "192.0.2.7", port: 1 },
  completed: Promise.resolve(),
} as const satisfies Deno.ServeHandlerInfo;

function identify(authorization: string | null, info: Deno.ServeHandlerInfo = INFO) {
  const headers = authorization === null ? {} : { authorization };
  return callerOf(new Request("http://sluice.test/", { headers }), info);
}

/** Without a token nothing is waited for. */
function callerOf(request: Request, info: Deno.ServeHandlerInfo): Identified {
  const authenticator = createAuthenticator({ tokens: NO_TOKENS, clock: createTestClock().clock });
  const callers = createCallers({ authenticator, peerOf: createPeerOf([]) });
  const identified = callers(request, info, { organisation: "acme" });
  assert.ok(!(identified instanceof Promise));
  return identified;
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

Deno.test("callerOf: the user is Basic auth's name; a password is not looked at, a bearer token is no name", () => {
  const table: readonly (readonly [string | null, string | null])[] = [
    [null, null],
    [`Basic ${base64("jane:secret")}`, "jane"],
    [`basic   ${base64("jane:")}`, "jane"],
    [`Basic ${base64("jane")}`, "jane"],
    [`Basic ${base64("jane:a:b")}`, "jane"],
    [`Basic ${base64(":token")}`, null],
    [`Basic ${base64("josé:x")}`, "josé"],
    [`Basic ${base64("jose\u0301:x")}`, "josé"],
    [`Basic ${base64(`${"x".repeat(128)}:x`)}`, "x".repeat(128)],
    ["Bearer jane", null],
    ["cargo-raw-token", null],
    ["", null],
  ];
  for (const [authorization, user] of table) {
    const identified = identify(authorization);
    assert.ok(identified.ok, String(authorization));
    assert.equal(identified.caller.user, user, String(authorization));
    assert.equal(identified.caller.organisation, "acme");
  }
});

Deno.test("callerOf: credentials that cannot be a name are 401 with a challenge, never nobody", () => {
  const table = [
    "Basic !!!",
    "Basic a===",
    `Basic ${btoa("\xff\xfe:x")}`,
    `Basic ${base64("a\nb:x")}`,
    `Basic ${base64("a\u202eb:x")}`,
    `Basic ${base64("a\x00:x")}`,
    `Basic ${base64(" jane:x")}`,
    `Basic ${base64(`${"x".repeat(129)}:x`)}`,
    `Basic ${"A".repeat(9_000)}`,
  ];
  for (const authorization of table) {
    const identified = identify(authorization);
    assert.ok(!identified.ok, authorization);
    assert.equal(identified.denial.status, 401);
    assert.equal(identified.denial.challenge, true);
  }
});

Deno.test("callerOf: the address is the peer's, whatever is said to be forwarded", () => {
  const forwarded = new Request("http://sluice.test/", { headers: { "x-forwarded-for": "203.0.113.1" } });
  const identified = callerOf(forwarded, INFO);
  assert.equal(identified.ok && identified.caller.address, "192.0.2.7");
  const mapped = {
    ...INFO,
    remoteAddr: { transport: "tcp", hostname: "::ffff:192.0.2.9", port: 1 },
  } as const;
  const unix = { ...INFO, remoteAddr: { transport: "unix", path: "/run/x" } } as const;
  assert.equal((identify(null, mapped) as { caller: { address: string } }).caller.address, "192.0.2.9");
  assert.equal(
    (identify(null, unix as unknown as Deno.ServeHandlerInfo) as { caller: { address: string } }).caller
      .address,
    "",
  );
});

Deno.test("clientOf: the first product of what clients really send", () => {
  const table: readonly (readonly [string, string, string])[] = [
    ["npm/11.19.1 node/v24.1.0 linux x64 workspaces/false", "npm", "11.19.1"],
    ["pnpm/12.21.0 npm/? node/v24.1.0 linux x64", "pnpm", "12.21.0"],
    ["yarn/1.22.22 npm/? node/v24.1.0 linux x64", "yarn", "1.22.22"],
    ["yarn/4.18.0 npm/? node/v24.1.0 linux x64", "yarn", "4.18.0"],
    ["Bun/1.4.0", "bun", "1.4.0"],
    ["Deno/2.9.6", "deno", "2.9.6"],
    ['pip/23.2 {"ci":null,"cpu":"x86_64"}', "pip", "23.2"],
    ["uv/0.13.1 {}", "uv", "0.13.1"],
    ["cargo/1.95.0 (abc 2026-01-01)", "cargo", "1.95.0"],
    ["twine/6.1.0 pkginfo/1.10", "twine", "6.1.0"],
    ["node-fetch", "node-fetch", ""],
    ["", "", ""],
    ["(weird)", "", ""],
    [`${"x".repeat(5_000)}/1`, "x".repeat(64), ""],
  ];
  for (const [agent, name, version] of table) {
    assert.deepEqual(clientOf(new Headers({ "user-agent": agent })), { name, version, command: null }, agent);
  }
  assert.equal(clientOf(new Headers({ "npm-command": "audit" })).command, "audit");
  assert.equal(clientOf(new Headers({ "npm-command": "run-script" })).command, "run-script");
  assert.equal(clientOf(new Headers({ "npm-command": "a b" })).command, null);
});

Deno.test("authorise: callers and closed decide who is let in", () => {
  const named = identify(`Basic ${base64("jane:x")}`);
  const nameless = identify("Bearer x");
  assert.ok(named.ok && nameless.ok);
  const rows = [
    ["anyone", false, null, null],
    ["named", false, null, 401],
    ["token", false, 401, 401],
    ["anyone", true, 403, 403],
    ["named", true, 403, 403],
  ] as const;
  for (const [callers, closed, forNamed, forNameless] of rows) {
    const view = sampleView("acme", { callers, closed });
    const asked = { principal: null, scope: "read", ecosystem: "npm" } as const;
    assert.equal(
      authorise(view, { ...asked, user: named.caller.user })?.status ?? null,
      forNamed,
      `${callers} ${closed}`,
    );
    assert.equal(
      authorise(view, { ...asked, user: nameless.caller.user })?.status ?? null,
      forNameless,
      `${callers} ${closed}`,
    );
  }
});

Deno.test("registry and why: who is not let in is told so in a sentence, and nothing is asked of the pipeline", async () => {
  const organisations = [
    sampleView("default", { closed: true }),
    sampleView("named", { callers: "named" }),
    sampleView("token", { callers: "token" }),
  ];
  await using running = run({ organisations });
  for (
    const [prefix, status, words] of [
      ["", 403, /closed/],
      ["/o/named", 401, /user name/],
      ["/o/token", 401, /a token only/],
    ] as const
  ) {
    for (const path of ["/sample/foo", "/-/why/pkg:npm/foo@1.0.0"]) {
      const answer = await running.ask(prefix + path);
      assert.equal(answer.status, status, prefix + path);
      assert.match(answer.text, words);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      const challenge = answer.headers.get("www-authenticate");
      assert.equal(challenge, status === 401 ? 'Basic realm="sluice", charset="UTF-8"' : null);
    }
  }
  assert.equal(running.served.length + running.explained.length, 0);
  const answer = await running.ask("/o/named/sample/foo", {
    headers: { authorization: `Basic ${base64("jane:")}` },
  });
  assert.equal(answer.status, 200);
  assert.equal(running.served[0]?.caller.user, "jane");
  assert.equal(running.served[0]?.caller.address, "127.0.0.1");
});

Deno.test("clientRequest: a plugin sees the headers it may read, and no credentials", async () => {
  const sent = {
    accept: "application/json",
    "npm-command": "install",
    "npm-session": "s",
    "pacote-req-type": "packument",
    "user-agent": "npm/11.19.1",
    authorization: "Bearer secret",
    cookie: "secret",
    "x-forwarded-for": "203.0.113.1",
    "pacote-version": "x".repeat(3_000),
  };
  let seen: readonly (string | undefined)[] = [];
  await using running = run({
    serve: ({ request }) => {
      seen = [...Object.keys(sent), "host", "toString"].map((name) => request.headers.get(name));
      return sampleDocument("{}");
    },
  });
  await running.ask("/sample/foo", { headers: sent });
  const hidden = Array(6).fill(undefined);
  assert.deepEqual(seen, ["application/json", "install", "s", "packument", "npm/11.19.1", ...hidden]);
});
