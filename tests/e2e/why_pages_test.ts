/** Why pages and the Waivers pages in Chromium, with something to decide on them: light and dark, narrow and wide. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { HOSTILE } from "../fakes/hostile.ts";
import { signIn } from "../fakes/signed_in.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { createWaiverWorld } from "../system/waiver_world.ts";
import { bringAxe, rulesFor, wrongWith } from "./accessible.ts";
import { BROWSER_MISSING, launchBrowser } from "./browser.ts";

/** Where screenshots are kept for people to look at; unset: nowhere. */
const SHOTS = Deno.env.get("SLUICE_SHOTS");
const LONG = "2.1.0-a-very-long-prerelease-name-that-somebody-thought-up.20261121.1";

const name =
  `why and waivers in Chromium: an exception is asked for, granted and seen; nothing is too wide, axe finds nothing${
    BROWSER_MISSING === null ? "" : ` (skipped: ${BROWSER_MISSING})`
  }`;

Deno.test(
  { name, ignore: BROWSER_MISSING !== null, sanitizeOps: false, sanitizeResources: false },
  async () => {
    await using world = await createWaiverWorld();
    const { sluice, registry, api, file, form } = world;
    registry.publish({
      name: "@acme/tools",
      releases: {
        "2.0.0": { publishedAt: daysAgo(40) },
        [LONG]: { publishedAt: daysAgo(1), deprecated: HOSTILE },
      },
    });
    const refused = await file("1.1.0");
    const decision = /decision=([\w-]+)/.exec(refused.text)![1]!;
    await file(LONG, { name: "@acme/tools" });
    await sluice.setPolicy({ minimumAge: "14d", deprecated: "deny" });
    await form(`/-/why/pkg:npm/@acme/tools@${LONG}`, {
      name: HOSTILE.slice(0, 60).replaceAll(":", ""),
      reason: HOSTILE,
      for: "30",
    });
    const browser = await launchBrowser();
    try {
      // Somebody without a session asks, as people do.
      const stranger = await (await browser.newContext()).newPage();
      await stranger.goto(`${sluice.url}/-/why/pkg:npm/fresh@1.1.0?decision=${decision}`);
      await stranger.getByLabel("Your name").fill("ada");
      await stranger.getByRole("button", { name: "Ask for it" }).click();
      await stranger.getByText("Say why you need it").waitFor();
      await stranger.getByLabel("Why you need it").fill("the build is broken");
      await stranger.getByRole("button", { name: "Ask for it" }).click();
      await stranger.getByText("Your request was sent").waitFor();

      const { cookie } = await signIn(sluice, { user: "grace", role: "owner" });
      const mark = cookie.indexOf("=");
      const session = { name: cookie.slice(0, mark), value: cookie.slice(mark + 1), url: sluice.url };
      const grace = await browser.newContext();
      await grace.addCookies([session]);
      const desk = await grace.newPage();
      await desk.goto(`${sluice.url}/-/admin/default/waivers`);
      const card = desk.locator(".card", { hasText: "the build is broken" });
      await card.getByLabel("A word back").first().fill("this once");
      await card.getByRole("button", { name: "Grant" }).click();
      await desk.getByText("in force within a second").waitFor();
      sluice.advance(1_001);
      assert.equal((await file("1.1.0")).status, 200);
      await stranger.reload();
      await stranger.getByText("this once").waitFor();
      await grace.close();

      const open = (await api("GET", "/waiver-requests")).body.requests[0].id;
      const addresses = [
        `/-/why/pkg:npm/fresh@1.1.0?decision=${decision}`,
        "/-/why/pkg:npm/fresh@1.2.0/held-by-minimumAge-until-2026-06-09",
        "/-/why/pkg:npm/fresh",
        `/-/why/pkg:npm/@acme/tools@${LONG}`,
        "/-/why/pkg:npm/nothing",
        "/-/admin/default/waivers",
        "/-/admin/default/waivers/in-force",
        "/-/admin/default/waivers/answered",
        `/-/admin/default/waivers/requests/${open}`,
      ];
      const problems: string[] = [];
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [320, 1280]) {
          const context = await browser.newContext({
            colorScheme,
            viewport: { width, height: 900 },
            bypassCSP: true,
          });
          await context.addCookies([session]);
          const page = await context.newPage();
          for (const address of addresses) {
            problems.push(...await look(page, sluice.url, address, { colorScheme, width }));
          }
          await context.close();
        }
      }
      assert.deepEqual(problems, []);
    } finally {
      await browser.close();
    }
  },
);

async function look(page: Page, url: string, address: string, seen: {
  readonly colorScheme: "light" | "dark";
  readonly width: number;
}): Promise<readonly string[]> {
  const at = `${address} ${seen.colorScheme} ${seen.width}`;
  const answer = await page.goto(`${url}${address}`);
  if (answer === null || answer.status() >= 500) return [`${at}: ${answer?.status()}`];
  if (SHOTS !== undefined) {
    await page.screenshot({ path: `${SHOTS}/${at.replaceAll(/[^a-z0-9.]+/gi, "_")}.png`, fullPage: true });
  }
  await bringAxe(page);
  const found = await wrongWith(page, rulesFor(seen.colorScheme, seen.width));
  return found.map((problem) => `${at}: ${problem}`);
}
