import assert from "node:assert/strict";
import type { ClientRequest } from "../ecosystem.ts";
import { parse } from "./request.ts";

function ask(path: string, method: ClientRequest["method"] = "GET", accept?: string): string {
  const [before = "", query = ""] = path.split("?", 2);
  const parsed = parse({
    method,
    segments: before.split("/").map(decodeURIComponent),
    query: new URLSearchParams(query),
    headers: new Map(accept === undefined ? [] : [["accept", accept]]),
  });
  if (parsed === null) return "nothing";
  switch (parsed.kind) {
    case "index":
      return `index ${parsed.subject.name} ${parsed.variant}`;
    case "version":
      return `version ${parsed.subject.name} ${parsed.version} ${parsed.variant}`;
    case "artifact":
      return `artifact ${parsed.subject.name} ${parsed.filename}`;
    case "sidecar":
      return `sidecar ${parsed.subject.name} ${parsed.filename} ${parsed.beside ?? parsed.source.path}`;
    case "catalogue":
      return `catalogue ${parsed.variant}`;
    case "local":
      return `to ${parsed.variant}`;
    default:
      return parsed.kind;
  }
}

Deno.test("parse: every address, and projects that are called like a part of one", () => {
  const table: [path: string, expected: string][] = [
    ["", "catalogue html"],
    ["simple/", "catalogue html"],
    ["simple", "to simple/"],
    ["simple/requests/", "index requests html"],
    ["simple/requests", "to simple/requests/"],
    ["simple/Foo_Bar.baz/", "to simple/foo-bar-baz/"],
    ["simple/Foo?format=text/html", "to simple/foo/?format=text%2Fhtml"],
    ["requests/", "index requests html short"],
    ["requests", "to requests/"],
    ["Foo.Bar/", "to foo-bar/"],
    ["simple/simple/", "index simple html"],
    ["simple/packages/", "index packages html"],
    ["packages/", "index packages html short"],
    ["integrity/", "index integrity html short"],
    ["pypi/", "index pypi html short"],
    ["json/", "index json html short"],
    ["legacy/", "index legacy html short"],
    ["pypi/requests/json", "version requests latest project"],
    ["pypi/requests/2.0/json", "version requests 2.0 release"],
    ["pypi/json/json", "version json latest project"],
    ["pypi/pypi/json", "version pypi latest project"],
    ["pypi/simple/json/json", "version simple json release"],
    ["packages/foo/foo-1.0.tar.gz", "artifact foo foo-1.0.tar.gz"],
    ["packages/packages/packages-1.0.tar.gz", "artifact packages packages-1.0.tar.gz"],
    ["packages/Foo/foo-1.0.tar.gz", "artifact foo foo-1.0.tar.gz"],
    ["packages/torch/torch-2%2Bcu1-py3-none-any.whl", "artifact torch torch-2+cu1-py3-none-any.whl"],
    ["packages/foo/foo-1.0-py3-none-any.whl.metadata", "sidecar foo foo-1.0-py3-none-any.whl .metadata"],
    ["packages/foo/foo-1.0.tar.gz.asc", "sidecar foo foo-1.0.tar.gz .asc"],
    [
      "integrity/foo/1.0/foo-1.0.tar.gz/provenance",
      "sidecar foo foo-1.0.tar.gz integrity/foo/1.0/foo-1.0.tar.gz/provenance",
    ],
    ["simple/foo/bar", "nothing"],
    ["simple/-foo/", "nothing"],
    ["simple/foo%2Fbar/", "nothing"],
    ["simple/f%00o/", "nothing"],
    ["packages/foo/", "nothing"],
    ["packages/foo/.metadata", "nothing"],
    ["packages/foo/..metadata", "nothing"],
    ["packages/foo/a%2Fb.whl", "nothing"],
    ["pypi/foo/json/", "nothing"],
    ["pypi/foo/1.0/", "nothing"],
    ["pypi/foo/1%2F0/json", "nothing"],
    ["integrity/foo/1.0/foo.whl", "nothing"],
    ["a/b/c/d/e/f/g/h", "nothing"],
  ];
  for (const [path, expected] of table) {
    assert.equal(ask(path), expected, path);
    assert.equal(ask(path, "HEAD"), expected, path);
  }
});

Deno.test("parse: uploads are told from reading, and nothing else is written", () => {
  for (const path of ["", "legacy/", "legacy", "simple/"]) assert.equal(ask(path, "POST"), "publish", path);
  for (const path of ["simple/foo/", "foo/", "packages/foo/foo-1.tar.gz"]) {
    assert.equal(ask(path, "POST"), "nothing", path);
  }
  for (const method of ["PUT", "DELETE"] as const) assert.equal(ask("simple/foo/", method), "nothing");
});

Deno.test("parse: the form is the header's or the query's", () => {
  const json = "application/vnd.pypi.simple.v1+json";
  assert.equal(ask("simple/foo/", "GET", json), "index foo json");
  assert.equal(ask("foo/", "GET", json), "index foo json short");
  assert.equal(ask(`simple/foo/?format=${encodeURIComponent(json)}`), "index foo json");
  assert.equal(ask("simple/", "GET", json), "catalogue json");
});
