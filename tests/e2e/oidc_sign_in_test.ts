/** Signing in with OpenID Connect, at a real `oidc-provider`. */
import assert from "node:assert/strict";
import { createMembers } from "../../storage/kv/members.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import type { Role } from "../../storage/members.ts";
import { type CookieJar, createCookieJar } from "../fakes/cookie_jar.ts";
import { HOSTILE } from "../fakes/hostile.ts";
import { startOidcProvider, type TestOidcProvider } from "../fakes/oidc_provider.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";

const MINUTE_MS = 60_000;
const PAGE = "/-/admin/default/overview";

interface World extends AsyncDisposable {
  readonly provider: TestOidcProvider;
  readonly sluice: TestSluice;
}

async function startWorld(
  env: Record<string, string> = {},
  options: { readonly withRefresh?: boolean } = {},
): Promise<World> {
  const provider = await startOidcProvider(options);
  const sluice = await startSluice({
    env: {
      SLUICE_OIDC_ISSUER: provider.issuer,
      SLUICE_OIDC_CLIENT_ID: provider.clientId,
      SLUICE_OIDC_CLIENT_SECRET: provider.clientSecret,
      ...env,
    },
  });
  provider.redirectTo(`${sluice.url}/-/auth/callback`);
  return {
    provider,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

async function addRule(sluice: TestSluice, trait: string, role: Role) {
  const kv = await openStorage(`${sluice.data}/kv.sqlite3`);
  try {
    const rule = { id: trait, role, createdAt: sluice.now(), createdBy: "test", until: null };
    await createMembers(kv, { clock: sluice.now }).add("default", rule);
  } finally {
    kv.close();
  }
}

/** From the button over the provider's two pages to the address that the browser comes back with. */
async function cameBack({ sluice }: World, jar: CookieJar, login: string): Promise<string> {
  const isBack = (url: string) => url.startsWith(`${sluice.url}/-/auth/callback`);
  const query = new URLSearchParams({ with: "oidc", to: PAGE });
  let here = await jar.follow(`${sluice.url}/-/auth/sign-in?${query}`, isBack);
  for (const prompt of ["login", "consent"]) {
    if (here.location !== null) break;
    assert.match(here.text, new RegExp(`value="${prompt}"`));
    const sent = await jar.visit(here.url, { form: { prompt, login, password: "any" } });
    here = await jar.follow(sent.location!, isBack);
  }
  assert.ok(here.location !== null && isBack(here.location), `${here.status} ${here.text}`);
  return here.location;
}

async function signInAt(world: World, login: string, jar = createCookieJar()) {
  const ended = await jar.follow(await cameBack(world, jar, login));
  return { jar, ended };
}

Deno.test("sign-in with OpenID Connect: claims and groups give roles, a verified address owns, an unverified one is nobody's", async () => {
  await using world = await startWorld({ SLUICE_OWNERS: "oidc:Ada@Example.org" });
  const { sluice, provider } = world;
  provider.claims.set("ada", { email: "ada@example.org", email_verified: true });
  provider.claims.set("eve", { email: "ada@example.org", email_verified: false });
  provider.claims.set("bob", { groups: ["platform", "all"], preferred_username: "bob" });
  await addRule(sluice, "oidc:groups=platform", "editor");
  const ada = await signInAt(world, "ada");
  assert.match(ada.ended.text, /ada@example\.org.*owner/s);
  const eve = await signInAt(world, "eve");
  assert.equal(eve.ended.status, 403);
  assert.match(eve.ended.text, /no organisation here has a rule/);
  provider.claims.set("mallory", { preferred_username: HOSTILE, groups: [HOSTILE] });
  const mallory = await signInAt(world, "mallory");
  assert.equal(mallory.ended.status, 403);
  assert.ok(!mallory.ended.text.includes("<script") && mallory.ended.text.includes("&lt;script"));
  const bob = await signInAt(world, "bob");
  assert.match(bob.ended.text, /oidc:bob.*editor/s);
  const again = await bob.jar.visit(`${sluice.url}/-/auth/sign-in`);
  assert.equal(again.location, `${sluice.url}/-/admin`, "whoever is signed in needs no button");
});

Deno.test("sign-in with OpenID Connect: an answer that is altered, of another issuer or used twice signs nobody in", async () => {
  await using world = await startWorld({ SLUICE_OWNERS: "oidc:sub=ada" });
  world.provider.claims.set("ada", {});
  for (
    const [name, value] of [["code", "x".repeat(43)], ["iss", "https://evil.example"], [
      "state",
      "y".repeat(43),
    ]]
  ) {
    const jar = createCookieJar();
    const back = new URL(await cameBack(world, jar, "ada"));
    back.searchParams.set(name!, value!);
    const ended = await jar.visit(back.href);
    assert.ok([400, 403].includes(ended.status), `${name}: ${ended.status}`);
    assert.ok(!jar.set.some((cookie) => /^sluice-\d+=./.test(cookie)), name);
  }
  const jar = createCookieJar();
  const back = await cameBack(world, jar, "ada");
  const flow = [...jar.cookies].find(([key]) => key.includes("sluice-sign-in"))!;
  assert.equal((await jar.follow(back)).status, 200);
  const thief = await fetch(back, {
    headers: { cookie: `${flow[0].split(" ")[1]}=${flow[1]}` },
    redirect: "manual",
  });
  assert.equal(thief.status, 403);
  assert.match(await thief.text(), /refuses this sign-in \(invalid_grant/);
});

Deno.test("sign-in with OpenID Connect: claims are read again within the hour, by a refresh token or UserInfo; who is gone there has no session", async () => {
  for (const withRefresh of [true, false]) {
    await using world = await startWorld({}, { withRefresh });
    const { sluice, provider } = world;
    provider.claims.set("bob", { groups: ["platform"] });
    await addRule(sluice, "oidc:groups=platform", "editor");
    const { jar, ended } = await signInAt(world, "bob");
    assert.match(ended.text, /editor/);
    for (const [groups, status] of [[["other"], 403], [["platform"], 200]] as const) {
      provider.claims.set("bob", { groups });
      sluice.advance(51 * MINUTE_MS);
      assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, status, `refresh: ${withRefresh}`);
    }
    provider.revoke();
    sluice.advance(51 * MINUTE_MS);
    assert.equal((await jar.visit(`${sluice.url}${PAGE}`)).status, 303, `refresh: ${withRefresh}`);
  }
});

Deno.test("sign-in with OpenID Connect: a provider that is away, or calls itself something else, is told so", async () => {
  const provider = await startOidcProvider();
  const env = {
    SLUICE_OIDC_CLIENT_ID: "sluice",
    SLUICE_OIDC_ISSUER: provider.issuer.replace("127.0.0.1", "localhost"),
  };
  await using sluice = await startSluice({ env });
  const jar = createCookieJar();
  const other = await jar.visit(`${sluice.url}/-/auth/sign-in?with=oidc`);
  assert.equal(other.status, 503);
  assert.match(other.text, /does not describe itself as http:\/\/localhost/);
  await provider[Symbol.asyncDispose]();
  const soon = await jar.visit(`${sluice.url}/-/auth/sign-in?with=oidc`);
  assert.equal(soon.text, other.text, "for a few seconds it is not asked again");
  sluice.advance(5_000);
  const away = await jar.visit(`${sluice.url}/-/auth/sign-in?with=oidc`);
  assert.equal(away.status, 503);
  assert.match(away.text, /cannot be asked/);
});
