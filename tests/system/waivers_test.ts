/** Exceptions from end to end: refused, asked for, granted, served within a second, ended, refused again. */
import assert from "node:assert/strict";
import { waiver } from "../../cli/waiver.ts";
import { testIo } from "../../cli/testing.ts";
import type { EpochMs } from "../../policy/types.ts";
import { ADMIN_TOKEN, makeToken } from "../fakes/holders.ts";
import { daysAgo, NOW } from "../fakes/sluice.ts";
import { createWaiverWorld } from "./waiver_world.ts";

const DAY_MS = 86_400_000;
const WHY = "/-/why/pkg:npm/fresh@1.1.0";

Deno.test("a waiver: refused, asked for on the why page, granted, served within a second, revoked, refused", async () => {
  await using world = await createWaiverWorld();
  const { sluice, api, file, form, page } = world;
  const refused = await file("1.1.0");
  assert.equal(refused.status, 403);
  const decision = /decision=([\w-]+)/.exec(refused.text)![1]!;

  const asked = await form(`${WHY}?decision=${decision}`, {
    reason: "the build",
    ticket: "OPS-1",
    for: "mature",
  }, { user: "ada" });
  assert.equal(asked.status, 303, asked.text);
  assert.match(asked.headers.get("location")!, /^\/-\/why\/.*fresh.*decision=.*asked=.*#asked$/);
  const after = await page(asked.headers.get("location")!.replace("#asked", ""));
  assert.match(after.text, /Your request was sent/);
  assert.equal((await file("1.1.0")).status, 403, "asking changes nothing");

  const { requests } = (await api("GET", "/waiver-requests")).body;
  assert.equal(requests.length, 1);
  const [request] = requests;
  assert.deepEqual(
    [
      request.purl,
      request.reason,
      request.ticket,
      request.until,
      request.askedBy,
      request.isVerified,
      request.decisionId,
    ],
    ["pkg:npm/fresh@1.1.0", "the build", "OPS-1", null, "ada", false, decision],
  );
  assert.match(request.outlook.named[0].sentence, /^fresh 1\.1\.0 is held until 2026-06-09T12:00Z/);
  assert.equal(request.outlook.maturesAt, daysAgo(-8));

  const granted = await api("POST", `/waiver-requests/${request.id}/grant`, { body: { word: "this once" } });
  assert.equal(granted.status, 200, JSON.stringify(granted.body));
  assert.equal(granted.body.answer.waiver.until, daysAgo(-8));
  sluice.advance(1_000);
  const served = await file("1.1.0");
  assert.equal(served.status, 200);
  assert.equal((await file("1.2.0")).status, 403, "no other version");
  assert.equal((await file("1.1.0", { user: "bob" })).status, 200, "it is the organisation's");

  const answered = await page(WHY);
  for (const words of [/allowed by a waiver until 2026-06-09T12:00Z/, /this once/, /granted/]) {
    assert.match(answered.text, words);
  }
  const [record] = (await sluice.installs()).filter(({ outcome, user }) =>
    outcome === "served" && user === "bob"
  );
  const page2 = await world.page(`${WHY}?decision=${record!.decisionId}&format=json`);
  const { decision: kept } = JSON.parse(page2.text);
  assert.equal(kept.id, record!.decisionId, "the install record's decision is kept");
  assert.equal(kept.reasons[0].liftedBy, granted.body.answer.waiver.id);
  await sluice.maintain();
  const [held] = (await api("GET", "/waivers")).body.waivers;
  assert.deepEqual([held.uses, held.owner, held.askedBy, held.reason, held.endsMature], [
    2,
    "admin",
    "ada",
    "the build",
    true,
  ]);
  assert.deepEqual((await api("GET", "/waiver-requests")).body.requests, []);

  // Revoked, it is refused within a second.
  assert.equal((await api("DELETE", `/organisations/default/waivers/${held.id}`)).status, 204);
  sluice.advance(1_000);
  assert.equal((await file("1.1.0")).status, 403);
  const [past] = (await api("GET", "/waivers/past")).body.waivers;
  assert.deepEqual([past.id, past.revokedBy, past.uses], [held.id, "admin", 2]);
});

Deno.test("a waiver ends by itself: at its date it is refused again, and stays listed among those that ended", async () => {
  await using world = await createWaiverWorld();
  const { sluice, api, file } = world;
  await file("1.2.0");
  const until = new Date(NOW + DAY_MS).toISOString();
  const made = await api("POST", "/waivers", {
    body: { purl: "pkg:npm/fresh@1.2.0", reason: "a day", until },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  sluice.advance(1_000);
  assert.equal((await file("1.2.0")).status, 200);
  sluice.advance(DAY_MS - 1_001);
  assert.equal((await file("1.2.0")).status, 200, "to the last moment");
  sluice.advance(1);
  assert.equal((await file("1.2.0")).status, 403);
  assert.deepEqual((await api("GET", "/waivers")).body.waivers, []);
  const [past] = (await api("GET", "/waivers/past")).body.waivers;
  assert.deepEqual([past.endedAt, past.revokedBy], [until, null]);

  // One that ends as its release matures leaves no gap.
  const mature = await api("POST", "/waivers", { body: { purl: "pkg:npm/fresh@2.0.0", reason: "now" } });
  assert.deepEqual([mature.body.until, mature.body.endsMature], [daysAgo(-9), true]);
  for (const at of [1_001, 8 * DAY_MS - 1_002, 1]) {
    sluice.advance(at);
    assert.equal((await file("2.0.0")).status, 200);
  }
  assert.deepEqual((await api("GET", "/waivers")).body.waivers, []);
});

Deno.test("a waiver of a range: what is in it and comes later is served, the rest is not; the floor's denials stand", async () => {
  await using world = await createWaiverWorld();
  const { sluice, registry, api, file } = world;
  await file("1.1.0");
  const body = {
    purl: "pkg:npm/fresh",
    range: "vers:npm/>=1.1.0|<2.0.0",
    reason: "the 1.x line",
    until: daysAgo(-3),
  };
  assert.equal((await api("POST", "/waivers", { body })).status, 201);
  sluice.advance(1_001);
  assert.deepEqual(
    await Promise.all(["1.1.0", "1.2.0", "2.0.0"].map(async (version) => (await file(version)).status)),
    [200, 200, 403],
  );
  registry.publish({
    name: "fresh",
    releases: {
      "1.0.0": { publishedAt: daysAgo(100) },
      "1.3.0": { publishedAt: daysAgo(0) },
      "2.1.0": { publishedAt: daysAgo(0) },
    },
  });
  sluice.advance(2 * DAY_MS);
  assert.deepEqual([(await file("1.3.0")).status, (await file("2.1.0")).status], [200, 403]);
  await sluice.setFloor({ deny: ["npm/fresh==1.3.0"] });
  assert.equal((await file("1.3.0")).status, 403);
  const lifting = {
    ...body,
    range: undefined,
    purl: "pkg:npm/fresh@1.3.0",
    lifts: ["override", "freeze", "minimumAge"],
  };
  assert.equal((await api("POST", "/waivers", { body: lifting })).status, 201);
  sluice.advance(1_001);
  assert.equal((await file("1.3.0")).status, 403, "nothing lifts the floor");
  const asked = await world.form("/-/why/pkg:npm/fresh@1.3.0", { name: "ada", reason: "please", for: "1" });
  assert.equal(asked.status, 409);
  assert.match(asked.text, /denied on the whole instance/);
});

Deno.test("a waiver that must name what it lifts: not by accident, and the organisation's own lists not by an approver", async () => {
  await using world = await createWaiverWorld();
  const { sluice, api, file } = world;
  await sluice.setPolicy({ deprecated: "deny", block: ["npm/fresh==1.0.0"] });
  const approver = (await makeToken(sluice, NOW, { organisation: "default", scopes: ["approve"] })).secret;
  const old = () => file("1.1.0", { name: "old" });
  assert.equal((await old()).status, 403);
  assert.equal((await file("1.0.0")).status, 403);
  const body = { purl: "pkg:npm/old@1.1.0", reason: "until we have moved", until: daysAgo(-3) };
  const plain = await api("POST", "/waivers", { body, token: approver });
  assert.deepEqual([plain.status, plain.body.errors[0].field], [400, "body.lifts"]);
  assert.match(plain.body.detail, /deprecated/);
  const mature = await api("POST", "/waivers", {
    body: { ...body, until: "mature", lifts: ["deprecated"] },
    token: approver,
  });
  assert.deepEqual([mature.status, mature.body.errors[0].field], [400, "body.until"]);
  assert.equal(
    (await api("POST", "/waivers", { body: { ...body, lifts: ["deprecated"] }, token: approver })).status,
    201,
  );
  sluice.advance(1_001);
  assert.equal((await old()).status, 200);

  const blocked = { body: { ...body, purl: "pkg:npm/fresh@1.0.0", lifts: ["override"] } };
  const denied = await api("POST", "/waivers", { ...blocked, token: approver });
  assert.deepEqual([denied.status, denied.body.code], [403, "scope-missing"]);
  assert.equal((await file("1.0.0")).status, 403);
  assert.equal((await api("POST", "/waivers", blocked)).status, 201);
  sluice.advance(1_001);
  assert.equal((await file("1.0.0")).status, 200);
});

Deno.test("requests: asked by token, seen by their asker and by those who answer; answered once, by whom it says", async () => {
  await using world = await createWaiverWorld();
  const { sluice, api, file } = world;
  await sluice.setPolicy({}, "acme");
  const tokenOf = async (organisation: string, scopes: Parameters<typeof makeToken>[2]["scopes"]) =>
    (await makeToken(sluice, NOW, { organisation, scopes })).secret;
  const [reader, stranger, approver] = [
    await tokenOf("default", ["read"]),
    await tokenOf("acme", ["read", "approve", "audit"]),
    await tokenOf("default", ["read", "approve"]),
  ];
  await file("1.1.0");
  const body = { purl: "pkg:npm/fresh@1.1.0", reason: "please", ticket: "OPS-7" };
  const made = await api("POST", "/waiver-requests", { body, token: reader });
  assert.deepEqual([made.status, made.body.askedBy, made.body.isVerified], [201, "jane", true]);
  const again = await api("POST", "/waiver-requests", { body, token: reader });
  assert.deepEqual([again.status, again.body.id], [200, made.body.id], "asked once");
  const { entries } = (await api("GET", "/audit")).body;
  const asks = entries.filter(({ action }: { readonly action: string }) => action === "askForWaiver");
  assert.equal(asks.length, 1, "asking again is no change, and fills no trail");
  const path = `/waiver-requests/${made.body.id}`;
  assert.equal((await api("GET", path, { token: reader })).status, 200);
  assert.equal((await api("GET", path, { token: approver })).status, 200);
  assert.equal((await api("GET", path, { token: stranger, at: "/o/acme" })).status, 404);
  assert.equal((await api("GET", path, { token: stranger })).status, 403);
  assert.equal((await api("POST", `${path}/grant`, { body: {}, token: reader })).status, 403);
  const wrong = await api("POST", `${path}/grant`, { body: { range: "vers:npm/>=2|<1" }, token: approver });
  assert.deepEqual([wrong.status, wrong.body.errors[0].field], [400, "body.range"]);
  const declined = await api("POST", `${path}/decline`, { body: { word: "not this week" }, token: approver });
  assert.deepEqual(
    [declined.status, declined.body.answer.by, declined.body.answer.word, declined.body.answer.granted],
    [200, "jane", "not this week", false],
  );
  const late = await api("POST", `${path}/grant`, { body: {}, token: approver });
  assert.deepEqual([late.status, late.body.code], [409, "answered-already"]);
  sluice.advance(1_001);
  assert.equal((await file("1.1.0")).status, 403);
  assert.deepEqual((await api("GET", "/waivers")).body.waivers, []);
});

Deno.test("POST /waiver-requests and /waivers: what is wrong is said beside its field, and nothing is made", async () => {
  await using world = await createWaiverWorld();
  const { api, file, sluice } = world;
  await file("1.1.0");
  world.registry.upstream.answer("/nobody-has-this", { status: 404 });
  const good = { purl: "pkg:npm/fresh@1.1.0", reason: "why" };
  const rows: readonly (readonly [string, unknown, number, string | null])[] = [
    ["/waiver-requests", { ...good, purl: "fresh" }, 400, "body.purl"],
    ["/waiver-requests", { ...good, purl: "pkg:npm/fresh" }, 400, "body.purl"],
    ["/waiver-requests", { ...good, purl: "pkg:npm/fresh@9.9.9" }, 400, "body.purl"],
    ["/waiver-requests", { ...good, purl: "pkg:npm/never-asked-for@1.0.0" }, 404, null],
    ["/waiver-requests", { ...good, purl: "pkg:npm/fresh@1.0.0" }, 409, null],
    ["/waiver-requests", { ...good, reason: " " }, 400, "body.reason"],
    ["/waiver-requests", { ...good, reason: "x".repeat(1_001) }, 400, "body.reason"],
    ["/waiver-requests", { ...good, ticket: "a\u0000b" }, 400, "body.ticket"],
    ["/waiver-requests", { ...good, until: daysAgo(1) }, 400, "body.until"],
    ["/waiver-requests", { ...good, until: daysAgo(-400) }, 400, "body.until"],
    ["/waiver-requests", { ...good, range: "vers:npm/*" }, 400, "body.range"],
    ["/waiver-requests", { ...good, purl: "pkg:npm/fresh", range: "vers:pypi/*" }, 400, "body.range"],
    ["/waiver-requests", { ...good, purl: "pkg:npm/fresh", range: "1.x" }, 400, "body.range"],
    ["/waivers", { ...good, lifts: ["everything"] }, 400, "body.lifts.0"],
    ["/waivers", { ...good, purl: "pkg:npm/nobody-has-this@1.0.0" }, 404, null],
    ["/waiver-requests/none/grant", {}, 404, null],
    ["/waiver-requests/none/decline", {}, 404, null],
  ];
  for (const [path, body, status, field] of rows) {
    const answer = await api("POST", path, { body });
    assert.equal(answer.status, status, `${path} ${JSON.stringify(body)}: ${JSON.stringify(answer.body)}`);
    if (field !== null) assert.equal(answer.body.errors?.[0].field, field, JSON.stringify(answer.body));
  }
  assert.deepEqual((await api("GET", "/waiver-requests")).body.requests, []);
  sluice.advance(1_001);
  assert.deepEqual((await api("GET", "/waivers")).body.waivers, []);
  assert.equal(world.registry.upstream.asked("/never-asked-for").length, 0, "asking fetches nothing");
});

for (const where of ["the data folder", "a running server"] as const) {
  Deno.test(`deno task waiver on ${where}: asked for, granted, listed, revoked`, async () => {
    await using world = await createWaiverWorld();
    const { sluice, file } = world;
    await file("1.1.0");
    const io = testIo({
      cwd: sluice.data,
      env: { SLUICE_TOKEN: ADMIN_TOKEN, SLUICE_UPSTREAM_NPM: world.registry.upstream.url },
    });
    const run = async (...args: string[]) => {
      const place = where === "the data folder" ? ["--data", sluice.data] : ["--server", sluice.url];
      const code = await waiver([...args, ...place], { ...io, clock: () => NOW as EpochMs });
      return { code, ...io.take() };
    };
    assert.match((await run("requests")).out, /Nobody waits/);
    const asked = await run("ask", "npm/fresh@1.1.0", "--reason", "the build", "--until", "2d", "--json");
    assert.equal(asked.code, 0, asked.err);
    const { id } = JSON.parse(asked.out);
    assert.match((await run("requests")).out, /pkg:npm\/fresh@1\.1\.0 .*the build .*fresh 1\.1\.0 is held/);
    assert.match(
      (await run("grant", id, "--word", "fine")).out,
      /^Granted pkg:npm\/fresh@1\.1\.0 until 2026-06-03 12:00Z/,
    );
    sluice.advance(1_001);
    assert.equal((await file("1.1.0")).status, 200);
    assert.match((await run("requests", "--answered")).out, /granted by .*: fine/);
    assert.match((await run("list")).out, /pkg:npm\/fresh@1\.1\.0/);
    assert.match((await run("revoke", `w-${id}`)).out, /^Revoked/);
    sluice.advance(1_001);
    assert.equal((await file("1.1.0")).status, 403);
    assert.match((await run("list", "--ended")).out, /pkg:npm\/fresh@1\.1\.0/);
    const direct = await run(
      "grant",
      "npm/fresh",
      "--range",
      "vers:npm/>=1.1.0|<1.2.0",
      "--reason",
      "once more",
    );
    assert.match(
      direct.out,
      /^Granted pkg:npm\/fresh vers:npm\/>=1\.1\.0\|<1\.2\.0 until 2026-06-09 12:00Z/,
      direct.err,
    );
    sluice.advance(1_001);
    assert.equal((await file("1.1.0")).status, 200);
    assert.deepEqual([
      (await run("fly")).code,
      (await run("decline", "none")).code,
      (await run("ask", "npm/fresh@1.1.0")).code,
    ], [2, 1, 2]);
  });
}
