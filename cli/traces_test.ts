import assert from "node:assert/strict";
import fc from "fast-check";
import { npm } from "../ecosystems/npm/npm.ts";
import { besideTraces, guardTraces, withoutSecrets } from "./traces.ts";

const TOKEN = `slu_abcdefghijkl_${"x".repeat(43)}`;
const API = Symbol.for("opentelemetry.js.api.1");

/** As Deno's: a class whose methods are called through their prototype. */
function tracing() {
  const said: unknown[] = [];
  class Span {
    setAttribute(...args: unknown[]) {
      said.push(args);
      return this;
    }
    setAttributes(...args: unknown[]) {
      said.push(args);
    }
    addEvent(...args: unknown[]) {
      said.push(args);
    }
    updateName(...args: unknown[]) {
      said.push(args);
    }
    recordException(...args: unknown[]) {
      said.push(args);
    }
  }
  const scope = { [API]: { trace: { getTracer: () => ({ startSpan: () => new Span() }) } } };
  return { said, scope, Span };
}

Deno.test("guardTraces: nothing that is said of a span holds a token, a user or a query", () => {
  const { said, scope, Span } = tracing();
  assert.equal(guardTraces(scope), true);
  const span = new Span();
  assert.equal(
    span.setAttribute("url.full", `http://ada:pass@h/t/${TOKEN}/npm/x?X-Amz-Signature=SIGNED`),
    span,
  );
  span.setAttribute("url.query", "X-Amz-Signature=SIGNED");
  span.setAttribute("http.response.status_code", 200);
  span.setAttribute("list", [TOKEN, 1]);
  span.setAttributes({ "url.path": `/o/acme/t/${TOKEN}/npm`, note: `sent ${TOKEN}!` });
  span.addEvent(`got ${TOKEN}`, { "http.url": "https://h/x?SIGNED" });
  span.updateName(`GET /t/${TOKEN}`);
  span.recordException(new Error(`no ${TOKEN}`));
  const text = JSON.stringify(said);
  assert.doesNotMatch(text, /xxx|pass|SIGNED|ada/);
  assert.deepEqual(said[0], ["url.full", "http://h/t/(hidden)/npm/x"]);
  assert.deepEqual(said[2], ["http.response.status_code", 200]);
  assert.deepEqual(said[4], [{ "url.path": "/o/acme/t/(hidden)/npm", note: "sent slu_(hidden)!" }]);
});

Deno.test("guardTraces: without traces nothing is done; traces that cannot be guarded are told", () => {
  assert.equal(guardTraces({}), true);
  const { scope, Span } = tracing();
  Object.freeze(Span.prototype);
  assert.equal(guardTraces(scope), false);
});

Deno.test("besideTraces: where they cannot be guarded, tokens in addresses are refused, and that is said", () => {
  const lines: string[] = [];
  const log = (_level: string, message: string) => void lines.push(message);
  const own = [npm, Object.freeze({ ...npm, id: "paths", pathTokens: "allowed" as const })];
  assert.equal(besideTraces(own, {}, log), own);
  assert.deepEqual(lines, []);
  const { scope, Span } = tracing();
  Object.freeze(Span.prototype);
  const [first, second] = besideTraces(own, scope, log);
  assert.equal(first, npm);
  assert.match((second!.pathTokens as { refused: string }).refused, /traces/);
  assert.match(lines.join(), /tokens in addresses are refused/);
});

Deno.test("withoutSecrets: leaves what is none, hides a token however it is written", () => {
  const rows = [
    ["/npm/left-pad/-/left-pad-1.0.0.tgz", "/npm/left-pad/-/left-pad-1.0.0.tgz"],
    ["/npm/@acme%2fui", "/npm/@acme%2fui"],
    ["/npm/t/-/t-1.0.0.tgz", "/npm/t/-/t-1.0.0.tgz"],
    ["/t/other-token/conda/x", "/t/(hidden)/conda/x"],
    ["/%74/other/conda", "/%74/(hidden)/conda"],
    [`/t/%73lu_${TOKEN.slice(4)}/npm`, "/t/(hidden)/npm"],
    [`/npm/x/${TOKEN}`, "/npm/x/(hidden)"],
    [`/npm/a%2f${TOKEN}`, "/npm/(hidden)"],
    ["/npm/%zz", "/npm/(hidden)"],
    ["http://a@b:c@h:1/x#y", "http://h:1/x"],
    ["http", "http"],
    ["", ""],
  ] as const;
  for (const [given, shown] of rows) assert.equal(withoutSecrets(given), shown, given);
});

Deno.test("withoutSecrets: whatever stands around it, the secret is gone", () => {
  const secret = TOKEN.slice(-43);
  fc.assert(fc.property(fc.webPath(), fc.constantFrom("/t/", "/", "/npm/", "/o/a/t/"), (path, where) => {
    assert.ok(!withoutSecrets(`http://h${path}${where}${TOKEN}${path}?${TOKEN}`).includes(secret));
  }));
});
