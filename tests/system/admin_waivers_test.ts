/** The Waivers pages: what an approver sees, answers and takes back; what fails keeps what was written. */
import assert from "node:assert/strict";
import { daysAgo } from "../fakes/sluice.ts";
import { signIn } from "../fakes/signed_in.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { createWaiverWorld } from "./waiver_world.ts";

const WAIVERS = "/-/admin/default/waivers";

Deno.test("Waivers page: empty it says what to do; open requests with all an approver needs; granted, used, revoked", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, form, api } = world;
  const approver = await signIn(sluice, { user: "grace", role: "approver" });
  const shown = async (path = WAIVERS) => await (await approver.get(path)).text();
  const empty = await shown();
  for (const words of [/Nobody waits for an answer/, /No waiver is in force/]) assert.match(empty, words);
  for (const path of ["ended", "answered"]) {
    assert.match(await shown(`${WAIVERS}/${path}`), /within the last 180 days/);
  }

  await file("1.1.0");
  await form("/-/why/pkg:npm/fresh@1.1.0", {
    name: "ada",
    reason: "the build",
    ticket: "https://t.example/1",
    for: "mature",
  });
  const open = await shown();
  for (
    const words of [
      /fresh 1\.1\.0<\/a>/,
      /ada <span class="badge warn">unverified, from 198\.51\.100\.\d+<\/span>/,
      /the build/,
      /<a href="https:\/\/t\.example\/1" rel="noreferrer noopener">/,
      /fresh 1\.1\.0 is held until 2026-06-09T12:00Z: published/,
      /Matures by itself<\/dt><dd><time datetime="2026-06-09T12:00:00\.000Z"/,
      /\/-\/why\/pkg:npm\/fresh@1\.1\.0/,
    ]
  ) assert.match(open, words);
  const [request] = (await api("GET", "/waiver-requests")).body.requests;

  const wrong = await approver.post(WAIVERS, {
    action: "grant",
    id: request.id,
    word: "kept",
    for: "date",
    until: daysAgo(3),
  });
  const again = await wrong.text();
  assert.equal(wrong.status, 400);
  assert.match(again, /This end has passed/);
  assert.match(again, />\nkept<\/textarea>/);
  assert.equal((await file("1.1.0")).status, 403);

  const granted = await approver.post(WAIVERS, { action: "grant", id: request.id, word: "fine", for: "7" });
  assert.deepEqual([granted.status, granted.headers.get("location")], [303, `${WAIVERS}?done=granted`]);
  sluice.advance(1_001);
  assert.equal((await file("1.1.0")).status, 200);
  const held = await shown(`${WAIVERS}?done=granted`);
  for (
    const words of [
      /in force within a second/,
      /asked by ada/,
      /Revoke it now/,
      /<td[^>]* class="number"[^>]*>1<span/,
    ]
  ) assert.match(held, words);
  assert.match(await shown(`${WAIVERS}/answered`), /granted<\/span> by grace/);

  const late = await approver.post(`${WAIVERS}/requests/${request.id}`, {
    action: "decline",
    id: request.id,
  });
  assert.equal(late.status, 409);
  assert.match(await late.text(), /grace granted it already/);

  const revoked = await approver.post(WAIVERS, { action: "revoke", id: `w-${request.id}` });
  assert.equal(revoked.headers.get("location"), `${WAIVERS}?done=revoked`);
  sluice.advance(1_001);
  assert.equal((await file("1.1.0")).status, 403);
  assert.match(await shown(`${WAIVERS}/ended`), /revoked by grace/);
  assert.match(await shown("/-/admin/default/audit"), /Granted an exception for.*the build/s);
});

Deno.test("Waivers page: a denial is lifted with open eyes; one that nobody asked for; declined with a word that the asker sees", async () => {
  await using world = await createWaiverWorld();
  const { sluice, file, form, page, api } = world;
  await sluice.setPolicy({ deprecated: "deny", block: ["npm/fresh==1.0.0"] });
  const approver = await signIn(sluice, { user: "grace", role: "approver" });
  await file("1.1.0", { name: "old" });
  await file("1.0.0");
  await form("/-/why/pkg:npm/old@1.1.0", { name: "ada", reason: "until we move", for: "30" });
  const [request] = (await api("GET", "/waiver-requests")).body.requests;
  const shown = await (await approver.get(WAIVERS)).text();
  assert.match(shown, /This is denied, not only held/);
  assert.match(shown, /<input type="checkbox" name="lifts" value="deprecated" checked/);
  const plain = await approver.post(WAIVERS, { action: "grant", id: request.id, for: "asked" });
  assert.equal(plain.status, 400, "unticked");
  const one = `${WAIVERS}/requests/${request.id}`;
  const declined = await approver.post(one, { action: "decline", id: request.id, word: "use fresh instead" });
  assert.equal(declined.headers.get("location"), `${WAIVERS}?done=declined`);
  assert.match((await page("/-/why/pkg:npm/old@1.1.0")).text, /declined it .*use fresh instead/s);

  const fields = {
    action: "grant-new",
    purl: "pkg:npm/fresh@1.0.0",
    reason: "now",
    for: "1",
    lifts: "override",
  };
  const notTheirs = await approver.post(WAIVERS, fields);
  assert.equal(notTheirs.status, 403);
  assert.match(await notTheirs.text(), /needs the scope &quot;policy&quot;/);
  const editor = await signIn(sluice, { user: "linus", role: "editor" });
  assert.equal((await editor.post(WAIVERS, fields)).status, 303);
  sluice.advance(1_001);
  assert.equal((await file("1.0.0")).status, 200);
  const broken = await editor.post(WAIVERS, { ...fields, purl: "fresh" });
  assert.match(await broken.text(), /Cannot read the purl/);
});

Deno.test("webhooks hear of a request and of its answer, with the address where it is answered", async () => {
  await using listener = await startFakeUpstream();
  listener.answer("/hook", { method: "POST", body: "" });
  await using world = await createWaiverWorld({ SLUICE_ALLOW_PRIVATE_WEBHOOKS: listener.host });
  const { sluice, file, form, api } = world;
  await sluice.setPolicy({ webhooks: [{ url: `${listener.url}hook`, events: ["waiver"] }] });
  const told = async (count: number) => {
    for (let tries = 0; listener.asked("/hook").length < count && tries < 250; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return listener.asked("/hook").map(({ body }) => JSON.parse(new TextDecoder().decode(body)));
  };
  await file("1.1.0");
  await form("/-/why/pkg:npm/fresh@1.1.0", { name: "ada", reason: "the build", for: "mature" });
  const [request] = (await api("GET", "/waiver-requests")).body.requests;
  const [asked] = await told(1);
  assert.deepEqual(
    [asked.event, asked.state, asked.user, asked.isVerified, asked.reason, asked.link],
    ["waiver", "asked", "ada", false, "the build", `${sluice.url}${WAIVERS}/requests/${request.id}`],
  );
  await api("POST", `/waiver-requests/${request.id}/grant`, { body: { word: "fine" } });
  const [, granted] = await told(2);
  assert.deepEqual(
    [granted.state, granted.by, granted.word, granted.until, granted.link],
    ["granted", "admin", "fine", daysAgo(-8), `${sluice.url}/-/why/pkg:npm/fresh@1.1.0`],
  );
});
