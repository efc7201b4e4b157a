/** What of a page cannot be read although it is there: measured in the browser, in px of the screen. */
import type { Page } from "playwright-core";

/** `page` at this width, however high its window is. */
export async function hardToRead(page: Page, width: number): Promise<readonly string[]> {
  return await page.evaluate(`(${measure})(${width})`) as readonly string[];
}

/** As text, since the browser runs it: no test's types are known there. */
const measure = `function measure(width) {
  const wrong = new Set();
  const name = (element) => element.tagName.toLowerCase() + "." + element.className + " " +
    JSON.stringify(element.textContent.trim().slice(0, 40));
  const seen = (element) => element.checkVisibility({ visibilityProperty: true }) &&
    !element.closest(".unseen, thead, .skip") && element.getClientRects().length > 0;

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || element.closest("title, option, table .unseen") || !seen(element)) continue;
    const scale = element.ownerSVGElement?.getScreenCTM().a ?? 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < 11) wrong.add("text of " + size.toFixed(1) + " px: " + name(element));
    if (element.closest(".plot, svg") && size > 16) wrong.add("a chart's text of " + size.toFixed(1) + " px");
  }

  const cells = [...document.querySelectorAll("tbody th, tbody td:not(.number)")].filter(seen);
  for (const cell of cells.filter((each) => each.textContent.trim() !== "")) {
    const ems = cell.getBoundingClientRect().width / parseFloat(getComputedStyle(cell).fontSize);
    if (ems < 6) wrong.add("a cell of " + ems.toFixed(1) + " em: " + name(cell));
  }
  for (const place of [...document.querySelectorAll(".scroll")].filter(seen)) {
    const over = place.scrollWidth - place.clientWidth;
    if (over > 0) wrong.add("a table " + over + " px wider than its place: " + place.getAttribute("aria-label"));
  }

  for (const legend of document.querySelectorAll("figcaption li, figcaption span > span")) {
    const high = legend.getBoundingClientRect().height;
    if (high > 30) wrong.add("a legend on two lines: " + name(legend));
  }
  for (const select of [...document.querySelectorAll("select")].filter(seen)) {
    const ruler = document.createElement("span");
    ruler.style.cssText = "position:absolute;white-space:pre;font:" + getComputedStyle(select).font;
    document.body.append(ruler);
    for (const option of select.options) {
      ruler.textContent = option.label;
      const missing = ruler.getBoundingClientRect().width - (select.clientWidth - 36);
      if (missing > 0) wrong.add("an option cut by " + missing.toFixed(0) + " px: " + option.label);
    }
    ruler.remove();
  }
  for (const badge of [...document.querySelectorAll(".badge")].filter(seen)) {
    const before = badge.previousElementSibling?.getBoundingClientRect();
    if (before && before.right <= badge.getBoundingClientRect().left + 1 &&
      badge.getBoundingClientRect().left - before.right < 3 && Math.abs(before.top - badge.getBoundingClientRect().top) < 8) {
      wrong.add("a badge that touches " + badge.previousElementSibling.textContent);
    }
    const next = badge.nextSibling ?? (badge.parentElement.matches("span") ? badge.parentElement.nextSibling : null);
    if (next === null || !next.textContent.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(next);
    const [box, text] = [badge.getBoundingClientRect(), range.getClientRects()[0]];
    const isBeside = text && Math.abs(text.top + text.height / 2 - box.top - box.height / 2) < 8;
    if (isBeside && text.left - box.right < 3) wrong.add("a badge that touches " + next.textContent.slice(0, 20));
  }
  for (const row of document.querySelectorAll(".filters")) {
    const boxes = [...row.querySelectorAll("input, select")].map((each) => each.getBoundingClientRect());
    for (const box of boxes.filter(({ height }) => height > 0)) {
      const beside = boxes.find(({ top, bottom }) => top < box.bottom - 8 && bottom > box.top + 8 && Math.abs(top - box.top) > 1);
      if (beside) wrong.add("a filter lower than the one beside it, at " + beside.top + " and " + box.top);
    }
  }

  const link = document.querySelector(".menu a");
  if (width > 832 && link !== null && !link.checkVisibility()) wrong.add("the menu is folded where it has room");

  const rows = [...document.querySelectorAll("tbody tr")].filter(seen).length;
  const fields = [...document.querySelectorAll(".field")].filter(seen).length;
  const screens = document.documentElement.scrollHeight / innerHeight;
  const most = 4 + 0.45 * rows + 0.4 * fields;
  if (screens > most) wrong.add(screens.toFixed(1) + " screens for " + rows + " rows and " + fields + " fields");

  const [menu, main] = [document.querySelector(".menu"), document.querySelector(".sides main")];
  if (width >= 1920 && menu !== null && main !== null) {
    const [left, right] = [menu.getBoundingClientRect().left, main.getBoundingClientRect().right];
    const used = (right - left) / width;
    if (used < 0.75) wrong.add("only " + Math.round(100 * used) + " % of the width is used");
    if (Math.abs(left - (width - right)) > 64) wrong.add("not in the middle: " + left + " to " + right);
  }
  return [...wrong];
}`;
