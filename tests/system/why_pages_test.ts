/** `/-/why/…` over a whole Sluice: what it says, to whom, and the form on it. */
import assert from "node:assert/strict";
import { makeToken } from "../fakes/holders.ts";
import { HOSTILE } from "../fakes/hostile.ts";
import { daysAgo, NOW } from "../fakes/sluice.ts";
import { signIn } from "../fakes/signed_in.ts";
import { ask } from "./ask.ts";
import { createWaiverWorld, FROM_PAGE } from "./waiver_world.ts";

const FRESH = "/-/why/pkg:npm/fresh@1.1.0";

/** Of a page: no element and no address that somebody wrote into a text. */
function assertPlain(text: string, what: string): void {
  assert.doesNotMatch(text, /<script|<img|<b>eve|href="javascript:/i, what);
}

Deno.test("GET /-/why for a browser: the sentence, every rule with its facts, when it lifts, what is allowed, the form", async () => {
  await using world = await createWaiverWorld();
  const { file, page, registry } = world;
  const before = registry.upstream.asked("/never").length;
  assert.equal((await page("/-/why/pkg:npm/never@1.0.0")).status, 404);
  assert.equal(registry.upstream.asked("/never").length, before, "from cached facts only");
  await file("1.1.0");
  const { status, text, headers } = await page(FRESH);
  assert.equal(status, 200);
  assert.match(headers.get("content-type")!, /^text\/html/);
  assert.match(headers.get("content-security-policy")!, /default-src 'none'.*form-action 'self'/);
  for (
    const words of [
      /fresh 1\.1\.0 is held until 2026-06-09T12:00Z: published 2026-05-30T12:00Z, less than 10 days ago/,
      /Minimum age/,
      /set to 10 days; published: 2026-05-30T12:00Z, by the registry&#39;s clock; first seen here: 2026-06-01T12:00Z/,
      /Publisher downgrade/,
      /<time datetime="2026-06-09T12:00:00\.000Z"[^>]*>[^<]+<\/time> <span class="quiet">\(2026-06-09 12:00 UTC\)</,
      /<a href="\/-\/why\/pkg:npm\/fresh@1\.0\.0">1\.0\.0<\/a>/,
      /<form method="post" action="\/-\/why\/pkg:npm\/fresh@1\.1\.0"/,
      /name="name"/,
    ]
  ) assert.match(text, words);
  const speaking = await page(`${FRESH}/held-by-minimumAge-until-2026-06-09`);
  assert.equal(speaking.status, 403, "what a client was refused must not end as a success");
  assert.match(speaking.text, /action="\/-\/why\/pkg:npm\/fresh@1\.1\.0"/);
  const allowed = await page("/-/why/pkg:npm/fresh@1.0.0");
  assert.doesNotMatch(allowed.text, /<form/, "there is nothing to ask for");
  const whole = await page("/-/why/pkg:npm/fresh");
  assert.match(whole.text, /3 releases of fresh are withheld\. Newest allowed: 1\.0\.0\./);
  assert.match(whole.text, /<option value="2\.0\.0"/);
  const past = await page("/at/2026-05-01/-/why/pkg:npm/fresh@1.1.0");
  assert.doesNotMatch(past.text, /<form/, "nothing is asked for in the past");
  const text2 = await ask(`${world.sluice.url}${FRESH}`, { headers: { accept: "*/*" } });
  assert.match(text2.headers.get("content-type")!, /^text\/plain/);
  assert.match(text2.text, /What they looked at\n.*yanked \(deny\)/);
});

Deno.test("GET /-/why?decision: that very decision, its policy and facts, and what has changed since", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, page, api, registry } = world;
  const refused = await file("1.1.0");
  const id = /decision=([\w-]+)/.exec(refused.text)![1]!;
  const now = async () => (await page(`${FRESH}?decision=${id}&format=json`)).json();
  const same = await now();
  assert.deepEqual(
    [
      same.decision.policyRevision,
      same.decision.filename,
      same.decision.verdict,
      same.changes.isPolicyChanged,
      same.changes.rules,
    ],
    [1, "fresh-1.1.0.tgz", "hold", false, []],
  );
  const facts = same.decision.facts.find(({ rule }: { rule: string }) => rule === "minimumAge");
  assert.deepEqual(facts, {
    rule: "minimumAge",
    setting: "10 days",
    facts: [
      { what: "published", value: "2026-05-30T12:00Z, by the registry's clock" },
      { what: "first seen here", value: "2026-06-01T12:00Z, with its package" },
    ],
  });

  await sluice.setPolicy({ minimumAge: "1d", block: ["npm/fresh==1.1.0"] });
  registry.publish({
    name: "fresh",
    releases: {
      "1.0.0": { publishedAt: daysAgo(100) },
      "1.1.0": { publishedAt: daysAgo(2), deprecated: HOSTILE },
    },
  });
  sluice.advance(2 * 86_400_000);
  await file("1.1.0");
  const later = await now();
  assert.deepEqual(
    [
      later.changes.verdict,
      later.changes.isPolicyChanged,
      later.changes.isFactsChanged,
      later.changes.policyRevision,
    ],
    ["deny", true, true, 2],
  );
  const changed = Object.fromEntries(
    later.changes.rules.map((
      { rule, before, now }: Record<string, { setting: string; found: unknown[] } | null> & { rule: string },
    ) => [
      rule,
      [
        before?.setting ?? null,
        before?.found.length ?? null,
        now?.setting ?? null,
        now?.found.length ?? null,
      ],
    ]),
  );
  assert.deepEqual(changed.minimumAge, ["10 days", 1, "1 day", 0]);
  assert.deepEqual(changed.override, [null, null, "", 1]);
  const shown = await page(`${FRESH}?decision=${id}`);
  for (const words of [/It was held and is denied now/, /revision 2 now, 1 then/, /has changed\./]) {
    assert.match(shown.text, words);
  }
  assertPlain(shown.text, "a deprecation is text");

  // Gone from the registry, the record still tells.
  registry.publish({ name: "fresh", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  sluice.advance(2 * 86_400_000);
  await file("1.0.0");
  const gone = await now();
  assert.deepEqual([gone.sentence, gone.changes.verdict, gone.decision.id], [
    "fresh has no version 1.1.0 any more.",
    null,
    id,
  ]);
  assert.equal((await page(FRESH)).status, 404);

  // An index's decision; another organisation's, and another package's page, tell nothing of it.
  await sluice.setPolicy({}, "acme");
  const index = await ask(`${sluice.url}/npm/old`, { user: "ada" });
  assert.equal(index.status, 200);
  await ask(`${sluice.url}/o/acme/npm/fresh`, { user: "ada" });
  assert.equal((await page(`/o/acme/-/why/pkg:npm/fresh?decision=${id}&format=json`)).json().decision, null);
  assert.equal((await page(`/-/why/pkg:npm/old@1.0.0?decision=${id}&format=json`)).json().decision, null);
  assert.equal((await api("GET", "/waiver-requests")).body.requests.length, 0);
});

Deno.test("GET and POST /-/why: whom the organisation lets in, and nobody else; a member by session; a token by ecosystem", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, page, form, api } = world;
  await file("1.1.0");
  await sluice.setPolicy({ callers: "token" });
  const tokenOf = async (given: Parameters<typeof makeToken>[2]) =>
    (await makeToken(sluice, NOW, given)).secret;
  const good = await tokenOf({ organisation: "default", scopes: ["read"], ecosystems: ["npm"] });
  const other = await tokenOf({ organisation: "default", scopes: ["read"], ecosystems: ["pypi"] });
  await sluice.setPolicy({}, "acme");
  const member = await signIn(sluice, { user: "grace", role: "viewer" });
  const elsewhere = await signIn(sluice, { user: "eve", role: "owner", organisation: "acme" });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const rows = [
    ["nobody", {}, 401],
    ["a name", { authorization: `Basic ${btoa("ada:")}` }, 401],
    ["a token", bearer(good), 200],
    ["a token for another ecosystem", bearer(other), 403],
    ["a member", { cookie: member.cookie }, 200],
    ["a member of another organisation", { cookie: elsewhere.cookie }, 401],
  ] as const;
  for (const [who, headers, status] of rows) {
    assert.equal((await page(FRESH, headers)).status, status, who);
    const fields = { name: "x", reason: `of ${who}`, for: "1", token: "" };
    const sent = await form(FRESH, fields, { headers: { ...FROM_PAGE, ...headers } });
    assert.equal(sent.status, status === 200 ? 303 : status, `${who}: ${sent.text}`);
  }
  const { requests } = (await api("GET", "/waiver-requests")).body;
  assert.deepEqual(
    requests.map(({ askedBy, isVerified, reason }: Record<string, unknown>) => [askedBy, isVerified, reason]),
    [["grace", true, "of a member"], ["jane", true, "of a token"]],
    "the name in the field is nobody's who has one",
  );
  const acmes = await form(`/o/acme${FRESH}`, { name: "x", reason: "acme's", for: "1" });
  assert.match(acmes.headers.get("location")!, /^\/o\/acme\/-\/why\/.*asked=/);
  assert.match((await page(`/o/acme${FRESH}`)).text, /action="\/o\/acme\/-\/why\/pkg:npm\/fresh@1\.1\.0"/);
  assert.equal((await api("GET", "/waiver-requests")).body.requests.length, 2, "and no other organisation's");
  const mine = await page(FRESH, { cookie: member.cookie });
  assert.match(mine.text, /of a member/);
  assert.doesNotMatch(mine.text, /of a token/, "why somebody else asked is not shown");
  assert.doesNotMatch(mine.text, /Answer what is open/);
  const approver = await signIn(sluice, { user: "linus", role: "approver" });
  assert.match((await page(FRESH, { cookie: approver.cookie })).text, /href="\/-\/admin\/default\/waivers"/);
});

Deno.test("POST /-/why: from a page of this origin alone; a session's form from its own page or with its token", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, form, api } = world;
  await file("1.1.0");
  const member = await signIn(sluice, { user: "grace", role: "viewer" });
  const fields = { name: "ada", reason: "why", for: "1" };
  const { origin } = new URL(sluice.url);
  const rows: readonly (readonly [string, Record<string, string>, Record<string, string>, number])[] = [
    ["another site", { "sec-fetch-site": "cross-site" }, {}, 403],
    ["an organisation's host", { "sec-fetch-site": "same-site", origin }, {}, 403],
    ["typed in", { "sec-fetch-site": "none" }, {}, 403],
    ["says nothing", {}, {}, 403],
    ["another origin", { origin: "http://evil.example" }, {}, 403],
    ["null", { origin: "null" }, {}, 403],
    [
      "remembered credentials, from another site",
      { "sec-fetch-site": "cross-site", authorization: `Basic ${btoa("ada:")}` },
      {},
      403,
    ],
    ["a session, from another site", { "sec-fetch-site": "cross-site", cookie: member.cookie }, {
      token: member.formToken,
    }, 403],
    ["a session without its token, in an old browser", { origin, cookie: member.cookie }, {}, 403],
    ["no form", { "sec-fetch-site": "same-origin", "content-type": "application/json" }, {}, 415],
    ["this origin, in an old browser", { origin }, {}, 303],
    ["a session with its token, in an old browser", { origin, cookie: member.cookie }, {
      token: member.formToken,
    }, 303],
  ];
  for (const [what, headers, more, status] of rows) {
    const sent = await form(FRESH, { ...fields, ...more }, { headers });
    assert.equal(sent.status, status, `${what}: ${sent.text}`);
  }
  assert.equal((await api("GET", "/waiver-requests")).body.requests.length, 2);
  assert.equal((await api("GET", "/waiver-requests")).body.requests[0].askedBy, "grace");
});

Deno.test("POST /-/why: a mistake is said beside its field, and what was written is kept; hostile text stays text everywhere", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, form, page, api } = world;
  await file("1.1.0");
  const rows: readonly (readonly [Record<string, string>, number, RegExp])[] = [
    [{ name: "ada", reason: "", for: "1" }, 400, /Say why you need it/],
    [{ name: "", reason: "kept", for: "1" }, 400, /Your name/],
    [{ name: "a:b", reason: "kept", for: "1" }, 400, /Your name/],
    [{ name: "ada", reason: "kept", for: "never" }, 400, /One of those that are offered/],
    [{ name: "ada", reason: "kept", for: "date", until: "soon" }, 400, /A day: 2026-12-31/],
    [{ name: "ada", reason: "kept", for: "date", until: "2020-01-01" }, 400, /This end has passed/],
    [{ name: "ada", reason: "kept", for: "1", range: "vers:npm/>=2|<1" }, 400, /Cannot read range/],
    [
      { name: "ada", reason: "kept", for: "1", range: `vers:npm/1.0.0|${"1".repeat(4_096)}` },
      400,
      /At most 4,096/,
    ],
    [{ name: "ada", reason: "kept", for: "1", ticket: "x".repeat(300) }, 400, /at most 200 characters/],
  ];
  for (const [fields, status, words] of rows) {
    const sent = await form(FRESH, fields);
    assert.equal(sent.status, status, JSON.stringify(fields));
    assert.match(sent.text, words, JSON.stringify(fields));
    assert.match(sent.text, /aria-invalid="true"/, JSON.stringify(fields));
    if (fields.reason === "kept") assert.match(sent.text, /<textarea[^>]*>\nkept<\/textarea>/);
  }
  const hostile = { name: "<b>eve</b>", reason: HOSTILE, ticket: "javascript:alert(1)", for: "7" };
  assertPlain((await form(FRESH, { ...hostile, ticket: "x".repeat(300) })).text, "the form again");
  assert.equal((await form(FRESH, hostile)).status, 303);
  const [request] = (await api("GET", "/waiver-requests")).body.requests;
  assert.equal(request.reason, HOSTILE);
  assertPlain((await page(FRESH)).text, "the why page");
  const member = await signIn(sluice, { user: "grace", role: "approver" });
  for (const path of ["waivers", `waivers/requests/${request.id}`]) {
    const shown = await (await member.get(`/-/admin/default/${path}`)).text();
    assert.match(shown, /&lt;script&gt;document\.title/);
    assertPlain(shown, path);
    assert.doesNotMatch(shown, /href="javascript:/i);
  }
  assert.equal(
    (await api("POST", `/waiver-requests/${request.id}/grant`, { body: { word: HOSTILE } })).status,
    200,
  );
  sluice.advance(1_001);
  for (const path of ["waivers", "waivers/answered", `waivers/requests/${request.id}`]) {
    assertPlain(
      await (await member.get(`/-/admin/default/${path}`)).text(),
      path,
    );
  }
  assertPlain((await page(FRESH)).text, "the word back");
  const plain = await ask(`${sluice.url}${FRESH}`, { headers: { accept: "text/plain" } });
  assert.doesNotMatch(plain.text.replaceAll("\n", ""), /\p{Cc}/u);
});

Deno.test("POST /-/why: a stranger cannot flood: bounded by address and organisation; members are not held up", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, form, api } = world;
  await file("1.1.0");
  const asking = (n: number, address?: string) =>
    form(FRESH, { name: `eve${n}`, reason: "again", for: "1" }, address === undefined ? {} : { address });
  const fromOne = [];
  for (let n = 0; n < 8; n++) fromOne.push((await asking(n, "198.51.100.77")).status);
  assert.deepEqual(fromOne, [303, 303, 303, 303, 303, 303, 429, 429]);
  const same = await form(FRESH, { name: "eve0", reason: "once more", for: "1" }, {
    address: "198.51.100.77",
  });
  assert.equal(same.status, 303, "what is open already is answered, not made again");
  assert.deepEqual(
    [
      ...await Promise.all(
        ["1", "2", "3", "4", "5", "6"].map(async (n) =>
          (await asking(20 + Number(n), `2001:db8::${n}`)).status
        ),
      ),
      (await asking(27, "2001:db8::7")).status,
    ],
    [303, 303, 303, 303, 303, 303, 429],
    "of IPv6 a network counts as one",
  );
  const fromMany = [];
  for (let n = 0; n < 60; n++) fromMany.push((await asking(100 + n)).status);
  assert.equal(fromMany.filter((status) => status === 303).length, 48, "sixty an hour in all");
  assert.ok(fromMany.slice(48).every((status) => status === 429));
  const { secret } = await makeToken(sluice, NOW, { organisation: "default", scopes: ["read"] });
  const member = await api("POST", "/waiver-requests", {
    body: { purl: "pkg:npm/fresh@1.1.0", reason: "mine" },
    token: secret,
  });
  assert.equal(member.status, 201);
  const { requests } = (await api("GET", "/waiver-requests?limit=100")).body;
  assert.equal(requests.length, 61);
});
