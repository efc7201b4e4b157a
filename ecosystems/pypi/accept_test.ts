import assert from "node:assert/strict";
import { chooseForm } from "./accept.ts";

Deno.test("chooseForm: what each client sends, and what it gets", () => {
  const json = "application/vnd.pypi.simple.v1+json";
  const html = "application/vnd.pypi.simple.v1+html";
  const table: [accept: string | undefined, format: string | null, form: string][] = [
    [undefined, null, "html"],
    ["", null, "html"],
    ["*/*", null, "html"],
    ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", null, "html"],
    [`${json}, ${html}; q=0.1, text/html; q=0.01`, null, "json"],
    [`${json}, ${html};q=0.2, text/html;q=0.01`, null, "json"],
    ["application/vnd.pypi.simple.latest+json", null, "json"],
    ["application/vnd.pypi.simple.latest+html", null, "v1html"],
    [`${html}, text/html;q=0.5`, null, "v1html"],
    [`text/html, ${json}`, null, "json"],
    [`text/html, ${json};q=0.9`, null, "html"],
    [`${json};q=0, text/html`, null, "html"],
    [`${json};q=x, ${html}`, null, "v1html"],
    ["application/json", null, "html"],
    ["application/*", null, "json"],
    ["APPLICATION/VND.PYPI.SIMPLE.V1+JSON", null, "json"],
    ["text/html", json, "json"],
    [json, "text/html", "html"],
    [json, html, "v1html"],
    [json, "nonsense", "json"],
    [json, "constructor", "json"],
  ];
  for (const [accept, format, form] of table) {
    assert.equal(chooseForm(accept, format), form, `${accept} ${format}`);
  }
});
