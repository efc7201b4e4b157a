/** The sign-in at a public address: one host, one cookie; nothing of it at an organisation's host, nor upstream. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { startGitHub } from "../fakes/github.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { signIn } from "../fakes/signed_in.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";

interface Asked {
  readonly status: number;
  readonly text: string;
  readonly to: string | null;
  readonly cookies: readonly string[];
}

/** fetch sets Host by itself. */
function asker(port: number) {
  return (host: string, path: string, headers: Record<string, string> = {}, form?: string) =>
    new Promise<Asked>((resolve, reject) => {
      const sent = request({
        port,
        host: "127.0.0.1",
        path,
        method: form === undefined ? "GET" : "POST",
        headers: {
          host,
          ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
          ...headers,
        },
      }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => text += part).on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            text,
            to: response.headers.location ?? null,
            cookies: response.headers["set-cookie"] ?? [],
          }));
      });
      sent.on("error", reject);
      sent.end(form);
    });
}

Deno.test("sign-in over HTTPS: __Host- cookies of the base address; an organisation's host sends on and sets none", async () => {
  await using github = startGitHub();
  await using sluice = await startSluice({
    env: {
      SLUICE_BASE_URL: "https://sluice.test",
      SLUICE_GITHUB_URL: github.url,
      SLUICE_GITHUB_CLIENT_ID: github.clientId,
      SLUICE_GITHUB_CLIENT_SECRET: github.clientSecret,
      SLUICE_OWNERS: "github:octocat",
    },
  });
  github.callback = "https://sluice.test/-/auth/callback";
  await sluice.setPolicy({}, "acme");
  const ask = asker(sluice.port);
  const begun = await ask("sluice.test", "/-/auth/sign-in?with=github");
  const [flow = ""] = begun.cookies;
  assert.match(flow, /^__Host-sluice-sign-in=[^;]+; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const agreed = await fetch(`${begun.to}&decision=agree`, { redirect: "manual" });
  const back = new URL(agreed.headers.get("location")!);
  assert.equal(back.origin, "https://sluice.test");
  const path = back.pathname + back.search;
  const cookie = flow.split(";", 1)[0]!;
  const elsewhere = await ask("acme.sluice.test", path, { cookie });
  assert.deepEqual([elsewhere.status, elsewhere.to, elsewhere.cookies], [303, `${back.href}&moved=`, []]);
  const entered = await ask("sluice.test", path, { cookie });
  assert.equal(entered.to, "/-/admin");
  const [session = "", forgotten = ""] = entered.cookies;
  assert.match(
    session,
    /^__Host-sluice=[0-9a-f]{40}\.[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
  assert.match(forgotten, /^__Host-sluice-sign-in=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
  const member = { cookie: session.split(";", 1)[0]!, "sec-fetch-site": "same-origin" };
  assert.equal((await ask("sluice.test", "/-/admin/acme/overview", member)).status, 200);
  for (const [host, prefix] of [["acme.sluice.test", ""], ["sluice.test", "/o/acme"]] as const) {
    const page = await ask(host, `${prefix}/-/admin/acme/overview`, member);
    assert.deepEqual(
      [page.status, page.to, page.cookies],
      [303, "https://sluice.test/-/admin/acme", []],
      host,
    );
    const door = await ask(host, `${prefix}/-/auth/sign-in?with=github`, member);
    assert.equal(door.to, "https://sluice.test/-/auth/sign-in?with=github&moved=", host);
    assert.deepEqual(door.cookies, [], host);
    const out = await ask(host, `${prefix}/-/auth/sign-out`, member, "everywhere=yes");
    assert.deepEqual([out.status, out.cookies], [403, []], host);
    const form = await ask(
      host,
      `${prefix}/-/admin/acme/members`,
      member,
      "action=add&who=github:eve&role=owner",
    );
    assert.equal(form.status, 303, host);
  }
  assert.equal((await ask("sluice.test", "/-/admin/acme/overview", member)).status, 200, "still signed in");
  // A proxy that does not pass Host on: told, not sent round and round.
  const loopback = `127.0.0.1:${sluice.port}`;
  const sent = await ask(loopback, "/-/auth/sign-in");
  assert.equal(sent.to, "https://sluice.test/-/auth/sign-in?moved=");
  const again = await ask(loopback, "/-/auth/sign-in?moved=");
  assert.equal(again.status, 400);
  assert.match(again.text, /let the proxy before it pass the Host header on/);
  const members = await ask("sluice.test", "/-/admin/acme/members", member);
  assert.ok(!members.text.includes("github:eve"));
});

Deno.test("sign-in: where neither HTTPS nor loopback is, nobody is given a cookie, and the page says what to do", async () => {
  await using sluice = await startSluice({ env: { SLUICE_BASE_URL: "http://sluice.test" } });
  assert.equal(sluice.localLink, null);
  const ask = asker(sluice.port);
  const page = await ask("sluice.test", "/-/auth/sign-in?with=github");
  assert.equal(page.status, 200);
  assert.match(page.text, /Signing in needs HTTPS/);
  assert.deepEqual(page.cookies, []);
});

Deno.test("a session's cookie: goes into no request upstream, no log, no install, and no API call", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "left-pad", releases: { "1.3.0": { publishedAt: daysAgo(300) } } });
  await using sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_LOG_LEVEL: "debug" },
  });
  const ada = await signIn(sluice, { user: "ada", role: "owner" });
  const secret = ada.cookie.split("=")[1]!;
  for (const path of ["/npm/left-pad", "/npm/left-pad/-/left-pad-1.3.0.tgz", "/-/admin/default/overview"]) {
    const response = await fetch(`${sluice.url}${path}`, { headers: ada.headers });
    await response.text();
    assert.equal(response.status, 200, path);
  }
  const api = await fetch(`${sluice.url}/-/api/v1/organisations/default/members`, { headers: ada.headers });
  await api.body?.cancel();
  assert.equal(api.status, 401, "the API takes no cookie");
  const sent = registry.upstream.requests.map((request) => JSON.stringify([...request.headers]));
  assert.ok(sent.length >= 2);
  for (const headers of sent) assert.ok(!headers.includes("cookie") && !headers.includes(secret), headers);
  const written = JSON.stringify([sluice.lines, await sluice.installs()]);
  assert.ok(!written.includes(secret));
  const own = await (await ada.get("/-/auth/sign-out")).text();
  assert.ok(!own.includes(secret) && !own.includes(secret.split(".")[1]!), "no page shows it");
  assert.ok(own.includes(ada.formToken));
});

Deno.test("sign-in below a path: whoever was sent to the door comes back to the page they wanted", async () => {
  await using sluice = await startSluice({ env: { SLUICE_BASE_URL: "https://sluice.test/pkg" } });
  const ask = asker(sluice.port);
  const door = await ask("sluice.test", "/pkg/-/admin/default/tokens?done=revoked");
  assert.equal(door.status, 303);
  const { pathname, searchParams } = new URL(door.to ?? "", "https://sluice.test");
  assert.deepEqual([pathname, searchParams.get("to")], [
    "/pkg/-/auth/sign-in",
    "/pkg/-/admin/default/tokens?done=revoked",
  ]);
});
