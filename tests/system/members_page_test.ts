/** The Members page, and one's own sessions. */
import assert from "node:assert/strict";
import { HOSTILE } from "../fakes/hostile.ts";
import { signIn } from "../fakes/signed_in.ts";
import { startSluice } from "../fakes/sluice.ts";

const PAGE = "/-/admin/default/members";

Deno.test("Members: what to do while there is none; added, replaced, removed; what is wrong beside its field, nothing lost", async () => {
  await using sluice = await startSluice({ env: {} });
  const link = await fetch(sluice.localLink!, { redirect: "manual" });
  const cookie = link.headers.get("set-cookie")!.split(";", 1)[0]!;
  const operator = { cookie, "sec-fetch-site": "same-origin" };
  const get = async (path: string) =>
    await (await fetch(`${sluice.url}${path}`, { headers: operator })).text();
  const post = async (fields: Record<string, string>) => {
    const body = new URLSearchParams(fields);
    const sent = await fetch(`${sluice.url}${PAGE}`, {
      method: "POST",
      headers: operator,
      body,
      redirect: "manual",
    });
    return { status: sent.status, text: await sent.text(), to: sent.headers.get("location") };
  };
  const empty = await get(PAGE);
  assert.match(empty, /No rule gives anybody a role here yet/);
  assert.match(empty, /Nobody can sign in yet but this machine/);
  assert.match(empty, /operator@localhost/);
  assert.match(await get("/-/auth/sign-in?set-up"), /SLUICE_GITHUB_CLIENT_ID/);
  const wrong = await post({ action: "add", who: HOSTILE, role: "editor" });
  assert.equal(wrong.status, 400);
  assert.ok(!wrong.text.includes(HOSTILE));
  assert.match(wrong.text, /is none of github:LOGIN/);
  assert.match(wrong.text, /aria-invalid="true"/);
  assert.match(wrong.text, /<option value="editor" selected/);
  const added = await post({ action: "add", who: "github:Team/Acme/Security", role: "editor" });
  assert.equal(added.to, `${PAGE}?done=added`);
  const shown = await get(added.to);
  assert.match(shown, /github:team\/acme\/security/);
  assert.match(shown, /The role is given/);
  const trail = await get("/-/admin/default/audit");
  assert.match(trail, /Gave a role to.*github:team\/acme\/security/s);
  assert.equal((await post({ action: "remove", who: "github:team/acme/security" })).status, 303);
  assert.match(await get(PAGE), /No rule gives anybody a role here yet/);
});

Deno.test("Members: who signed in, with which role; an owner ends their sessions, but not those of an instance's owner", async () => {
  await using sluice = await startSluice({ env: { SLUICE_OWNERS: "github:root" } });
  await sluice.setPolicy({}, "acme");
  const owner = await signIn(sluice, { user: "olga", role: "owner" });
  const vera = await signIn(sluice, { user: "vera", role: "viewer" });
  const root = await signIn(sluice, { user: "root", role: null });
  await signIn(sluice, { user: "elsewhere", role: "owner", organisation: "acme" });
  const page = await (await owner.get(PAGE)).text();
  assert.match(page, /vera.*viewer/s);
  assert.match(page, /root.*of the whole instance/s);
  assert.ok(!page.includes("elsewhere"), "whoever has no role here is nobody's business here");
  const idOf = (sessionId: string) => sessionId.slice(0, 24);
  const sent = await owner.post(PAGE, { action: "sign-out", id: idOf(vera.sessionId) });
  assert.equal(sent.status, 303);
  await sent.body?.cancel();
  assert.equal((await vera.get("/-/admin/default/overview")).status, 303);
  assert.match(await (await owner.get(PAGE)).text(), /no session is left/);
  const refused = await owner.post(PAGE, { action: "sign-out", id: idOf(root.sessionId) });
  assert.equal(refused.status, 404);
  assert.equal((await root.get(PAGE)).status, 200);
});

Deno.test("/-/auth/sign-out: one's own sessions, ended one or all; each request after it is nobody's", async () => {
  await using sluice = await startSluice({ env: {} });
  const here = await signIn(sluice, { user: "vera", role: "viewer" });
  const there = await signIn(sluice, { user: "vera", role: "viewer" });
  const third = await signIn(sluice, { user: "vera", role: "viewer" });
  const overview = "/-/admin/default/overview";
  const own = await (await here.get("/-/auth/sign-out")).text();
  assert.equal(own.match(/<time /g)?.length, 6);
  assert.match(own, /this browser/);
  assert.equal((await here.get(overview)).status, 200, "to look signs nobody out");
  await (await here.post("/-/auth/sign-out", {})).body?.cancel();
  assert.deepEqual([(await here.get(overview)).status, (await there.get(overview)).status], [303, 200]);
  await (await there.post("/-/auth/sign-out", { everywhere: "yes" })).body?.cancel();
  assert.deepEqual([(await there.get(overview)).status, (await third.get(overview)).status], [303, 303]);
});
