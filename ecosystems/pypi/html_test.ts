import assert from "node:assert/strict";
import { decodeReferences, escapeHtml, readTags } from "./html.ts";

const ANCHORS = new Set(["a"]);

function hrefs(html: string): readonly (string | undefined)[] {
  return [...readTags(html, ANCHORS)].map(({ attributes }) => attributes.get("href"));
}

Deno.test("readTags: anchors as they are really written", () => {
  const table: [html: string, expected: readonly (string | undefined)[]][] = [
    ['<a href="x">x</a>', ["x"]],
    ["<A HREF='x'>x</A><a href=y>y</a>", ["x", "y"]],
    ['<a\n  data-yanked=""\thref = "x"\n>x', ["x"]],
    ['<a href="first" href="second">', ["first"]],
    ['<a data-requires-python="&gt;=3" href="a?b&amp;c&#38;d&#x26;e">', ["a?b&c&d&e"]],
    ['<a data-x="a > b" href="x">', ["x"]],
    ["<a/href=x>", ["x"]],
    ['<!-- <a href="no"> --><a href="yes">', ["yes"]],
    ['<!-- <a href="no">', []],
    ['<script>"<a href=no>"</script><a href=yes>', ["yes"]],
    ["<script><a href=no>", []],
    ["<title><a href=no></title><a href=yes>", ["yes"]],
    ['<abbr href="no"></abbr><a >', [undefined]],
    ["< a href=no>", []],
    ['<a href="never closed', [""]],
    ["<a href=x <a href=y>", ["x", "y"]],
    ["", []],
    ["no tag", []],
  ];
  for (const [html, expected] of table) assert.deepEqual(hrefs(html), expected, html);
});

Deno.test("decodeReferences and escapeHtml undo each other", () => {
  for (const text of [">=3.8, !=3.9.*; \"a\" & 'b' < c", "&amp;amp;", "é&#0;"]) {
    assert.equal(decodeReferences(escapeHtml(text)), text);
  }
  assert.equal(decodeReferences("&unknown; &#xD800; &#0; &"), "&unknown; \ufffd \ufffd &");
});

Deno.test("readTags: a page made to be slow is read in linear time", () => {
  const count = 200_000;
  const pages = [
    "<".repeat(count),
    "<a ".repeat(count),
    '<a href="'.repeat(count),
    "<!--".repeat(count),
    "<script>".repeat(count),
    "<script></".repeat(count),
    `<a ${"x ".repeat(count)}>`,
    `<a ${"=".repeat(count)}>`,
    `<a href="${"&".repeat(count)}">`,
    "<a\n".repeat(count),
  ];
  for (const page of pages) {
    let tags = 0;
    const started = performance.now();
    for (const _ of readTags(page, ANCHORS)) tags++;
    const ms = performance.now() - started;
    assert.ok(tags <= count && ms < 2_000, `${page.slice(0, 20)}: ${ms} ms`);
  }
});
