/** Signing in and out in a real browser without script: GitHub's stand-in, a real OpenID provider, the printed link. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type FakeGitHub, startGitHub } from "../fakes/github.ts";
import { startOidcProvider } from "../fakes/oidc_provider.ts";
import { startSluice, type TestSluice } from "../fakes/sluice.ts";
import { BROWSER_MISSING, launchBrowser } from "./browser.ts";

/** Where screenshots are kept for people to look at; unset: nowhere. */
const SHOTS = Deno.env.get("SLUICE_SHOTS");
const suffix = BROWSER_MISSING === null ? "" : ` (skipped: ${BROWSER_MISSING})`;

function browserTest(name: string, work: (browser: Browser) => Promise<void>): void {
  const options = { ignore: BROWSER_MISSING !== null, sanitizeOps: false, sanitizeResources: false };
  Deno.test({ name: `${name}${suffix}`, ...options }, async () => {
    const browser = await launchBrowser();
    try {
      await work(browser);
    } finally {
      await browser.close();
    }
  });
}

function withGitHub(github: FakeGitHub, env: Record<string, string> = {}): Promise<TestSluice> {
  return startSluice({
    env: {
      SLUICE_GITHUB_URL: github.url,
      SLUICE_GITHUB_CLIENT_ID: github.clientId,
      SLUICE_GITHUB_CLIENT_SECRET: github.clientSecret,
      ...env,
    },
  });
}

async function heading(page: Page): Promise<string> {
  return await page.locator("h1").innerText();
}

browserTest(
  "sign-in in Chromium: GitHub there and back to the page that was asked for, out, declined, in again",
  async (browser) => {
    await using github = startGitHub();
    await using sluice = await withGitHub(github, { SLUICE_OWNERS: "github:octocat" });
    github.callback = `${sluice.url}/-/auth/callback`;
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${sluice.url}/-/admin/default/members?from=a-bookmark`);
    assert.equal(await heading(page), "Sign in");
    await page.getByRole("link", { name: "Sign in with GitHub" }).click();
    assert.equal(await heading(page), "Authorize application");
    await page.getByRole("button", { name: "Authorize" }).click();
    assert.equal(page.url(), `${sluice.url}/-/admin/default/members?from=a-bookmark`);
    const [cookie, ...more] = (await context.cookies()).filter(({ name }) => name.startsWith("sluice"));
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, more], [true, "Lax", []]);
    await page.getByLabel("Who", { exact: true }).fill("github:Org/Acme");
    await page.getByLabel("Role", { exact: true }).selectOption("approver");
    await page.getByRole("button", { name: "Give the role" }).click();
    assert.match(await page.locator(".notice").innerText(), /The role is given/);
    assert.ok(await page.getByRole("table").getByText("github:org/acme").isVisible());
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    assert.match(await page.locator(".notice").innerText(), /You are signed out/);
    await page.goto(`${sluice.url}/-/admin/default/members`);
    assert.equal(await heading(page), "Sign in");
    await page.getByRole("link", { name: "Sign in with GitHub" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.match(await page.locator(".notice").innerText(), /was not agreed to/);
    // Somebody of the organisation that was given a role.
    github.person = { id: 1, login: "Grace", memberships: { acme: "active" }, teams: [] };
    await page.getByRole("link", { name: "Back to the sign-in" }).click();
    await page.getByRole("link", { name: "Sign in with GitHub" }).click();
    await page.getByRole("button", { name: "Authorize" }).click();
    assert.match(await page.locator(".me").innerText(), /Grace, approver/);
  },
);

browserTest(
  "sign-in in Chromium: a real OpenID provider's own pages; out everywhere ends the other browser's session too",
  async (browser) => {
    await using provider = await startOidcProvider();
    await using sluice = await startSluice({
      env: {
        SLUICE_OIDC_ISSUER: provider.issuer,
        SLUICE_OIDC_CLIENT_ID: provider.clientId,
        SLUICE_OIDC_CLIENT_SECRET: provider.clientSecret,
        SLUICE_OWNERS: "oidc:groups=platform",
      },
    });
    provider.redirectTo(`${sluice.url}/-/auth/callback`);
    provider.claims.set("ada", { groups: ["platform"], email: "ada@example.org", email_verified: true });
    const pages: Page[] = [];
    for (let i = 0; i < 2; i++) {
      const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
      await page.goto(`${sluice.url}/-/admin/default/overview`);
      await page.getByRole("link", { name: /^Sign in with 127\.0\.0\.1/ }).click();
      await page.getByPlaceholder("Enter any login").fill("ada");
      await page.getByPlaceholder("and password").fill("any");
      await page.locator("button[type=submit]").click();
      await page.locator("button[type=submit]").click();
      assert.equal(page.url(), `${sluice.url}/-/admin/default/overview`);
      assert.match(await page.locator(".me").innerText(), /ada@example\.org, owner/);
      pages.push(page);
    }
    const [here, there] = pages;
    await here!.getByRole("link", { name: "ada@example.org" }).click();
    assert.equal(await heading(here!), "Your sessions");
    await here!.getByRole("button", { name: "Sign out everywhere" }).click();
    await there!.reload();
    assert.equal(await heading(there!), "Sign in");
  },
);

/** A page of somebody else's: at `localhost` another site, at `127.0.0.1` the same site on another port. */
function startElsewhere(html: string) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(html, { headers: { "content-type": "text/html" } }),
  );
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

browserTest(
  "Chromium: no page of another site, nor of the same one, sends a form of ours, frames us, or signs in with a link twice",
  async (browser) => {
    await using sluice = await startSluice({ env: {} });
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(sluice.localLink!);
    assert.equal(await heading(page), "Overview");
    await using elsewhere = startElsewhere(`<!DOCTYPE html><title>elsewhere</title>
    <form method="post" action="${sluice.url}/-/admin/default/members">
      <input name="action" value="add"><input name="who" value="github:eve"><input name="role" value="owner">
      <button>A kitten</button></form>
    <form method="post" action="${sluice.url}/-/auth/sign-out"><button>Another</button></form>
    <iframe src="${sluice.url}/-/admin/default/members"></iframe>`);
    for (const host of ["localhost", "127.0.0.1"]) {
      for (const button of ["A kitten", "Another"]) {
        await page.goto(`http://${host}:${elsewhere.port}/`, { waitUntil: "load" });
        const [, frame] = page.frames();
        assert.ok(frame !== undefined && !frame.url().startsWith(sluice.url), `${host}: ${frame?.url()}`);
        await page.getByRole("button", { name: button }).click();
        await page.waitForURL((url) => url.port !== String(elsewhere.port));
        const told = await page.locator("body").innerText();
        // Another site's form comes without the cookie: it is nobody's.
        assert.match(
          told,
          host === "localhost" ? /Members|Overview|signed out meanwhile/ : /not sent from a page of Sluice/,
        );
      }
    }
    await page.goto(`${sluice.url}/-/admin/default/members`);
    assert.equal(await heading(page), "Members", "still signed in");
    assert.equal(await page.getByText("github:eve").count(), 0);
    const other = await (await browser.newContext()).newPage();
    await other.goto(sluice.localLink!);
    assert.match(await other.locator(".notice").innerText(), /of no use any more/);
  },
);

browserTest(
  "the pages of the sign-in: light and dark, narrow and wide, without a finding of axe-core",
  async (browser) => {
    await using github = startGitHub();
    await using bare = await startSluice({ env: {} });
    await using owned = await withGitHub(github);
    github.callback = `${owned.url}/-/auth/callback`;
    const problems: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ colorScheme, bypassCSP: true });
      const page = await context.newPage();
      const see = async (title: string) =>
        void problems.push(...await wrongWith(page, `${title} ${colorScheme}`));
      await page.goto(`${bare.url}/-/auth/sign-in?set-up`);
      await see("set up");
      await page.goto(`${bare.url}/-/auth/sign-in?link=x`);
      await see("used link");
      await page.goto(`${owned.url}/-/auth/sign-in?done=signed-out`);
      await see("buttons");
      await page.getByRole("link", { name: "Sign in with GitHub" }).click();
      await page.getByRole("button", { name: "Authorize" }).click();
      assert.equal(await heading(page), "No role for you here");
      await see("no role");
      if (colorScheme === "light") await seeSessions(context, bare, see);
      await context.close();
    }
    assert.deepEqual(problems, []);
  },
);

async function seeSessions(
  context: BrowserContext,
  sluice: TestSluice,
  see: (title: string) => Promise<void>,
) {
  const page = context.pages()[0]!;
  await page.goto(sluice.localLink!);
  await page.goto(`${sluice.url}/-/auth/sign-out`);
  assert.equal(await heading(page), "Your sessions");
  await see("sessions");
}

async function wrongWith(page: Page, title: string): Promise<readonly string[]> {
  const wrong: string[] = [];
  await page.evaluate(axe.source);
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    const what = `${title} ${width}`;
    if (SHOTS !== undefined) {
      await page.screenshot({ path: `${SHOTS}/sign-in ${what}.png`.replaceAll(" ", "_"), fullPage: true });
    }
    const wide = await page.evaluate(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    if (Number(wide) > 0) wrong.push(`${what}: ${wide} px wider than the window`);
    const { violations } = await page.evaluate("axe.run(document)") as {
      readonly violations: readonly {
        readonly id: string;
        readonly nodes: readonly { readonly html: string }[];
      }[];
    };
    wrong.push(...violations.map(({ id, nodes }) => `${what}: ${id} ${nodes[0]?.html.slice(0, 200)}`));
  }
  return wrong;
}
