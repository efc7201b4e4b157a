import assert from "node:assert/strict";
import type { ReadSession, Role, SignedIn } from "./auth/signed_in.ts";
import { ANSWER } from "./test_support.ts";
import { type Answer, run, type RunOptions, sampleView } from "./testing.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
const WHY = "/-/why/pkg:npm/@acme/foo@1.3.1?decision=d-1";
const ORGANISATIONS = [
  sampleView("default", { callers: "token" }),
  sampleView("named", { callers: "named" }),
  sampleView("acme", { callers: "token" }),
  sampleView("open"),
  sampleView("shut", { closed: true }),
];

function start(options: RunOptions = {}) {
  return run({ organisations: ORGANISATIONS, signInBy: "provider", explain: () => ANSWER, ...options });
}

/** Whoever sends the cookie `a=b` is a member with that role. */
function memberOf(roles: Readonly<Record<string, Role>>): ReadSession {
  const member: SignedIn = {
    sessionId: "s-1",
    user: "grace<b>",
    provider: "github",
    formToken: "t",
    isInstanceOwner: false,
    roles: new Map(Object.entries(roles)),
  };
  return (request) => Promise.resolve(request.headers.get("cookie") === "a=b" ? member : null);
}

function assertPage({ status, headers, text }: Answer, what: string, wanted: number = 401): void {
  assert.equal(status, wanted, what);
  assert.equal(headers.get("content-type"), "text/html; charset=utf-8", what);
  assert.equal(headers.get("www-authenticate"), null, `no box opens: ${what}`);
  assert.equal(headers.get("cache-control"), "no-store", what);
  assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/, what);
  assert.match(text, /^<!DOCTYPE html>/, what);
}

/** Where the page's sign-in leads back to; null: it has none. */
function wayBack(text: string, origin: string): string | null {
  const href = /<a class="button" href="([^"]+)">Sign in<\/a>/.exec(text)?.[1]?.replaceAll("&amp;", "&");
  if (href === undefined) return null;
  const url = new URL(href);
  assert.equal(`${url.origin}${url.pathname}`, `${origin}/-/auth/sign-in`);
  return url.searchParams.get("to");
}

Deno.test("pages that are not everybody's: a browser without a session gets a page that leads to the sign-in and back to the very address", async () => {
  await using running = start();
  const origin = `http://${running.host}`;
  const rows = [
    [WHY, /its members, once they are signed in, and to callers with a token/],
    [`/o/acme${WHY}`, /Organisation &quot;acme&quot; shows this/],
    [`/o/named${WHY}`, /and to callers with a name/],
    ["/o/acme/at/2026-05-01T09:00:00Z/-/why/pkg:npm/foo", /callers with a token/],
    ["/o/acme/-/stats", /callers with a token/],
    ["/stats?a=b%20%26c", /callers with a token/],
  ] as const;
  for (const [path, words] of rows) {
    const answer = await running.ask(path, { headers: BROWSER });
    assertPage(answer, path);
    assert.match(answer.text, words);
    assert.equal(wayBack(answer.text, origin), path.replace("%20", "+"));
    const navigates = { ...BROWSER, "sec-fetch-mode": "navigate" };
    assertPage(await running.ask(path, { headers: navigates }), path);
    assertPage(
      await running.ask(path, { method: "HEAD", headers: BROWSER }).then((head) => ({
        ...head,
        text: answer.text,
      })),
      path,
    );
  }
  for (const path of ["/", "/-/setup", "/o/acme/", "/o/acme/-/setup"]) {
    assert.equal((await running.ask(path, { headers: BROWSER })).status, 200, `${path} is everybody's`);
  }
});

Deno.test("pages that are not everybody's: whoever takes no HTML is told as before, with a challenge", async () => {
  await using running = start();
  const clients = [
    {},
    { accept: "*/*" },
    { accept: "application/json" },
    { accept: "application/json, text/html" },
    { ...BROWSER, "sec-fetch-mode": "cors" },
    { ...BROWSER, "sec-fetch-mode": "no-cors" },
  ];
  for (const headers of clients) {
    for (const path of [WHY, "/o/named/stats"]) {
      const { status, headers: told, text } = await running.ask(path, { headers });
      assert.equal(status, 401);
      assert.equal(told.get("www-authenticate"), 'Basic realm="sluice", charset="UTF-8"');
      assert.match(told.get("content-type")!, /^(?:text\/plain|application\/problem\+json)/);
      assert.match(text, /lets in callers with a (?:token|name) only: (?:make|put)/);
    }
  }
});

Deno.test("pages that are not everybody's: a browser that sends credentials which do not do is asked again, or it would keep them", async () => {
  await using running = start();
  const headers = { ...BROWSER, authorization: `Basic ${btoa("ada:")}` };
  for (const path of [WHY, "/stats"]) {
    const answer = await running.ask(path, { headers });
    assert.match(answer.headers.get("www-authenticate") ?? "", /^Basic /);
    assert.match(answer.text, /Not signed in/);
  }
});

Deno.test("pages that are not everybody's: a member's session lets in; without a role there it says so, and does not lead round and round", async () => {
  await using running = start({ readSession: memberOf({ acme: "viewer" }) });
  const headers = { ...BROWSER, cookie: "a=b" };
  for (const path of [`/o/acme${WHY}`, "/o/acme/stats", "/o/acme/-/stats"]) {
    assert.equal((await running.ask(path, { headers })).status, 200, path);
  }
  for (const path of [WHY, "/stats"]) {
    const answer = await running.ask(path, { headers });
    assertPage(answer, path);
    assert.match(answer.text, /signed in as <b>grace&lt;b&gt;<\/b>, who has no role in organisation/);
    assert.doesNotMatch(answer.text, /auth\/sign-in/);
  }
});

Deno.test("pages that are not everybody's: without a sign-in they say whom to ask; a closed organisation says that it is", async () => {
  for (
    const [signInBy, words] of [
      [null, /Nobody can sign in at this Sluice: ask whoever runs it, for a token too\./],
      ["printed-link", /open the link that it printed when it was started/],
    ] as const
  ) {
    await using running = start({ signInBy });
    const answer = await running.ask(WHY, { headers: BROWSER });
    assertPage(answer, String(signInBy));
    assert.match(answer.text, words);
    assert.doesNotMatch(answer.text, /auth\/sign-in/);
    assert.match(
      (await running.ask(WHY)).text,
      /token only: ask whoever runs this Sluice for one, and put it/,
    );
  }
  await using running = start();
  const shut = await running.ask(`/o/shut${WHY}`, { headers: BROWSER });
  assertPage(shut, "closed", 403);
  assert.match(shut.text, /is closed: use the address of your own organisation/);
  assert.doesNotMatch(shut.text, /auth\/sign-in|curl/);
});

Deno.test("pages that are not everybody's: at a label's host the way back is the base address's, whose cookie it is", async () => {
  await using running = start({ base: "http://sluice.test:{port}/front" });
  const { port } = running;
  const origin = `http://sluice.test:${port}`;
  const answer = await running.ask(`/front${WHY}`, {
    headers: { ...BROWSER, host: `acme.sluice.test:${port}` },
  });
  assertPage(answer, "a label");
  assert.equal(wayBack(answer.text, `${origin}/front`), `/front/o/acme${WHY}`);
  assert.ok(answer.text.includes(`curl -u NAME &#39;${origin}/front/o/acme${WHY}&#39;`), answer.text);
});

Deno.test("pages that are not everybody's: a purl cannot end the quotes of the line for a shell, nor the page's markup", async () => {
  await using running = start();
  const odd = "/-/why/pkg:npm/x'*~!(id)@1?decision='%3E%3Cscript%3E";
  const { text } = await running.ask(odd, { headers: BROWSER });
  const line = /curl -u NAME &#39;([^<]*)&#39;<\/pre>/.exec(text)?.[1];
  assert.equal(
    line,
    `http://${running.host}/-/why/pkg:npm/x%27*~!(id)@1?decision=%27%3E%3Cscript%3E`,
  );
  assert.doesNotMatch(text, /<script/);
});

Deno.test("POST of a form without a session: what was written is not lost, and another tab signs in", async () => {
  await using running = start();
  const headers = { ...BROWSER, "content-type": "application/x-www-form-urlencoded" };
  const answer = await running.ask(WHY, { method: "POST", headers, body: "reason=x" });
  assertPage(answer, "a form");
  assert.match(answer.text, /nothing of what you wrote is lost.*target="_blank">Sign in in another tab/s);
});

Deno.test("callers: token: the sentence leads a member to where each makes their own, at the registry and the pages, in one line", async () => {
  await using running = start({ base: "http://sluice.test:{port}/front" });
  const headers = { host: `sluice.test:${running.port}` };
  const tokens = `http://sluice.test:${running.port}/front/-/admin/acme/tokens`;
  const sentence =
    `Organisation "acme" lets in callers with a token only: make one of your own at ${tokens} or ` +
    "ask whoever runs this Sluice for one, and put it into the registry's credentials.";
  for (const path of [WHY, "/stats"]) {
    assert.equal((await running.ask(`/front/o/acme${path}`, { headers })).text, `${sentence}\n`);
  }
  const told = await running.ask("/front/o/acme/sample/foo", { headers });
  assert.equal(JSON.parse(told.text).error, sentence);
});
