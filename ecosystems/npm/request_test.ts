import assert from "node:assert/strict";
import fc from "fast-check";
import { prefersAbbreviated } from "./accept.ts";
import { npm } from "./npm.ts";
import { asking, get } from "./test_support.ts";

const SCOPED = ["@acme/widget", "@acme%2fwidget", "@acme%2Fwidget", "%40acme%2Fwidget", "%40acme/widget"];

Deno.test("parse reads a scoped name in every spelling", async (t) => {
  const subject = { kind: "package", name: "@acme/widget" };
  for (const name of SCOPED) {
    await t.step(name, () => {
      assert.deepEqual(npm.parse(get(name)), { kind: "index", subject, variant: "full" });
      const version = { kind: "version", subject, version: "1.0.0", variant: "manifest" };
      assert.deepEqual(npm.parse(get(`${name}/1.0.0`)), version);
      const artifact = { kind: "artifact", subject, filename: "widget-1.0.0.tgz" };
      assert.deepEqual(npm.parse(get(`${name}/-/widget-1.0.0.tgz`)), artifact);
      assert.deepEqual(npm.parse(get(`${name}/-/@acme/widget-1.0.0.tgz`)), artifact);
      const tags = { kind: "index", subject, variant: "dist-tags" };
      assert.deepEqual(npm.parse(get(`-/package/${name}/dist-tags`)), tags);
      const ask = npm.parse(get(`-/npm/v1/attestations/${name}@1.0.0`));
      assert.ok(ask?.kind === "sidecar" && ask.subject.name === "@acme/widget" && ask.version === "1.0.0");
      assert.equal(ask.source.path, "-/npm/v1/attestations/@acme%2fwidget@1.0.0");
      assert.deepEqual(npm.parse(asking("PUT", name)), { kind: "publish", subject });
    });
  }
});

Deno.test("parse keeps old names as they are, and refuses what is none", async (t) => {
  for (
    const name of [
      "JSONStream",
      "constructor",
      "toString",
      "hasOwnProperty",
      "http",
      "a~'!()*",
      "x".repeat(250),
    ]
  ) {
    await t.step(name, () => {
      const ask = npm.parse(get(name));
      assert.ok(ask?.kind === "index" && ask.subject.name === name);
    });
  }
  const none = [
    "",
    "__proto__",
    ".hidden",
    "-",
    "node_modules",
    "favicon.ico",
    "a b",
    "é",
    "@acme",
    "@acme/",
    "@/x",
    "@acme/.x",
    "x".repeat(257),
    "a%2fb",
    "@a%2fb%2fc",
    "@a/b%2fc",
    "lodash/",
    "lodash//",
    "lodash/-",
    "lodash/-/",
    "lodash/a/b",
    "lodash/-/a/b.tgz",
    "@acme/x/-/@other/x-1.0.0.tgz",
    "lodash/1.0.0%2f2",
    "-/nothing",
    "-/package/x",
    "-/v1/search",
    "-/npm/v1/attestations/x",
    "-/npm/v1/attestations/x@",
    "-/npm/v1/security/advisories/bulk",
    "-/all",
  ];
  for (const path of none) {
    await t.step(path, () => assert.equal(npm.parse(get(path)), null));
  }
});

Deno.test("parse knows the service endpoints", () => {
  const kinds = (method: "GET" | "POST" | "PUT" | "DELETE", path: string) => {
    const ask = npm.parse(asking(method, path));
    return ask === null ? null : `${ask.kind}${"variant" in ask ? ` ${ask.variant}` : ""}`;
  };
  assert.equal(kinds("GET", "-/ping"), "local ping");
  assert.equal(kinds("GET", "-/whoami"), "local whoami");
  assert.equal(kinds("GET", "-/npm/v1/keys"), "forward keys");
  assert.equal(kinds("POST", "-/npm/v1/security/advisories/bulk"), "forward bulk");
  assert.equal(kinds("POST", "-/npm/v1/security/audits/quick"), "forward quick");
  assert.equal(kinds("POST", "-/npm/v1/security/audits"), "forward audits");
  assert.equal(kinds("PUT", "-/package/x/dist-tags/latest"), "publish");
  assert.equal(kinds("DELETE", "x/-/x-1.0.0.tgz/-rev/1"), "publish");
  assert.equal(kinds("POST", "-/stage/package/x"), "publish");
  assert.equal(kinds("POST", "-/v1/login"), null);
  assert.equal(kinds("POST", "x"), null);
  const search = npm.parse(get("-/v1/search?size=20&text=left%20pad&from=x&quality=0.5&host=evil"));
  assert.ok(search?.kind === "catalogue");
  assert.equal(search.subject.name, "quality=0.5&size=20&text=left+pad");
  assert.deepEqual(npm.sources(search.subject, []).map((source) => source.path), [
    "-/v1/search?quality=0.5&size=20&text=left+pad",
  ]);
});

Deno.test("parse never throws, whatever the segments", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.constantFrom("-", "@a", "@a/b", "package", "npm", "v1", "search"),
  );
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 6 }),
      fc.constantFrom("GET", "POST", "PUT", "DELETE"),
      (segments, method) => {
        npm.parse({ method, segments, query: new URLSearchParams("text=\ud800"), headers: new Map() });
      },
    ),
  );
});

Deno.test("parseAtRoot answers to tarballs alone", () => {
  assert.equal(npm.parseAtRoot?.(get("left-pad/-/left-pad-1.3.0.tgz"))?.filename, "left-pad-1.3.0.tgz");
  assert.equal(npm.parseAtRoot?.(get("left-pad")), null);
  assert.equal(npm.parseAtRoot?.(asking("PUT", "left-pad/-/left-pad-1.3.0.tgz")), null);
});

Deno.test("prefersAbbreviated weighs what is accepted", () => {
  const abbreviated = "application/vnd.npm.install-v1+json";
  const rows: [string | undefined, boolean][] = [
    [`${abbreviated}; q=1.0, application/json; q=0.8, */*`, true],
    [abbreviated, true],
    [`${abbreviated.toUpperCase()}`, true],
    [`application/json, ${abbreviated};q=0.9`, false],
    [`${abbreviated};q=0, */*`, false],
    [`${abbreviated};q=0.5, application/*;q=0.4`, true],
    [`${abbreviated};q=nonsense`, false],
    ["application/json", false],
    ["text/html,application/xhtml+xml,*/*;q=0.8", false],
    ["*/*", false],
    ["", false],
    [undefined, false],
  ];
  for (const [accept, expected] of rows) assert.equal(prefersAbbreviated(accept), expected, accept);
});
