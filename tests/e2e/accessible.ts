/** What is wrong with a page that a browser shows, whatever it is about. */
import axe from "axe-core";
import type { Page } from "playwright-core";

/** Between light and dark only colours differ; a width between narrow and wide, and wider ones, have nothing of their own. */
export function rulesFor(scheme: "light" | "dark", width: number): string | null {
  if (width !== 320 && width !== 1280) return null;
  return scheme === "light"
    ? "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']"
    : "{ type: 'rule', values: ['color-contrast'] }";
}

/** Once for each document, before `wrongWith`; the context bypasses its policy on content. */
export async function bringAxe(page: Page): Promise<void> {
  await page.evaluate(axe.source);
}

/** `rules`: axe's `runOnly`; null: it is not asked. */
export async function wrongWith(page: Page, rules: string | null): Promise<readonly string[]> {
  const wrong: string[] = [];
  const wide = await page.evaluate(
    "document.documentElement.scrollWidth - document.documentElement.clientWidth",
  );
  if (Number(wide) > 0) wrong.push(`${wide} px wider than the window`);
  if (await page.title() === "owned") wrong.push("a script of a package's ran");
  if (rules === null) return wrong;
  const found = await page.evaluate(`axe.run(document, { runOnly: ${rules} })`) as {
    readonly violations: readonly {
      readonly id: string;
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
    }[];
  };
  for (const { id, nodes } of found.violations) {
    wrong.push(`${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary}`);
  }
  return wrong;
}
