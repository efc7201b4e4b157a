/** Every admin page, empty and full, in Chromium: light and dark, narrow and wide, readable, without a finding of axe-core. */
import assert from "node:assert/strict";
import type { BrowserContext } from "playwright-core";
import { ADMIN_PAGES } from "../../routes/admin/mod.ts";
import { startSluice } from "../fakes/sluice.ts";
import { signIn } from "../fakes/signed_in.ts";
import { bringAxe, rulesFor, wrongWith } from "./accessible.ts";
import { createAdminWorld } from "./admin_world.ts";
import { BROWSER_MISSING, launchBrowser } from "./browser.ts";
import { hardToRead } from "./readable.ts";

/** Where screenshots are kept for people to look at; unset: nowhere. */
const SHOTS = Deno.env.get("SLUICE_SHOTS");
const SIZES = [
  { width: 320, height: 720 },
  { width: 768, height: 1024 },
  { width: 1280, height: 900 },
  { width: 1920, height: 1080 },
  { width: 2560, height: 1440 },
] as const;

/** What stands for a page's parameters; a page with parameters and no row fails. */
const ADDRESSES: Readonly<Record<string, string>> = {
  "packages/{purl...}": "packages/pkg:npm/left-pad",
  // One that there is, is looked at in why_pages_test.ts.
  "waivers/requests/{id}": "waivers/requests/none",
  "policy/history/{revision}": "policy/history/2",
  "floor/history/{revision}": "floor/history/1",
  "audit/{id}": "audit/none",
};
/** Downloads, and what is nothing without a filter. */
const NOT_SHOWN = new Set(["installs/export"]);
/** Beside each page's own address. */
const MORE = [
  "installs?package=left-pad&version=1.3.1",
  "installs/who?package=left-pad",
  "installs?package=nobody",
  "packages?q=pad",
  "installs?since=never",
  "/-/stats",
];

const name =
  `admin pages: every one in Chromium, empty and full, light and dark, narrow and wide: readable, and axe finds nothing${
    BROWSER_MISSING === null ? "" : ` (skipped: ${BROWSER_MISSING})`
  }`;

Deno.test(
  { name, ignore: BROWSER_MISSING !== null, sanitizeOps: false, sanitizeResources: false },
  async (t) => {
    const browser = await launchBrowser();
    try {
      await t.step("empty", async () => {
        await using sluice = await startSluice({ env: { SLUICE_OWNERS: "github:ada" } });
        const { cookie } = await signIn(sluice, { user: "ada", role: "owner" });
        await look({
          contextOf: (options) => browser.newContext(options),
          url: sluice.url,
          cookie,
          what: "empty",
          more: [],
        });
      });
      await t.step("full", async () => {
        await using world = await createAdminWorld();
        const { sluice } = world;
        const { cookie } = await signIn(sluice, { user: "ada", role: "owner" });
        await look({
          contextOf: (options) => browser.newContext(options),
          url: sluice.url,
          cookie,
          what: "full",
          more: MORE,
        });
      });
    } finally {
      await browser.close();
    }
  },
);

interface Looked {
  readonly contextOf: (
    options: Parameters<Awaited<ReturnType<typeof launchBrowser>>["newContext"]>[0],
  ) => Promise<BrowserContext>;
  readonly url: string;
  readonly cookie: string;
  readonly what: string;
  readonly more: readonly string[];
}

/** Each page is loaded once for light and once for dark, and looked at in every width. */
async function look({ contextOf, url, cookie, what, more }: Looked): Promise<void> {
  const mark = cookie.indexOf("=");
  const addresses = [...ADMIN_PAGES.map(({ path }) => path).filter((path) => !NOT_SHOWN.has(path)), ...more];
  const problems: string[] = [];
  // What an empty page shows in the dark, a full one shows as well.
  for (const colorScheme of what === "empty" ? ["light"] as const : ["light", "dark"] as const) {
    const context = await contextOf({ colorScheme, bypassCSP: true });
    await context.addCookies([{ name: cookie.slice(0, mark), value: cookie.slice(mark + 1), url }]);
    const page = await context.newPage();
    for (const given of addresses) {
      const path = ADDRESSES[given] ?? given;
      if (path.includes("{")) throw new Error(`Which address has the page ${path}? Add it to ADDRESSES`);
      if (what === "empty" && path !== given) continue;
      const at = `${what} ${path} ${colorScheme}`;
      const answer = await page.goto(
        path.startsWith("/") ? `${url}${path}` : `${url}/-/admin/default/${path}`,
      );
      if (answer === null || answer.status() >= 500) problems.push(`${at}: ${answer?.status()}`);
      await bringAxe(page);
      for (const viewport of SIZES) {
        await page.setViewportSize(viewport);
        const name = `${at} ${viewport.width}`;
        if (SHOTS !== undefined) {
          await page.screenshot({
            path: `${SHOTS}/${name.replaceAll(/[^a-z0-9.]+/gi, "_")}.png`,
            fullPage: true,
          });
        }
        const rules = rulesFor(colorScheme, viewport.width);
        const wrong = [...await wrongWith(page, rules)];
        if (colorScheme === "light") wrong.push(...await hardToRead(page, viewport.width));
        problems.push(...wrong.map((problem) => `${name}: ${problem}`));
      }
    }
    await context.close();
  }
  assert.deepEqual(problems, []);
}
