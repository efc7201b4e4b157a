import assert from "node:assert/strict";
import { HOSTILE } from "../fakes/hostile.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { type SignedInTester, signIn } from "../fakes/signed_in.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";

async function world() {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "left-pad",
    releases: {
      "1.3.0": { publishedAt: daysAgo(300), manifest: { description: HOSTILE } },
      "1.3.1": { publishedAt: daysAgo(2) },
    },
  });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_OWNERS: "github:root" };
  const sluice = await startSluice({ env });
  return {
    registry,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

async function install(sluice: TestSluice, user: string, version = "1.3.0"): Promise<number> {
  await ask(`${sluice.url}/npm/left-pad`, { user });
  return (await ask(`${sluice.url}/npm/left-pad/-/left-pad-${version}.tgz`, { user })).status;
}

async function text(response: Response, status = 200): Promise<string> {
  const body = await response.text();
  assert.equal(response.status, status, body.slice(0, 2_000));
  return body;
}

async function follow(tester: SignedInTester, response: Response): Promise<string> {
  assert.equal(response.status, 303, await response.text());
  return await text(await tester.get(response.headers.get("location")!));
}

Deno.test("admin: nobody is led to the sign-in and back; what a stranger wrote is text on every page", async () => {
  await using w = await world();
  const { sluice } = w;
  await install(sluice, HOSTILE);
  const stranger = await fetch(`${sluice.url}/-/admin/default/installs?user=ada`, { redirect: "manual" });
  await stranger.body?.cancel();
  assert.equal(stranger.status, 303);
  const to = new URL(stranger.headers.get("location")!, sluice.url);
  assert.equal(to.pathname, "/-/auth/sign-in");
  assert.equal(to.searchParams.get("to"), "/-/admin/default/installs?user=ada");
  const ada = await signIn(sluice, { user: "ada", role: "owner" });
  for (
    const path of [
      "overview",
      "packages",
      "packages/pkg:npm/left-pad",
      "installs",
      "installs/who?package=left-pad",
    ]
  ) {
    const page = await ada.get(`/-/admin/default/${path}`);
    assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.ok(!(await text(page)).includes("<script"), path);
  }
});

Deno.test("Tokens: a viewer makes a token of their own, installs with it, revokes it; and makes nobody else's", async () => {
  await using w = await world();
  const { sluice } = w;
  await sluice.setPolicy({ callers: "token" });
  const vera = await signIn(sluice, { user: "vera", role: "viewer" });
  const page = "/-/admin/default/tokens";
  const made = await text(await vera.post(page, { action: "make-own", description: HOSTILE, days: "30" }));
  const secret = /slu_[A-Za-z0-9_-]{20,}/.exec(made)?.[0];
  assert.ok(secret !== undefined && !made.includes("<script"));
  assert.ok(!(await text(await vera.get(page))).includes(secret));
  const headers = { authorization: `Bearer ${secret}` };
  assert.equal((await ask(`${sluice.url}/npm/left-pad`, { headers })).status, 200);
  const other = { action: "make", user: "ci", days: "30", scopes: "read" };
  assert.ok((await text(await vera.post(page, other), 403)).includes("admin"));
  const failed = await text(
    await vera.post(page, { action: "make-own", description: "x".repeat(300), days: "30" }),
    400,
  );
  assert.ok(
    failed.includes("at most 200 characters") && failed.includes("x".repeat(300)),
    "what was written is kept",
  );
  const id = /name="id" value="([a-z0-9]+)"/.exec(await text(await vera.get(page)))?.[1];
  assert.ok(
    (await follow(vera, await vera.post(page, { action: "revoke-own", id: id! }))).includes("was revoked"),
  );
  sluice.advance(1_001);
  assert.equal((await ask(`${sluice.url}/npm/left-pad`, { headers })).status, 401);
});

Deno.test("own tokens: a token makes none, whatever its scopes", async () => {
  await using sluice = await startSluice({
    env: { SLUICE_ADMIN_TOKEN: "an-admin-token-of-more-than-32-characters" },
  });
  const answer = await fetch(`${sluice.url}/-/api/v1/own-tokens`, {
    method: "POST",
    headers: { authorization: "Bearer an-admin-token-of-more-than-32-characters" },
    body: "{}",
  });
  assert.equal(answer.status, 403);
  const problem = await answer.json();
  assert.equal(problem.code, "not-signed-in");
  assert.match(JSON.stringify(problem), /POST \/tokens.*deno task token create USER/);
  const document = await (await fetch(`${sluice.url}/-/api/v1/openapi.json`)).text();
  assert.ok(
    !/own-tokens|OwnToken/.test(document),
    "what nobody but the pages may call is not in the document",
  );
  assert.match(document, /"createToken"/);
});

Deno.test("own tokens: whoever has the login that a machine's token has as user neither sees nor revokes that", async () => {
  const token = "an-admin-token-of-more-than-32-characters";
  await using sluice = await startSluice({ env: { SLUICE_ADMIN_TOKEN: token } });
  const answer = await fetch(`${sluice.url}/-/api/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ user: "ci", scopes: ["read"] }),
  });
  const { token: { id } } = await answer.json();
  const ci = await signIn(sluice, { user: "ci", role: "viewer" });
  const page = "/-/admin/default/tokens";
  assert.ok(!(await text(await ci.get(page))).includes(id));
  await text(await ci.post(page, { action: "revoke-own", id }), 404);
});

Deno.test("Webhooks: added, tested, taken away; an address is never shown, and a mistake loses nothing else", async () => {
  await using hooks = await startFakeUpstream();
  hooks.answer("/very-secret", { method: "POST", status: 204 });
  await using sluice = await startSluice({ env: { SLUICE_ALLOW_PRIVATE_WEBHOOKS: hooks.host } });
  const eve = await signIn(sluice, { user: "eve", role: "editor" });
  const page = "/-/admin/default/webhooks";
  const wrong = await text(
    await eve.post(page, { action: "add", url: "ftp://x", id: "pager", format: "slack", events: "alert" }),
    422,
  );
  assert.ok(wrong.includes('value="pager"') && wrong.includes('class="error"'), wrong);
  const url = `${hooks.url}very-secret`;
  const added = await follow(
    eve,
    await eve.post(page, { action: "add", url, id: "pager", format: "slack", events: "alert" }),
  );
  assert.ok(added.includes("was added") && !added.includes("very-secret"));
  const tested = await text(await eve.post(page, { action: "test", id: "pager" }));
  assert.ok(tested.includes("answered with 204"), tested);
  assert.equal(hooks.asked("/very-secret").length, 1);
  assert.ok((await text(await eve.get(page))).includes("test"));
  assert.ok(
    (await follow(eve, await eve.post(page, { action: "remove", id: "pager" }))).includes("Nobody is told"),
  );
});

Deno.test("Package: blocked, frozen and thawed from its page, in force within a second", async () => {
  await using w = await world();
  const { sluice } = w;
  assert.equal(await install(sluice, "ada"), 200);
  const eve = await signIn(sluice, { user: "eve", role: "editor" });
  const page = "/-/admin/default/packages/pkg:npm/left-pad";
  const block = { action: "override", effect: "deny", version: "1.3.0", reason: HOSTILE };
  assert.ok((await follow(eve, await eve.post(page, block))).includes("Blocked"));
  sluice.advance(1_001);
  assert.equal(await install(sluice, "ada"), 403);
  assert.ok(
    (await follow(eve, await eve.post(page, { action: "freeze", reason: "audit" }))).includes("Frozen"),
  );
  assert.ok((await follow(eve, await eve.post(page, { action: "unfreeze" }))).includes("No longer frozen"));
  const mistake = { action: "override", effect: "allow", version: "", reason: "once", until: "yesterday" };
  const failed = await text(await eve.post(page, mistake), 422);
  assert.ok(failed.includes('value="once"') && failed.includes('value="yesterday"'));
  const vera = await signIn(sluice, { user: "vera", role: "viewer" });
  await text(await vera.post(page, block), 403);
});

Deno.test("Installs: filters in the address, pages, CSV and NDJSON of what is shown, who has a version", async () => {
  await using w = await world();
  const { sluice } = w;
  await install(sluice, "ada");
  await install(sluice, "=cmd()");
  assert.equal(await install(sluice, "ada", "1.3.1"), 403);
  const vera = await signIn(sluice, { user: "vera", role: "viewer" });
  const at = (path: string) => `/-/admin/default/installs${path}`;
  const refused = await text(await vera.get(at("?outcome=refused")));
  assert.ok(refused.includes("left-pad 1.3.1") && !refused.includes("left-pad 1.3.0"));
  const csv = await vera.get(at("/export?format=csv&outcome=served"));
  assert.match(csv.headers.get("content-disposition") ?? "", /attachment; filename="installs\.csv"/);
  const lines = (await text(csv)).trimEnd().split("\n");
  assert.equal(lines.length, 3, lines.join("\n"));
  assert.ok(lines.some((line) => line.includes("'=cmd()")), "no formula");
  const ndjson = (await text(await vera.get(at("/export?user=ada")))).trimEnd().split("\n");
  assert.equal(ndjson.length, 2);
  assert.ok(
    (await text(await vera.get(at("/who?package=left-pad&version=1.3.0")))).includes(
      "Who has left-pad 1.3.0",
    ),
  );
  assert.ok((await text(await vera.get(at("?since=never")), 400)).includes("never"));
  assert.ok((await text(await vera.get(at("?package=nobody")))).includes("Nothing matches"));
});

Deno.test("admin: a form of somebody who was signed out meanwhile does nothing, and says how to send it once more", async () => {
  await using w = await world();
  const { sluice } = w;
  const answer = await fetch(`${sluice.url}/-/admin/default/tokens`, {
    method: "POST",
    body: new URLSearchParams({ action: "make-own", description: "laptop" }),
    redirect: "manual",
  });
  assert.ok((await text(answer, 401)).includes("signed out meanwhile"));
});

Deno.test("Overview: what is the whole instance's says so, who was not asked does not answer, one refusal again and again is one row", async () => {
  await using w = await world();
  const { sluice } = w;
  const root = await signIn(sluice, { user: "root", role: "owner" });
  const before = await text(await root.get("/-/admin/default/overview"));
  assert.match(
    before,
    new RegExp(`<dt>${w.registry.upstream.url.replace(/\/$/, "")}</dt><dd>not asked yet</dd>`),
  );
  for (let times = 0; times < 3; times++) assert.equal(await install(sluice, "grace", "1.3.1"), 403);
  await sluice.maintain();
  const page = await text(await root.get("/-/admin/default/overview"));
  assert.match(page, new RegExp(`<dt>${w.registry.upstream.url.replace(/\/$/, "")}</dt><dd>answers</dd>`));
  assert.match(page, /<dt>Packages cached<\/dt><dd>\d+<span class="of">of all organisations<\/span>/);
  assert.match(page, /<span class="of">in 30 days, of all organisations<\/span>/);
  const refused = /<section aria-labelledby="refused">.*?<\/section>/s.exec(page)?.[0] ?? "";
  assert.equal(refused.match(/<tr role="row">/g)?.length, 2, "the head and one row");
  assert.match(
    refused,
    /href="\/-\/admin\/default\/packages\/pkg%3Anpm\/left-pad%401\.3\.1">left-pad 1\.3\.1</,
  );
  assert.match(refused, /title="minimumAge">Minimum age<.*just now<\/time><div class="quiet">3 times/s);
});
