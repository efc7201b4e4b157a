import assert from "node:assert/strict";
import type { ForwardAsk } from "../ecosystem.ts";
import { npm } from "./npm.ts";
import { asking } from "./test_support.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));
const isPrivate = (name: string) => name.startsWith("@acme/");

function ask(path: string): ForwardAsk {
  const parsed = npm.parse(asking("POST", path));
  assert.ok(parsed?.kind === "forward");
  return parsed;
}

const BULK = ask("-/npm/v1/security/advisories/bulk");
const QUICK = ask("-/npm/v1/security/audits/quick");
const YARN = ask("-/npm/v1/security/audits");

Deno.test("forwarding.request takes private names out of a bulk audit", () => {
  const body = encode({ "left-pad": ["1.0.0"], "@acme/secret": ["1.0.0"], constructor: ["1.0.0"] });
  const sent = npm.forwarding!.request(BULK, body, isPrivate);
  assert.deepEqual(decode(sent.body), { "left-pad": ["1.0.0"], constructor: ["1.0.0"] });
  assert.deepEqual(sent.names, ["left-pad", "constructor"]);
  assert.equal(sent.contentType, "application/json");
  const text = new TextEncoder().encode('{"__proto__":["1.0.0"],"x":["1.0.0"]}');
  assert.equal(
    new TextDecoder().decode(npm.forwarding!.request(BULK, text, isPrivate).body),
    '{"__proto__":["1.0.0"],"x":["1.0.0"]}',
  );
});

Deno.test("forwarding.request takes private names out of every level of a quick audit", () => {
  const tree = {
    name: "@acme/project",
    version: "1.0.0",
    requires: { "left-pad": "^1", "@acme/secret": "^1" },
    dependencies: {
      "@acme/secret": { version: "1.0.0", dependencies: { inner: { version: "1.0.0" } } },
      "left-pad": {
        version: "1.0.0",
        requires: { "@acme/deep": "1" },
        dependencies: { "@acme/deep": { version: "1.0.0" }, name: { version: "2.0.0", integrity: "x" } },
      },
    },
    install: ["@acme/secret@1.0.0", "left-pad@1.0.0", "@babel/core@7.0.0"],
    remove: [],
    metadata: { node: "22" },
  };
  for (const form of [QUICK, YARN]) {
    const sent = npm.forwarding!.request(form, encode(tree), isPrivate);
    assert.deepEqual(decode(sent.body), {
      version: "1.0.0",
      requires: { "left-pad": "^1" },
      dependencies: {
        "left-pad": {
          version: "1.0.0",
          requires: {},
          dependencies: { name: { version: "2.0.0", integrity: "x" } },
        },
      },
      install: ["left-pad@1.0.0", "@babel/core@7.0.0"],
      remove: [],
      metadata: { node: "22" },
    });
    assert.equal(new TextDecoder().decode(sent.body).includes("acme"), false);
  }
});

Deno.test("forwarding.request refuses what is no audit", () => {
  for (const body of ["", "[]", "1", "{", '{"x":"1.0.0"}']) {
    assert.throws(
      () => npm.forwarding!.request(BULK, new TextEncoder().encode(body), isPrivate),
      SyntaxError,
      body,
    );
  }
  const deep = '{"dependencies":{"x":'.repeat(300) + "{}" + "}}".repeat(300);
  assert.throws(
    () => npm.forwarding!.request(QUICK, new TextEncoder().encode(deep), isPrivate),
    /nested deeper/,
  );
});

Deno.test("forwarding.advisories reads bulk answers", () => {
  const answer = {
    x: [
      { id: 1, url: "https://advisories.example/1", vulnerable_versions: ">=1.0.0 <1.2.3" },
      { id: "GHSA-2", vulnerable_versions: "not a range !" },
      { id: 3 },
    ],
    y: "odd",
  };
  const found = npm.forwarding!.advisories(BULK, encode(answer));
  assert.deepEqual(found.map(({ name, id }) => [name, id]), [["x", "1"], ["x", "GHSA-2"], ["x", "3"]]);
  const affected = (version: string) => found[0]!.affects(version);
  assert.deepEqual(["1.2.2", "1.2.3-beta.1", "1.2.3", "0.9.0", "zzz"].map(affected), [
    true,
    true,
    false,
    false,
    true,
  ]);
  assert.ok(found[1]!.affects("1.0.0") && found[2]!.affects("1.0.0"), "what cannot be read affects all");
});

Deno.test("forwarding.advisories reads quick answers", () => {
  const answer = {
    actions: [],
    advisories: { "7": { id: 7, module_name: "x", url: "u", vulnerable_versions: "<2" }, "8": { id: 8 } },
  };
  for (const form of [QUICK, YARN]) {
    const found = npm.forwarding!.advisories(form, encode(answer));
    assert.deepEqual(found.map(({ name, id, url }) => [name, id, url]), [["x", "7", "u"]]);
    assert.ok(found[0]!.affects("1.9.9") && !found[0]!.affects("2.0.0"));
  }
  assert.deepEqual(npm.forwarding!.advisories(QUICK, encode({})), []);
  assert.throws(() => npm.forwarding!.advisories(QUICK, new TextEncoder().encode("<html>")), SyntaxError);
});

Deno.test("forwarding.request takes private names out of aliases", () => {
  const tree = {
    requires: { a: "npm:@acme/secret@^1", b: "npm:left-pad@^1" },
    dependencies: { c: { version: "npm:@acme/secret@1.0.0" }, d: { version: "npm:left-pad@1.0.0" } },
  };
  assert.deepEqual(decode(npm.forwarding!.request(QUICK, encode(tree), isPrivate).body), {
    requires: { b: "npm:left-pad@^1" },
    dependencies: { d: { version: "npm:left-pad@1.0.0" } },
  });
});

Deno.test("forwarding.request reads a list of hostile names in linear time", () => {
  const hostile = `${"@".repeat(2_000_000)}\n`;
  const started = performance.now();
  const sent = npm.forwarding!.request(QUICK, encode({ install: [hostile, "left-pad@1.0.0"] }), isPrivate);
  assert.deepEqual(sent.names, ["@", "left-pad"]);
  // By a backtracking expression it is an hour.
  assert.ok(performance.now() - started < 5_000);
});
