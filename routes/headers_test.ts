import assert from "node:assert/strict";
import type { Outcome } from "../ecosystems/outcome.ts";
import { addPluginHeaders, headerValue, putHeader, responseHeaders } from "./headers.ts";
import { PLAIN_TRACE, run, SAMPLE, sampleDocument } from "./testing.ts";

/** Every byte that must not be in a header, an emoji, a lone surrogate, a header of its own, and length. */
const HOSTILE = `a\r\nset-cookie: x=1\r\n\r\n${
  String.fromCharCode(...Array(32).keys(), 127, 128, 255)
}\u{1f600}\ud800é${"x".repeat(9_000)}`;

Deno.test("headerValue: printable ASCII is left, bounded; the rest becomes question marks", () => {
  assert.equal(headerValue("plain value ~!"), "plain value ~!");
  assert.equal(headerValue(" a\r\nb\tc\x00\x7f\u00e9 "), "a??b?c???");
  assert.match(headerValue(HOSTILE), /^[\x20-\x7e]{1,4096}$/);
});

Deno.test("putHeader: a name is lower-case token characters; null removes", () => {
  const headers = responseHeaders({ "x-a": "1", "x-b": null, "x-c": undefined });
  assert.deepEqual([...headers], [["x-a", "1"]]);
  putHeader(headers, "x-a", null);
  assert.deepEqual([...headers], []);
  for (const name of ["X-A", "a b", "a\r\nb", "", "é"]) {
    assert.throws(() => putHeader(headers, name, "1"), TypeError);
  }
});

Deno.test("addPluginHeaders: framing, cookies and names that are none are left out", () => {
  const headers = responseHeaders({});
  addPluginHeaders(headers, {
    "NPM-Notice": "hear",
    "set-cookie": "a=b",
    "Content-Length": "3",
    "transfer-encoding": "chunked",
    "a\r\nb": "c",
    "": "d",
  });
  assert.deepEqual([...headers], [["npm-notice", "hear"]]);
});

Deno.test("headers: hostile text in every place that reaches a header neither ends the process nor splits an answer", async () => {
  const trace = { ...PLAIN_TRACE, decisionId: HOSTILE, whyLink: HOSTILE };
  const fields = { vary: HOSTILE, "x-more": HOSTILE, [HOSTILE]: HOSTILE };
  const outcomes: readonly Outcome[] = [
    sampleDocument("body", { contentType: HOSTILE, headers: fields, etag: HOSTILE }, trace),
    { kind: "elsewhere", location: HOSTILE, trace },
    {
      kind: "refused",
      trace,
      refusal: { kind: "redirect", status: 302, location: HOSTILE, headers: fields },
    },
    {
      kind: "refused",
      trace,
      refusal: { kind: "body", status: 403, contentType: HOSTILE, body: "body", headers: fields },
    },
    { kind: "failed", status: 404, contentType: HOSTILE, body: "body", trace },
    {
      kind: "artifact",
      contentType: HOSTILE,
      sizeBytes: 4,
      etag: HOSTILE,
      filename: HOSTILE,
      trace,
      open: () =>
        Promise.resolve({
          body: new Uint8Array([98, 111, 100, 121]),
          range: null,
          sizeBytes: 4,
          etag: HOSTILE,
        }),
    },
  ];
  const ecosystem = { ...SAMPLE, fail: () => ({ contentType: HOSTILE, body: "body" }) };
  await using running = run({
    ecosystems: [ecosystem],
    serve: ({ request }) => {
      const outcome = outcomes[Number(request.segments[0])];
      if (outcome === undefined) throw new TypeError(HOSTILE);
      return outcome;
    },
  });
  for (const [index] of [...outcomes, null].entries()) {
    for (const method of ["GET", "HEAD"]) {
      const { headers, status, text } = await running.ask(`/sample/${index}`, { method });
      assert.ok(status >= 200 && status <= 500, `${index}`);
      assert.ok([...headers].every(([, value]) => /^[\x20-\x7e]*$/.test(value)), `${index}`);
      assert.equal(headers.get("set-cookie"), null);
      assert.ok(text === "" || text === "body", `${index}: ${text}`);
    }
  }
  assert.equal((await running.ask("/-/health")).status, 200, "the process lives");
});

Deno.test("headers: nothing else in routes/ makes a Response or sets a header", async () => {
  const forbidden =
    /new Response\(|new Headers\(|Response\.(?:json|redirect|error)\(|[hH]eaders\.(?:set|append|delete)\(|\b(?:c|context)\.(?:header|text|json|html|body|redirect|newResponse)\(|HTTPException/;
  const folder = new URL("./", import.meta.url);
  let seen = 0;
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const isCode = isFile && /\.tsx?$/.test(name) && !/_test\.tsx?$/.test(name) &&
      !/^test(?:ing|_support)\.ts$/.test(name);
    if (!isCode || name === "headers.ts") continue;
    seen += 1;
    assert.doesNotMatch(await Deno.readTextFile(new URL(name, folder)), forbidden, name);
  }
  assert.ok(seen > 15);
});
