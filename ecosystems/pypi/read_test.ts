import assert from "node:assert/strict";
import type { Artifact } from "../../policy/types.ts";
import type { UpstreamDocument } from "../ecosystem.ts";
import { pypi } from "./pypi.ts";
import { factsOf, jsonDocument, legacyDocument, ROOT, simpleDocument } from "./test_support.ts";

const WHEEL = "foo-1.0-py3-none-any.whl";
const SHA = "a".repeat(64);
const DATE = "2026-01-01T00:00:00.123456Z";
const SUBJECT = { kind: "package", name: "foo" } as const;

function file(fields: Readonly<Record<string, unknown>> = {}) {
  return { filename: WHEEL, url: `../../packages/${WHEEL}`, hashes: { sha256: SHA }, ...fields };
}

function page(files: readonly unknown[], fields: Readonly<Record<string, unknown>> = {}) {
  return jsonDocument({ meta: { "api-version": "1.4" }, name: "foo", files, ...fields });
}

function html(body: string) {
  return simpleDocument(`<!DOCTYPE html><html><body>${body}</body></html>`, "text/html");
}

function only(...documents: readonly UpstreamDocument[]): Artifact {
  const artifacts = factsOf(...documents).releases.flatMap((release) => release.artifacts);
  assert.equal(artifacts.length, 1);
  return artifacts[0]!;
}

Deno.test("read: a file's digest, size, date, yank and trust from the JSON page", () => {
  const artifact = only(
    page([file({ size: 7, "upload-time": DATE, yanked: "bad", provenance: "https://x/y" })]),
  );
  assert.deepEqual(artifact, {
    filename: WHEEL,
    url: `${ROOT}packages/${WHEEL}`,
    digests: [{ algorithm: "sha256", hex: SHA }],
    sizeBytes: 7,
    publishedAt: { known: true, value: { at: Date.UTC(2026, 0, 1, 0, 0, 0, 123), clock: "registry" } },
    yanked: { known: true, value: true },
    trust: { known: true, value: "trusted-publisher" },
  });
});

Deno.test("read: the metadata's digest under any of its names; a flag or another kind of value is none", () => {
  const stated = { ".metadata": [{ algorithm: "sha256", hex: SHA }] };
  for (const name of ["core-metadata", "data-dist-info-metadata", "dist-info-metadata"]) {
    assert.deepEqual(only(page([file({ [name]: { sha256: SHA } })])).beside, stated, name);
  }
  for (const flag of [true, false, { sha256: 7 }, { sha256: "xyz" }, { md4: SHA }, null, undefined]) {
    assert.equal(only(page([file({ "core-metadata": flag })])).beside, undefined, JSON.stringify(flag));
  }
  const anchor = (attribute: string) => html(`<a href="${WHEEL}#sha256=${SHA}" ${attribute}>${WHEEL}</a>`);
  assert.deepEqual(only(anchor(`data-core-metadata="sha256=${SHA}"`)).beside, stated);
  assert.equal(only(anchor('data-core-metadata="true"')).beside, undefined);
});

Deno.test("read: what is not said is absent, and what is said wrongly malformed", () => {
  const none = only(page([file()], { meta: { "api-version": "1.0" } }));
  assert.deepEqual(none.publishedAt, { known: false, why: "absent" });
  assert.deepEqual(none.trust, { known: false, why: "absent" });
  assert.deepEqual(none.yanked, { known: true, value: false });
  assert.equal(none.sizeBytes, null);
  assert.deepEqual(only(page([file()])).trust, { known: true, value: "none" }, "from 1.3 on");
  assert.deepEqual(only(page([file({ provenance: null })])).trust, { known: true, value: "none" });
  const wrong = only(page([file({ "upload-time": "yesterday", yanked: 1, provenance: 5, size: "big" })]));
  assert.deepEqual(wrong.publishedAt, { known: false, why: "malformed" });
  assert.deepEqual(wrong.yanked, { known: false, why: "malformed" });
  assert.deepEqual(wrong.trust, { known: false, why: "malformed" });
  assert.equal(wrong.sizeBytes, null);
});

Deno.test("read: the legacy JSON fills in what the page lacks, and either's yank counts", () => {
  const entry = {
    filename: WHEEL,
    upload_time_iso_8601: DATE,
    yanked: true,
    size: 9,
    digests: { sha256: "b".repeat(64), md5: "c".repeat(32) },
  };
  const legacy = legacyDocument({ releases: { "1.0": [entry] } });
  const bare = `<a href="/root/packages/${WHEEL}">${WHEEL}</a>`;
  const filled = only(html(bare), legacy);
  assert.equal(filled.publishedAt.known && filled.publishedAt.value.at, Date.UTC(2026, 0, 1, 0, 0, 0, 123));
  assert.deepEqual(filled.yanked, { known: true, value: true });
  assert.equal(filled.sizeBytes, 9);
  assert.deepEqual(filled.digests, [{ algorithm: "sha256", hex: "b".repeat(64) }]);
  const own = only(page([file({ "upload-time": "2025-01-01T00:00:00Z", yanked: false, size: 3 })]), legacy);
  assert.equal(own.publishedAt.known && own.publishedAt.value.at, Date.UTC(2025, 0, 1), "the page's date");
  assert.deepEqual(own.yanked, { known: true, value: true });
  assert.deepEqual(own.digests, [{ algorithm: "sha256", hex: SHA }]);
  const urls = only(html(bare), legacyDocument({ urls: [entry] }));
  assert.equal(urls.publishedAt.known, true, "`releases` is deprecated");
});

Deno.test("read: an HTML page alone, with attributes as mirrors write them", () => {
  const artifact = only(html(
    `<a href="../../p/${WHEEL}#sha256=${SHA}" data-upload-time="2026-01-01T00:00:00Z" data-yanked="a &amp; b" data-provenance="https://x">x</a>`,
  ));
  assert.equal(artifact.url, `${ROOT}p/${WHEEL}`);
  assert.deepEqual(artifact.digests, [{ algorithm: "sha256", hex: SHA }]);
  assert.equal(artifact.publishedAt.known && artifact.publishedAt.value.at, Date.UTC(2026, 0, 1));
  assert.deepEqual(artifact.yanked, { known: true, value: true });
  assert.deepEqual(artifact.trust, { known: true, value: "trusted-publisher" });
  const bare = only(html(`<base href="http://files.example/x/"><a href="${WHEEL}">${WHEEL}</a>`));
  assert.equal(bare.url, `http://files.example/x/${WHEEL}`);
  assert.deepEqual(bare.yanked, { known: false, why: "absent" });
  assert.deepEqual(bare.trust, { known: false, why: "absent" });
});

Deno.test("read: files are grouped by version, whatever spelling, in version order, by the index's own word", () => {
  const names = [
    "foo-1.10.tar.gz",
    "foo-1.0_beta1-py3-none-any.whl",
    "foo-1.0b1.tar.gz",
    "foo-1.9-py3-none-any.whl",
    "foo-1.9.tar.gz",
  ];
  const files = names.map((filename) => ({ filename, url: `/${filename}`, hashes: {} }));
  const { releases } = factsOf(page(files, { versions: ["1.9", "1.10", "1.0-beta1"] }));
  assert.deepEqual(releases.map(({ version }) => version), ["1.0-beta1", "1.9", "1.10"]);
  assert.deepEqual(releases.map(({ artifacts }) => artifacts.length), [2, 2, 1]);
  assert.deepEqual(
    releases.map(({ runsCodeOnInstall }) => runsCodeOnInstall.known && runsCodeOnInstall.value),
    [false, false, true],
    "only what has no wheel is built",
  );
});

Deno.test("read: what no release can be told of is left out", () => {
  const odd = [
    { filename: "foo-1.0.tar.gz", url: "ftp://x/foo-1.0.tar.gz" },
    { filename: "foo-2.0.tar.gz", url: "/foo-3.0.tar.gz" },
    { filename: "bar-1.0.tar.gz", url: "/bar-1.0.tar.gz" },
    { filename: "foo.tar.gz", url: "/foo.tar.gz" },
    { filename: "foo-4.0.tar.gz", url: "/%00foo-4.0.tar.gz" },
    { filename: "foo-5.0.tar.gz" },
    null,
    "foo-6.0.tar.gz",
    { url: "/foo-7.0.tar.gz" },
    { filename: "foo-7.0.tar.gz", url: "/again/foo-7.0.tar.gz" },
  ];
  const { releases } = factsOf(page(odd));
  assert.deepEqual(releases.map(({ version }) => version), ["7.0"]);
  assert.equal(releases[0]!.artifacts[0]!.url, "http://index.example/foo-7.0.tar.gz", "the first of a name");
});

Deno.test("read: credentials in a link are not kept", () => {
  assert.equal(
    only(page([file({ url: `http://u:p@index.example/${WHEEL}#x` })])).url,
    `http://index.example/${WHEEL}`,
  );
});

Deno.test("read: a project's status, wherever it stands", () => {
  const quarantined = { status: "quarantined" };
  assert.deepEqual(factsOf(page([file()], { "project-status": quarantined })).releases, []);
  const inMeta = page([file()], { meta: { "api-version": "1.4", "project-status": quarantined } });
  assert.deepEqual(factsOf(inMeta).releases, []);
  const inHtml = html(`<meta name="pypi:project-status" content="quarantined"><a href="${WHEEL}">x</a>`);
  assert.deepEqual(factsOf(inHtml).releases, []);
  const deprecated = factsOf(
    page([file()], { "project-status": { status: "deprecated", reason: "use bar" } }),
  );
  assert.deepEqual(deprecated.releases[0]!.deprecated, { known: true, value: "use bar" });
  const archived = factsOf(page([file()], { "project-status": { status: "archived" } }));
  assert.deepEqual(archived.releases[0]!.deprecated, { known: true, value: false });
});

Deno.test("read: what cannot be a simple page is a SyntaxError", () => {
  const table: [string, () => unknown][] = [
    ["another project's", () => factsOf(page([], { name: "bar" }))],
    ["no files", () => factsOf(jsonDocument({ meta: {}, name: "foo" }))],
    ["a later major version", () => factsOf(page([], { meta: { "api-version": "2.0" } }))],
    ["no JSON", () => factsOf(simpleDocument("{", "application/json"))],
    ["no object", () => factsOf(simpleDocument("[]", "application/json"))],
    ["a later version in HTML", () => factsOf(html('<meta name="pypi:repository-version" content="2.0">'))],
    [
      "broken legacy JSON",
      () => factsOf(page([file()]), { ...legacyDocument({}), body: new Uint8Array([123]) }),
    ],
    ["none", () => factsOf()],
  ];
  for (const [what, read] of table) assert.throws(read, SyntaxError, what);
});

Deno.test("sources: the legacy JSON is asked for exactly where the page says too little", () => {
  const keys = (...documents: readonly UpstreamDocument[]) =>
    pypi.sources(SUBJECT, documents).map(({ key }) => key);
  assert.deepEqual(keys(), ["simple"]);
  assert.deepEqual(keys(page([file({ "upload-time": DATE })])), []);
  assert.deepEqual(keys(page([])), []);
  assert.deepEqual(keys(page([file()])), ["legacy"], "no dates");
  assert.deepEqual(keys(html("")), ["legacy"]);
  assert.deepEqual(keys(html(""), legacyDocument({})), []);
  assert.deepEqual(keys({ ...html(""), status: 404 }), []);
});
