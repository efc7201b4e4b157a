/** A real headless Chromium for tests; which one, and why there is none. */
import { type Browser, chromium } from "playwright-core";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where it is; null: there is none. */
export const CHROMIUM: string | null = PLACES.find((path) => {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}) ?? null;

/** Why a test skips; null: it does not. */
export const BROWSER_MISSING: string | null = CHROMIUM === null
  ? "there is no Chromium: apt-get install chromium"
  : null;

export async function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === null) throw new Error(BROWSER_MISSING ?? "");
  return await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
}
