import assert from "node:assert/strict";
import type { Caller, Explanation } from "../ecosystem.ts";
import { cargo } from "./cargo.ts";
import { asking, LINKS } from "./test_support.ts";

Deno.test("parse: each path of the protocol is one ask, of the crate's one name", () => {
  const table = [
    ["config.json", "local config"],
    ["1/a", "index a index"],
    ["2/Ab", "index ab index"],
    ["3/a/abc", "index abc index"],
    ["ab/cd/abcd", "index abcd index"],
    ["in/fl/inflector", "index inflector index"],
    ["In/fl/Inflector", "index inflector index"],
    ["co/nf/config", "index config index"],
    ["api/v1/crates/Inflector", "index inflector crate"],
    ["api/v1/crates/inflector/versions", "index inflector versions"],
    ["api/v1/crates/Inflector/0.11.4", "version inflector 0.11.4"],
    ["api/v1/crates/Inflector/0.11.4/dependencies", "sidecar inflector 0.11.4"],
    ["api/v1/crates/Inflector/0.11.4/download", "artifact inflector inflector-0.11.4.crate"],
    [
      "api/v1/crates/libgit2-sys/0.18.7+1.9.6/download",
      "artifact libgit2-sys libgit2-sys-0.18.7+1.9.6.crate",
    ],
    [
      "api/v1/crates/libgit2-sys/0.18.7%2B1.9.6/download",
      "artifact libgit2-sys libgit2-sys-0.18.7+1.9.6.crate",
    ],
    ["api/v1/crates/Inflector/Inflector-0.11.4.crate", "artifact inflector inflector-0.11.4.crate"],
    ["api/v1/crates?q=a%26b&per_page=10", "catalogue q=a%26b&per_page=10 search"],
    [
      "api/v1/crates?q=x&per_page=10&page=2&sort=new&user_id=1&per_page=9",
      "catalogue q=x&page=2&per_page=10&sort=new search",
    ],
    ["api/v1/crates?q=&sort=../x&page=-1", "catalogue q= search"],
  ] as const;
  for (const [path, wanted] of table) {
    const ask = cargo.parse(asking("GET", path)) as Record<string, unknown> | null;
    const { name } = (ask?.["subject"] ?? {}) as { readonly name?: string };
    const last = ask?.["filename"] ?? ask?.["version"] ?? ask?.["variant"];
    assert.equal([ask?.["kind"], name, last].filter((part) => part !== undefined).join(" "), wanted, path);
  }
});

Deno.test("parse: what is no path of the protocol is none", () => {
  const paths = [
    "",
    "config.json/",
    "index/config.json",
    "a",
    "1/ab",
    "2/a",
    "3/b/abc",
    "ab/ce/abcd",
    "se/rd/serde/1.0.0",
    "1/é",
    "api/v1",
    "api/v1/crates",
    "api/v1/crates/",
    "api/v1/crates/se.rde",
    "api/v1/crates/serde/",
    "api/v1/crates/serde/..x",
    "api/v1/crates/serde/1.0.0/readme",
    "api/v1/crates/serde/1.0.0/download/x",
    "api/v1/crates/serde/serde.crate",
    "api/v1/crates/serde/serde-.crate",
    "api/v1/crates/serde/other-1.0.0.crate",
    "api%2fv1/crates/serde",
  ];
  for (const path of paths) assert.equal(cargo.parse(asking("GET", path)), null, path);
});

Deno.test("parse: what changes a registry is publishing; a read of the same path is not", () => {
  for (
    const [method, path] of [
      ["PUT", "api/v1/crates/new"],
      ["DELETE", "api/v1/crates/serde/1.0.0/yank"],
      ["PUT", "api/v1/crates/serde/1.0.0/unyank"],
      ["PUT", "api/v1/crates/serde/owners"],
      ["DELETE", "api/v1/crates/serde/owners"],
    ] as const
  ) assert.equal(cargo.parse(asking(method, path))?.kind, "publish", path);
  for (
    const path of ["se/rd/serde", "config.json", "api/v1/crates/serde", "api/v1/crates/serde/1.0.0/download"]
  ) {
    for (const method of ["PUT", "POST", "DELETE"] as const) {
      assert.equal(cargo.parse(asking(method, path)), null);
    }
  }
});

Deno.test("sources: the index file and, once for all crates, config.json", () => {
  const subject = { kind: "package", name: "inflector" } as const;
  const found = cargo.sources(subject, []).map((
    { path, required, shared },
  ) => [path, required, shared ?? false]);
  assert.deepEqual(found, [["in/fl/inflector", true, false], ["config.json", false, true]]);
});

Deno.test("sources: pages and searches are below the API that config.json names, and nowhere without one", () => {
  const ask = cargo.parse(asking("GET", "api/v1/crates/serde"));
  const [page] = ask?.kind === "index" ? ask.also ?? [] : [];
  const [search] = cargo.sources({ kind: "catalogue", name: "q=x" }, []);
  const config = (body: string) => ({ ...DOCUMENT, body: new TextEncoder().encode(body) });
  for (const source of [page, search]) {
    assert.equal(source?.below?.document.path, "config.json");
    const root = source!.below!.root;
    assert.equal(root(config('{"dl":"http://x/","api":"http://api.example"}')), "http://api.example/");
    assert.equal(root(config('{"dl":"http://x/","api":"http://x/api/"}')), "http://x/api/");
    assert.equal(root(config('{"dl":"http://x/"}')), null);
    assert.equal(root(config('{"dl":"http://x/","api":null}')), null);
    assert.equal(root({ ...DOCUMENT, status: 404 }), null);
    for (const api of ["http://u@x/", "http://x/?q", "file:///", "x"]) {
      assert.throws(() => root(config(JSON.stringify({ dl: "http://x/", api }))), SyntaxError, api);
    }
  }
});

const DOCUMENT = {
  key: "config",
  status: 200,
  contentType: "application/json",
  body: new Uint8Array(),
  fetchedAt: 0 as Explanation["since"] & number,
  url: "",
} as const;

function configFor(user: string | null, links = LINKS): unknown {
  const caller: Caller = {
    organisation: "default",
    user,
    address: "",
    client: { name: "cargo", version: "", command: null },
  };
  const { body } = cargo.local({ kind: "local", variant: "config" }, caller, links);
  return JSON.parse(new TextDecoder().decode([...body][0]));
}

Deno.test("config.json: downloads and API are here; auth-required exactly where a caller must say who it is", () => {
  const base = LINKS.base;
  assert.deepEqual(configFor(null), { dl: `${base}/api/v1/crates`, api: base });
  const authRequired = { ...LINKS, authRequired: true };
  for (const user of [null, "ada"]) {
    assert.deepEqual(configFor(user, authRequired), {
      dl: `${base}/api/v1/crates`,
      api: base,
      "auth-required": true,
    });
  }
});

Deno.test("config.json: at the root of a host too, and a name in the index's address is in that of the downloads", () => {
  assert.deepEqual(configFor("ad@ é", { ...LINKS, base: "https://sluice.example" }), {
    dl: "https://ad%40%20%C3%A9@sluice.example/api/v1/crates",
    api: "https://sluice.example",
  });
});

Deno.test("cargoVersions: build metadata counts for nothing, 0.x is one line, pre-releases come first", () => {
  const { compare, line, isPrerelease } = cargo.versions;
  assert.equal(compare("0.18.7+1.9.6", "0.18.7"), 0);
  assert.equal(compare("0.18.7+1.9.6", "0.18.7+1.9.10"), 0);
  assert.ok(compare("0.9.0", "0.10.0") < 0 && compare("0.99.0", "1.0.0-0") < 0);
  assert.ok(compare("1.0.0-rc.9", "1.0.0-rc.10") < 0 && compare("1.0.0-rc.10", "1.0.0") < 0);
  assert.equal(line("0.1.0"), line("0.2.0"));
  assert.ok(isPrerelease("1.0.0-alpha+001") && !isPrerelease("1.0.0+20130313144700"));
});
