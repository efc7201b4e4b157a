import assert from "node:assert/strict";
import { type PurlPath, readPurlPath } from "./purl_path.ts";

Deno.test("readPurlPath: scoped, versioned, spoken and encoded forms", () => {
  const table: readonly (readonly [string, PurlPath | null])[] = [
    ["pkg:npm/foo", { type: "npm", name: "foo", version: null, isSpeaking: false }],
    ["pkg:npm/foo/", { type: "npm", name: "foo", version: null, isSpeaking: false }],
    ["pkg:npm/foo@1.0.0", { type: "npm", name: "foo", version: "1.0.0", isSpeaking: false }],
    ["PKG:NPM/JSONStream@1.0.0", { type: "npm", name: "JSONStream", version: "1.0.0", isSpeaking: false }],
    ["pkg:npm/@acme/foo", { type: "npm", name: "@acme/foo", version: null, isSpeaking: false }],
    ["pkg:npm/@acme/foo@1.0.0", { type: "npm", name: "@acme/foo", version: "1.0.0", isSpeaking: false }],
    ["pkg:npm/@acme/foo@1.0.0+b@c", {
      type: "npm",
      name: "@acme/foo@1.0.0+b",
      version: "c",
      isSpeaking: false,
    }],
    ["pkg:npm/foo@1.0.0/held-by-minimumAge-until-2026-12-01", {
      type: "npm",
      name: "foo",
      version: "1.0.0",
      isSpeaking: true,
    }],
    ["pkg:npm/@acme/foo@1.0.0/denied-by-yanked", {
      type: "npm",
      name: "@acme/foo",
      version: "1.0.0",
      isSpeaking: true,
    }],
    ["pkg:npm/@acme/foo/held-by-minimumAge", {
      type: "npm",
      name: "@acme/foo",
      version: null,
      isSpeaking: true,
    }],
    [
      "pkg:npm/foo@1.0.0/would-be-denied-by-publisherDowngrade",
      { type: "npm", name: "foo", version: "1.0.0", isSpeaking: true },
    ],
    ["pkg:npm/held-by-minimumAge", {
      type: "npm",
      name: "held-by-minimumAge",
      version: null,
      isSpeaking: false,
    }],
    ["pkg:golang/github.com/a/b@v1.0.0", {
      type: "golang",
      name: "github.com/a/b",
      version: "v1.0.0",
      isSpeaking: false,
    }],
    ["pkg:npm/foo@1.0.0/anything", null],
    ["pkg:npm/foo@1.0.0/denied-by-yanked/x", null],
    ["pkg:npm/foo@", null],
    ["pkg:npm/", null],
    ["pkg:npm", null],
    ["pkg:/foo", null],
    ["npm/foo", null],
    ["", null],
    [`pkg:npm/${"x".repeat(513)}`, null],
    [`pkg:npm/x@${"1".repeat(257)}`, null],
  ];
  for (const [path, expected] of table) {
    assert.deepEqual(readPurlPath(path.split("/")), expected, path);
    assert.deepEqual(readPurlPath([path]), expected, `${path} as one segment`);
  }
});
