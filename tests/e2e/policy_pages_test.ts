/** What becomes of the policy pages once somebody works with them, in Chromium: every state that a form leads to. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { startSluice } from "../fakes/sluice.ts";
import { type SignedInTester, signIn } from "../fakes/signed_in.ts";
import { HOSTILE } from "../fakes/hostile.ts";
import { bringAxe, rulesFor, wrongWith } from "./accessible.ts";
import { createAdminWorld } from "./admin_world.ts";
import { BROWSER_MISSING, launchBrowser } from "./browser.ts";

const SHOTS = Deno.env.get("SLUICE_SHOTS");
const SAVE = "form button[value=save]:not(.unseen)";
const SETTINGS = "/-/admin/default/policy";

interface At {
  readonly page: Page;
  readonly url: string;
  readonly ada: SignedInTester;
}

/** Each leaves the page in the state that its name says. */
const STATES: Readonly<Record<string, (at: At) => Promise<void>>> = {
  "a preview that refuses": async ({ page, url }) => {
    await page.goto(`${url}${SETTINGS}`);
    await page.fill("[name='document.minimumAge']", "300d");
    await page.selectOption("[name='document.callers']", "named");
    await page.locator("[name='document.minimumAge']").press("Enter");
    await page.waitForSelector("section[aria-label=Preview] table");
  },
  "a preview that lets go": async ({ page, url }) => {
    await page.goto(`${url}${SETTINGS}`);
    await page.fill("[name='document.minimumAge']", "0d");
    await page.click("button[value=preview]:not(.unseen)");
    await page.waitForSelector("section[aria-label=Preview] table");
  },
  "settings with mistakes": async ({ page, url }) => {
    await page.goto(`${url}${SETTINGS}`);
    await page.fill("[name='document.retention']", HOSTILE);
    await page.click(SAVE);
    await page.waitForSelector("[id='e-document.retention']");
  },
  "lists with a row that was changed and a new one": async ({ page, url }) => {
    await page.goto(`${url}${SETTINGS}/lists?q=axios`);
    await page.click("td a[href*='edit=']");
    await page.click("button[value=add]");
    await page.fill("[name='new.0.purl']", "left pad");
    await page.click(SAVE);
    await page.waitForSelector("[id='e-new.0.purl']");
  },
  "lists in which nothing is found": async ({ page, url }) => {
    await page.goto(`${url}${SETTINGS}/lists?q=nobody-has-this`);
  },
  "JSON with mistakes": async ({ page, url }) => {
    await page.goto(`${url}${SETTINGS}/json`);
    await page.fill("textarea", '{\n  "minimumAge": 14,\n  "yankd": "deny"\n}');
    await page.click(SAVE);
    await page.waitForSelector("ol.mistakes li:nth-child(2)");
  },
  "two people at once": async ({ page, url, ada }) => {
    await page.goto(`${url}${SETTINGS}`);
    const revision = await page.inputValue("form#draft [name=revision]");
    const theirs = { action: "edit", revision, "document.deprecated": "warn", message: HOSTILE, do: "save" };
    assert.equal((await ada.post(SETTINGS, theirs)).status, 303);
    await page.fill("[name='document.minimumAge']", "21d");
    await page.click(SAVE);
    await page.waitForSelector("text=Save upon revision");
  },
  "an organisation about to be deleted": async ({ page, url }) => {
    await page.goto(`${url}/-/admin/default/organisations`);
    await page.fill("form.stack > .field [name=id]", "acme");
    await page.click("text=Make it");
    await page.click("summary[aria-label='Delete acme']");
  },
  "an entry of the floor with a mistake": async ({ page, url }) => {
    await page.goto(`${url}/-/admin/default/floor`);
    await page.fill("[name='new.0.purl']", "npm/evil");
    await page.fill("[name='new.0.until']", "soon");
    await page.click(SAVE);
    await page.waitForSelector("[id='e-new.0.until']");
  },
};

const name =
  `policy pages: every state that a form leads to, light and dark, narrow and wide; axe finds nothing${
    BROWSER_MISSING === null ? "" : ` (skipped: ${BROWSER_MISSING})`
  }`;

Deno.test(
  { name, ignore: BROWSER_MISSING !== null, sanitizeOps: false, sanitizeResources: false },
  async () => {
    const browser = await launchBrowser();
    try {
      await using world = await createAdminWorld();
      const { sluice } = world;
      const ada = await signIn(sluice, { user: "ada", role: "owner" });
      const context = await browser.newContext({ bypassCSP: true });
      const mark = ada.cookie.indexOf("=");
      const cookie = { name: ada.cookie.slice(0, mark), value: ada.cookie.slice(mark + 1), url: sluice.url };
      await context.addCookies([cookie]);
      const page = await context.newPage();
      const problems: string[] = [];
      for (const [state, reach] of Object.entries(STATES)) {
        await page.setViewportSize({ width: 1280, height: 900 });
        await reach({ page, url: sluice.url, ada });
        await bringAxe(page);
        problems.push(...await lookedAt(page, state));
      }
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
    }
  },
);

async function lookedAt(page: Page, state: string): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 900 });
      const at = `${state} ${colorScheme} ${width}`;
      if (SHOTS !== undefined) {
        await page.screenshot({ path: `${SHOTS}/${at.replaceAll(/[^a-z0-9]+/gi, "_")}.png`, fullPage: true });
      }
      const wrong = await wrongWith(page, rulesFor(colorScheme, width));
      problems.push(...wrong.map((problem) => `${at}: ${problem}`));
    }
  }
  return problems;
}

Deno.test({
  name: `policy pages: the Enter key previews, and takes no row away${
    BROWSER_MISSING === null ? "" : ` (skipped: ${BROWSER_MISSING})`
  }`,
  ignore: BROWSER_MISSING !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const browser = await launchBrowser();
    try {
      await using sluice = await startSluice({ env: {} });
      const ed = await signIn(sluice, { user: "ed", role: "editor" });
      const context = await browser.newContext();
      const mark = ed.cookie.indexOf("=");
      await context.addCookies([
        { name: ed.cookie.slice(0, mark), value: ed.cookie.slice(mark + 1), url: sluice.url },
      ]);
      const page = await context.newPage();
      await page.goto(`${sluice.url}${SETTINGS}/lists`);
      await page.fill("[name='new.0.purl']", "npm/evil");
      await page.locator("[name='new.0.purl']").press("Enter");
      await page.waitForSelector("section[aria-label=Preview]");
      assert.equal(await page.inputValue("[name='new.0.purl']"), "npm/evil");
      await page.click("section[aria-label=Preview] button");
      await page.waitForSelector("text=Saved. It is in force within a second.");
      assert.match(await page.innerText("table"), /npm\/evil/);
    } finally {
      await browser.close();
    }
  },
});
