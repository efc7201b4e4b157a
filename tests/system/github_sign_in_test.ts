/** Signing in with GitHub, at a stand-in that follows its documentation. */
import assert from "node:assert/strict";
import { createMembers } from "../../storage/kv/members.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import type { Role } from "../../storage/members.ts";
import { createCookieJar } from "../fakes/cookie_jar.ts";
import { type FakeGitHub, startGitHub } from "../fakes/github.ts";
import { HOSTILE } from "../fakes/hostile.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";

const MINUTE_MS = 60_000;
const PAGE = "/-/admin/default/overview";

interface World extends AsyncDisposable {
  readonly github: FakeGitHub;
  readonly sluice: TestSluice;
}

async function startWorld(env: Record<string, string> = {}): Promise<World> {
  const github = startGitHub();
  const sluice = await startSluice({
    env: {
      SLUICE_GITHUB_URL: github.url,
      SLUICE_GITHUB_CLIENT_ID: github.clientId,
      SLUICE_GITHUB_CLIENT_SECRET: github.clientSecret,
      ...env,
    },
  });
  github.callback = `${sluice.url}/-/auth/callback`;
  return {
    github,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await github[Symbol.asyncDispose]();
    },
  };
}

async function addRule(sluice: TestSluice, trait: string, role: Role, organisation = "default") {
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  try {
    const rule = { id: trait, role, createdAt: sluice.now(), createdBy: "test", until: null };
    await createMembers(kv, { clock: sluice.now }).add(organisation, rule);
  } finally {
    kv.close();
  }
}

/** From the button to where it ends; `decision`: at GitHub's page. */
async function signInAt(
  { sluice, github }: World,
  jar = createCookieJar(),
  { decision = "agree", to = PAGE } = {},
) {
  const asked = await jar.visit(
    `${sluice.url}/-/auth/sign-in?${new URLSearchParams({ with: "github", to })}`,
  );
  assert.ok(asked.location?.startsWith(`${github.url}/login/oauth/authorize?`), asked.text);
  const back = await jar.visit(`${asked.location}&decision=${decision}`);
  const ended = await jar.follow(back.location!);
  return { jar, ended, back: back.location! };
}

Deno.test("sign-in with GitHub: state, PKCE and the exact redirect address; the page that was asked for; no printed link", async () => {
  await using world = await startWorld({ SLUICE_OWNERS: "github:OCTOCAT" });
  const { sluice, github } = world;
  assert.equal(sluice.localLink, null);
  const jar = createCookieJar();
  const door = await jar.follow(`${sluice.url}${PAGE}?x=1`);
  assert.match(door.text, /Sign in with GitHub/);
  const button = /href="([^"]*with=github[^"]*)"/.exec(door.text)![1]!.replaceAll("&amp;", "&");
  const asked = await jar.visit(`${sluice.url}${button}`);
  const query = new URL(asked.location!).searchParams;
  assert.equal(query.get("redirect_uri"), `${sluice.url}/-/auth/callback`);
  assert.equal(query.get("code_challenge_method"), "S256");
  assert.equal(query.get("scope"), "read:org");
  assert.match(query.get("state")!, /^[\w-]{43}$/);
  const back = await jar.visit(`${asked.location}&decision=agree`);
  const entered = await jar.visit(back.location!);
  assert.equal(entered.location, `${sluice.url}${PAGE}?x=1`);
  const [session] = jar.set.filter((cookie) => /^sluice-\d+=/.test(cookie));
  assert.match(session!, /; HttpOnly; SameSite=Lax$/);
  const page = await jar.visit(entered.location!);
  assert.equal(page.status, 200);
  assert.match(page.text, /Octocat.*owner/s);
  for (const to of ["//evil.example/", "https://evil.example/", "/\\evil.example/", "/-/auth/sign-out"]) {
    const led = await signInAt(world, createCookieJar(), { to });
    assert.ok(led.ended.url.startsWith(`${sluice.url}/-/admin`), `${to}: ${led.ended.url}`);
  }
  // The code is good once, and the browser has forgotten what it had been sent away with.
  assert.equal((await jar.visit(back.location!)).status, 400);
  assert.ok(github.requests.every(({ cookie }) => cookie === null), "no cookie of ours goes to GitHub");
  assert.ok(github.requests.some(({ line }) => line === "GET /api/v3/user/teams"));
  assert.ok(
    github.requests.filter(({ line }) => line.includes("/api/")).every(({ userAgent }) => userAgent !== ""),
  );
  const secrets = [github.clientSecret, session!.split(/[=;]/)[1]!, "gho_", query.get("state")!];
  const logged = JSON.stringify(sluice.lines);
  for (const secret of secrets) assert.ok(!logged.includes(secret), `${secret.slice(0, 4)}… is in the log`);
});

Deno.test("sign-in with GitHub: organisations, teams and users give the greatest of their roles, over all pages; an invitation gives none", async () => {
  await using world = await startWorld();
  const { sluice, github } = world;
  const many = Array.from({ length: 130 }, (_, i) => [`org-${i}`, "active"] as const);
  github.person.memberships = { ...Object.fromEntries(many), Acme: "active", Invited: "pending" };
  github.person.teams = [...Array.from({ length: 230 }, (_, i) => `acme/team-${i}`), "Acme/Security"];
  await sluice.setPolicy({}, "beta");
  await sluice.setPolicy({}, "gamma");
  await addRule(sluice, "github:org/acme", "viewer");
  await addRule(sluice, "github:team/acme/security", "operator");
  await addRule(sluice, "github:org/org-129", "approver", "beta");
  await addRule(sluice, "github:org/invited", "owner", "gamma");
  const { jar, ended } = await signInAt(world);
  assert.match(ended.text, /Octocat.*operator/s);
  assert.match((await jar.visit(`${sluice.url}/-/admin/beta/overview`)).text, /approver/);
  assert.equal((await jar.visit(`${sluice.url}/-/admin/gamma/overview`)).status, 403);
});

Deno.test("sign-in with GitHub: whoever declines, has no role, comes late or from elsewhere is told so in words, and has no session", async () => {
  await using world = await startWorld();
  const { sluice, github } = world;
  const denied = await signInAt(world, createCookieJar(), { decision: "deny" });
  assert.equal(denied.ended.status, 403);
  assert.match(denied.ended.text, /was not agreed to/);
  const hostile = createCookieJar();
  const begun = await hostile.visit(`${sluice.url}/-/auth/sign-in?with=github`);
  const state = new URL(begun.location!).searchParams.get("state")!;
  const said = new URLSearchParams({ error: HOSTILE, error_description: HOSTILE, state });
  const told = await hostile.visit(`${sluice.url}/-/auth/callback?${said}`);
  assert.equal(told.status, 403);
  assert.ok(!told.text.includes("<script") && told.text.includes("&lt;script"));
  const nobody = await signInAt(world);
  assert.equal(nobody.ended.status, 403);
  assert.match(nobody.ended.text, /Octocat.*no organisation here has a rule.*github:octocat/s);
  await addRule(sluice, "github:octocat", "viewer");
  const late = createCookieJar();
  const asked = await late.visit(`${sluice.url}/-/auth/sign-in?with=github`);
  const back = await late.visit(`${asked.location}&decision=agree`);
  sluice.advance(10 * MINUTE_MS);
  const ended = await late.visit(back.location!);
  assert.equal(ended.status, 400);
  assert.match(ended.text, /more than ten minutes ago/);
  // Login CSRF: somebody else's answer, put into a browser that has begun nothing, or something of its own.
  const theirs = createCookieJar();
  const other = await theirs.visit(`${sluice.url}/-/auth/sign-in?with=github`);
  const forged = (await theirs.visit(`${other.location}&decision=agree`)).location!;
  const victim = createCookieJar();
  assert.equal((await victim.visit(forged)).status, 400);
  await victim.visit(`${sluice.url}/-/auth/sign-in?with=github`);
  assert.equal((await victim.visit(forged)).status, 400);
  github.tokenError = "incorrect_client_credentials";
  const misconfigured = await signInAt(world);
  assert.equal(misconfigured.ended.status, 503);
  assert.match(misconfigured.ended.text, /does not know this client id and secret/);
  github.tokenError = null;
  github.callback = `${sluice.url}/elsewhere`;
  const mismatch = await createCookieJar().visit(asked.location!);
  assert.match(mismatch.location!, /error=redirect_uri_mismatch/);
  github.callback = `${sluice.url}/-/auth/callback`;
  github.apiStatus = 503;
  const broken = await signInAt(world);
  assert.equal(broken.ended.status, 503);
  assert.match(broken.ended.text, /GitHub answers with status 503/);
  for (const { jar } of [denied, nobody, misconfigured, broken]) {
    assert.ok(!jar.set.some((cookie) => /^sluice-\d+=./.test(cookie)));
  }
  assert.equal((await victim.visit(`${sluice.url}${PAGE}`)).status, 303);
});

Deno.test("sign-in with GitHub: a session that was there before is another one afterwards, and ended", async () => {
  await using world = await startWorld({ SLUICE_OWNERS: "github:octocat" });
  const { sluice } = world;
  const first = await signInAt(world);
  const name = [...first.jar.cookies.keys()].find((key) => /sluice-\d+$/.test(key))!;
  const planted = first.jar.cookies.get(name)!;
  await signInAt(world, first.jar);
  const now = first.jar.cookies.get(name)!;
  assert.notEqual(now, planted);
  const cookie = `${name.split(" ")[1]}=${planted}`;
  const old = await fetch(`${sluice.url}${PAGE}`, { headers: { cookie }, redirect: "manual" });
  await old.body?.cancel();
  assert.equal(old.status, 303);
  assert.equal((await first.jar.visit(`${sluice.url}${PAGE}`)).status, 200);
});

Deno.test("sign-in with GitHub: memberships are read again within the hour; what GitHub takes no more ends the session", async () => {
  await using world = await startWorld();
  const { sluice, github } = world;
  github.person.memberships = { acme: "active" };
  await addRule(sluice, "github:org/acme", "operator");
  const { jar, ended } = await signInAt(world);
  assert.match(ended.text, /operator/);
  const before = github.requests.length;
  sluice.advance(49 * MINUTE_MS);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 200);
  assert.equal(github.requests.length, before, "not more often than is needed");
  github.person.memberships = {};
  sluice.advance(2 * MINUTE_MS);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 403, "the role went with the membership");
  github.person.memberships = { acme: "active" };
  sluice.advance(51 * MINUTE_MS);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 200, "and came back with it");
  // GitHub is away: what it last said counts for an hour, and not a minute longer.
  github.apiStatus = 503;
  sluice.advance(52 * MINUTE_MS);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 200);
  sluice.advance(9 * MINUTE_MS);
  const unknown = await jar.visit(`${sluice.url}${PAGE}`);
  assert.equal(unknown.status, 503);
  assert.match(unknown.text, /GitHub answers with status 503/);
  github.apiStatus = null;
  sluice.advance(MINUTE_MS);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 200, "the session was not lost over it");
  github.revoke();
  sluice.advance(51 * MINUTE_MS);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 303);
  github.apiStatus = null;
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 303);
});

Deno.test("sign-in with GitHub: a GitHub App's tokens that end are refreshed, and each refresh token is used once", async () => {
  await using world = await startWorld({ SLUICE_OWNERS: "github:octocat" });
  const { sluice, github } = world;
  github.isExpiring = true;
  const { jar } = await signInAt(world);
  for (let round = 0; round < 2; round++) {
    // Used all along, so that the session does not end of itself.
    for (let hours = 0; hours < 7; hours++) {
      sluice.advance(60 * MINUTE_MS);
      assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 200);
    }
    github.endAccess();
    sluice.advance(61 * MINUTE_MS);
    assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 200, `round ${round}`);
  }
  github.revoke();
  sluice.advance(480 * MINUTE_MS - 1);
  assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 303);
});
