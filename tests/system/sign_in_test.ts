/** The sign-in at a whole Sluice: the printed link, cookies, and how a session ends. */
import assert from "node:assert/strict";
import { signIn } from "../fakes/signed_in.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";

const PAGE = "/-/admin/default/overview";

/** Without following redirects. */
async function get(sluice: TestSluice, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${sluice.url}${path}`, { headers, redirect: "manual" });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers, to: response.headers.get("location") };
}

Deno.test("/-/auth/sign-in: the link that is printed signs the operator in, once, as the owner of all", async () => {
  await using sluice = await startSluice({ env: {} });
  const link = sluice.localLink ?? "";
  assert.ok(link.startsWith(`${sluice.url}/-/auth/sign-in?link=`));
  const path = link.slice(sluice.url.length);
  const head = await fetch(link, { method: "HEAD", redirect: "manual" });
  assert.equal(head.headers.get("set-cookie"), null, "who looks whether it is there does not use it up");
  const entered = await get(sluice, path);
  assert.equal(entered.status, 303);
  assert.equal(entered.to, "/-/admin");
  const cookie = entered.headers.get("set-cookie")!;
  assert.match(
    cookie,
    /^sluice-\d+=[0-9a-f]{40}\.[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/,
  );
  const page = await get(sluice, PAGE, { cookie: cookie.split(";", 1)[0]! });
  assert.equal(page.status, 200);
  assert.match(page.text, /operator@localhost/);
  const again = await get(sluice, path);
  assert.equal(again.status, 403);
  assert.equal(again.headers.get("set-cookie"), null);
  assert.ok(!JSON.stringify(sluice.lines).includes(cookie.slice(13, 60)), "no log has the cookie");
});

Deno.test("/-/auth/sign-out: ends the session, here and in the browser", async () => {
  await using sluice = await startSluice({ env: {} });
  const member = await signIn(sluice, { user: "Octocat", role: "viewer" });
  assert.equal((await member.get(PAGE)).status, 200);
  const out = await member.post("/-/auth/sign-out", {});
  assert.equal(out.status, 303);
  assert.match(out.headers.get("set-cookie") ?? "", /^sluice-\d+=; Max-Age=0;/);
  assert.equal((await member.get(PAGE)).status, 303);
});

Deno.test("signIn of the tests: the role in that organisation, none in another, and a session without a rule", async () => {
  await using sluice = await startSluice({ env: {} });
  await sluice.setPolicy({}, "acme");
  const member = await signIn(sluice, { user: "ada", role: "editor", organisation: "acme" });
  assert.match(await (await member.get("/-/admin/acme/overview")).text(), /ada.*editor/s);
  assert.equal((await member.get(PAGE)).status, 403);
  const nobody = await signIn(sluice, { user: "eve", role: null });
  assert.equal((await nobody.get("/-/admin")).status, 403);
});
