/** The sign-in at a whole Sluice: the printed link, cookies, and how a session ends. */
import assert from "node:assert/strict";
import { backup } from "../../storage/backup.ts";
import { readBackupFile } from "../../storage/backup_file.ts";
import { openStorage } from "../../storage/kv/kv.ts";
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

Deno.test("sign-in: once a provider is set up, the link is gone, and whoever came in by it is out", async () => {
  await using sluice = await startSluice({ env: {} });
  const entered = await get(sluice, sluice.localLink!.slice(sluice.url.length));
  const cookie = entered.headers.get("set-cookie")!.split(";", 1)[0]!;
  assert.equal((await get(sluice, PAGE, { cookie })).status, 200);
  const link = sluice.localLink!.slice(sluice.url.length);
  await sluice.restart({ SLUICE_OIDC_ISSUER: "https://login.example", SLUICE_OIDC_CLIENT_ID: "sluice" });
  assert.equal((await get(sluice, PAGE, { cookie })).status, 303);
  assert.equal((await get(sluice, link)).status, 403);
  const door = await get(sluice, "/-/auth/sign-in?to=//evil.example");
  assert.match(door.text, /Sign in with login\.example.*Nobody owns this Sluice yet/s);
  assert.ok(!door.text.includes("evil.example"), "no open redirect");
});

Deno.test("/-/auth: strict headers on every answer, and no cookie for who only looks", async () => {
  await using sluice = await startSluice({ env: {} });
  for (
    const path of [
      "sign-in",
      "sign-in?link=x",
      "sign-in?with=github",
      "callback",
      "callback?code=x&state=y",
      "sign-out",
    ]
  ) {
    const { headers, text, status } = await get(sluice, `/-/auth/${path}`);
    assert.ok(status < 500, path);
    assert.deepEqual(headers.getSetCookie(), [], path);
    assert.match(headers.get("content-security-policy")!, /default-src 'none'.*frame-ancestors 'none'/, path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.match(headers.get("cache-control")!, /no-store/, path);
    assert.match(headers.get("referrer-policy")!, /^(?:same-origin|no-referrer)$/, path);
    assert.ok(!/<script|\sstyle=|\son[a-z]+=/i.test(text), path);
  }
});

Deno.test("backup: holds rules, and neither sessions nor who signed in", async () => {
  await using sluice = await startSluice({ env: {} });
  await signIn(sluice, { user: "octocat", role: "viewer" });
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  try {
    const parts: Uint8Array[] = [];
    await backup(kv, new WritableStream({ write: (part) => void parts.push(part) }), { clock: sluice.now });
    const file = new Blob(parts as Uint8Array<ArrayBuffer>[]).stream();
    const kinds = new Set<unknown>();
    for await (const item of readBackupFile(file)) if (item.kind === "entry") kinds.add(item.key[0]);
    assert.ok(kinds.has("member_rules") && kinds.has("organisations"));
    assert.ok(!kinds.has("sessions") && !kinds.has("visitors"));
  } finally {
    kv.close();
  }
});
