/** The set-up page in Chromium: light and dark, narrow and wide, chosen by its form, without a finding of axe-core. */
import assert from "node:assert/strict";
import { startSluice } from "../fakes/sluice.ts";
import { bringAxe, rulesFor, wrongWith } from "./accessible.ts";
import { BROWSER_MISSING, launchBrowser } from "./browser.ts";

/** Where screenshots are kept for people to look at; unset: nowhere. */
const SHOTS = Deno.env.get("SLUICE_SHOTS");
const SIZES = [{ width: 320, height: 720 }, { width: 1280, height: 900 }, {
  width: 2560,
  height: 1440,
}] as const;
const ADDRESSES = [
  "/-/setup",
  "/-/setup?by=token",
  "/o/named/-/setup",
  "/o/named/-/setup?user=ada&client=cargo",
  "/-/setup?user=%3Cb%3Enobody%3C%2Fb%3E",
  "/o/guarded/-/setup?client=npm",
  // Whoever is not let in: a page, and no box of the browser's own, at which Chromium would fail here.
  "/o/guarded/-/why/pkg:npm/nothing@1.0.0?decision=d-1",
  "/",
];

const name =
  `set-up page: every state in Chromium; a click selects what is to be copied, the form chooses, axe finds nothing${
    BROWSER_MISSING === null ? "" : ` (skipped: ${BROWSER_MISSING})`
  }`;

Deno.test(
  { name, ignore: BROWSER_MISSING !== null, sanitizeOps: false, sanitizeResources: false },
  async () => {
    const env = { SLUICE_OIDC_ISSUER: "https://login.example", SLUICE_OIDC_CLIENT_ID: "sluice" };
    await using sluice = await startSluice({ env });
    await sluice.setPolicy({ callers: "named" }, "named");
    await sluice.setPolicy({ callers: "token" }, "guarded");
    const browser = await launchBrowser();
    try {
      const problems: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        const context = await browser.newContext({ colorScheme, bypassCSP: true });
        const page = await context.newPage();
        for (const address of ADDRESSES) {
          await page.goto(`${sluice.url}${address}`);
          await bringAxe(page);
          for (const viewport of SIZES) {
            await page.setViewportSize(viewport);
            const shown = `${address} ${colorScheme} ${viewport.width}`;
            if (SHOTS !== undefined) {
              await page.screenshot({
                path: `${SHOTS}/setup_${shown.replaceAll(/[^a-z0-9.]+/gi, "_")}.png`,
                fullPage: true,
              });
            }
            const wrong = await wrongWith(page, rulesFor(colorScheme, viewport.width));
            problems.push(...wrong.map((problem) => `${shown}: ${problem}`));
          }
        }
        await context.close();
      }
      assert.deepEqual(problems, []);

      // Without a script, as the page's own policy has it.
      const page = await (await browser.newContext({ javaScriptEnabled: true })).newPage();
      await page.goto(`${sluice.url}/o/named/-/setup`);
      await page.getByLabel("Client").selectOption("npm");
      await page.getByLabel("Your name").fill("ada");
      await page.getByRole("button", { name: "Show" }).click();
      await page.waitForURL(/user=ada/);
      const box = page.locator("pre.copy").first();
      await box.click();
      const selected = await page.evaluate("String(getSelection())");
      const site = `${sluice.url}/o/named/npm/`;
      assert.equal(selected, `registry=${site}\n${site.replace("http:", "")}:_auth=${btoa("ada:")}`);
      assert.equal(await page.getByLabel("Your name").inputValue(), "ada");

      await page.goto(`${sluice.url}/o/guarded/stats`);
      await page.getByRole("link", { name: "Sign in" }).click();
      await page.getByRole("link", { name: "Sign in with login.example" }).waitFor();
      assert.equal(new URL(page.url()).searchParams.get("to"), "/o/guarded/stats");
    } finally {
      await browser.close();
    }
  },
);
