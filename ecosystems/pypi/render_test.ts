import assert from "node:assert/strict";
import { MEDIA_TYPES } from "./accept.ts";
import { readTags } from "./html.ts";
import { jsonDocument, legacyDocument, LINKS, render, simpleDocument } from "./test_support.ts";

const OLD = "foo-1.0-py3-none-any.whl";
const NEW = "foo-2.0+local.1-py3-none-any.whl";
const SHA = "a".repeat(64);

const PAGE = jsonDocument({
  meta: { "api-version": "1.4", "_last-serial": 7, "x-unknown": [1] },
  name: "foo",
  "x-unknown": { __proto__: null, y: "z" },
  versions: ["0.9", "1.0", "2.0+local.1"],
  files: [
    {
      filename: OLD,
      url: `https://files.example/aa/${OLD}`,
      hashes: { sha256: SHA },
      "requires-python": '>=3.8, !="<b>"',
      "upload-time": "2026-01-01T00:00:00.123456Z",
      size: 5,
      yanked: 'a "bad" <one>',
      "core-metadata": { sha256: "b".repeat(64) },
      provenance: "https://index.example/integrity/x",
      "gpg-sig": true,
      "x-unknown": true,
    },
    {
      filename: NEW,
      url: `https://files.example/bb/${NEW}`,
      hashes: {},
      "upload-time": "2026-02-01T00:00:00Z",
    },
    { filename: "unreadable", url: "https://files.example/unreadable", hashes: {} },
  ],
});

function json(options: Partial<Parameters<typeof render>[1]> = {}) {
  const made = render([PAGE], { path: "simple/foo/", accept: MEDIA_TYPES.json, ...options });
  assert.ok(made !== null);
  return { ...made, page: JSON.parse(made.text) };
}

Deno.test("render JSON: everything that upstream said, with our links", () => {
  const { rendered, page } = json();
  assert.equal(rendered.contentType, MEDIA_TYPES.json);
  assert.equal(rendered.headers.vary, "accept");
  assert.deepEqual(page.meta, { "api-version": "1.4", "_last-serial": 7, "x-unknown": [1] });
  assert.deepEqual(page["x-unknown"], { y: "z" });
  assert.deepEqual(page.versions, ["1.0", "2.0+local.1"], "a version without a file is not listed");
  assert.deepEqual(page.files[0], {
    filename: OLD,
    url: `../../packages/foo/${OLD}`,
    hashes: { sha256: SHA },
    "requires-python": '>=3.8, !="<b>"',
    "upload-time": "2026-01-01T00:00:00.123456Z",
    size: 5,
    yanked: 'a "bad" <one>',
    "core-metadata": { sha256: "b".repeat(64) },
    provenance: `${LINKS.base}/integrity/foo/1.0/${OLD}/provenance`,
    "gpg-sig": true,
    "x-unknown": true,
  });
  assert.equal(page.files[1].url, "../../packages/foo/foo-2.0%2Blocal.1-py3-none-any.whl");
  assert.equal(page.files.length, 2, "what no release can be told of is not offered");
});

Deno.test("render JSON: a withheld file is gone, and its version where none is left", () => {
  const { rendered, page, text } = json({ withheld: [NEW] });
  assert.deepEqual(page.files.map((file: { filename: string }) => file.filename), [OLD]);
  assert.deepEqual(page.versions, ["1.0"]);
  assert.ok(!text.includes("2.0+local"));
  assert.equal(rendered.withheld(), 1);
  const none = json({ withheld: [NEW, OLD] });
  assert.equal(none.rendered.status, 200);
  assert.deepEqual(none.page.files, []);
  assert.deepEqual(none.page.versions, []);
});

Deno.test("render: links are relative to the page's own address, and upstream's where the policy says so", () => {
  assert.equal(json({ path: "foo/" }).page.files[0].url, `../packages/foo/${OLD}`);
  const elsewhere = json({ links: { artifacts: "upstream" } });
  assert.equal(elsewhere.page.files[0].url, `https://files.example/aa/${OLD}`);
});

Deno.test("render HTML: the same files with every attribute, escaped", () => {
  const made = render([PAGE], { path: "simple/foo/", withheld: [NEW] });
  assert.ok(made !== null);
  assert.equal(made.rendered.contentType, "text/html; charset=utf-8");
  const anchors = [...readTags(made.text, new Set(["a"]))];
  assert.equal(anchors.length, 1);
  assert.equal(anchors[0]!.text, OLD);
  assert.deepEqual(Object.fromEntries(anchors[0]!.attributes), {
    "href": `../../packages/foo/${OLD}#sha256=${SHA}`,
    "data-requires-python": '>=3.8, !="<b>"',
    "data-dist-info-metadata": `sha256=${"b".repeat(64)}`,
    "data-core-metadata": `sha256=${"b".repeat(64)}`,
    "data-yanked": 'a "bad" <one>',
    "data-gpg-sig": "true",
    "data-upload-time": "2026-01-01T00:00:00.123456Z",
    "data-provenance": `${LINKS.base}/integrity/foo/1.0/${OLD}/provenance`,
  });
  assert.ok(!made.text.includes("<one>") && !made.text.includes("<b>"), made.text);
  assert.match(made.text, /<meta name="pypi:repository-version" content="1\.4">/);
  const v1 = render([PAGE], { path: "simple/foo/", accept: MEDIA_TYPES.v1html });
  assert.equal(v1?.rendered.contentType, MEDIA_TYPES.v1html);
});

Deno.test("render: of an HTML page and the legacy JSON comes a JSON page with dates and sizes", () => {
  const html = simpleDocument(
    `<meta name="pypi:project-status" content="archived"><a href="/f/${OLD}#sha256=${SHA}" data-requires-python="&gt;=3.8">x</a>`,
    "text/html",
  );
  const date = "2026-01-01T00:00:00.500Z";
  const legacy = legacyDocument({
    releases: { "1.0": [{ filename: OLD, upload_time_iso_8601: date, size: 4, yanked: true }] },
  });
  const made = render([html, legacy], { path: "simple/foo/", accept: MEDIA_TYPES.json });
  assert.deepEqual(JSON.parse(made!.text), {
    "project-status": { status: "archived" },
    meta: { "api-version": "1.1" },
    name: "foo",
    versions: ["1.0"],
    files: [{
      filename: OLD,
      url: `../../packages/foo/${OLD}`,
      hashes: { sha256: SHA },
      "requires-python": ">=3.8",
      "upload-time": date,
      size: 4,
      yanked: true,
    }],
  });
  const alone = render([html], { path: "simple/foo/", accept: MEDIA_TYPES.json });
  assert.equal(JSON.parse(alone!.text).meta["api-version"], "1.0", "1.1 would promise sizes");
});

Deno.test("render: keys that every object has are members like any other", () => {
  const body =
    `{"meta":{"api-version":"1.4"},"name":"foo","__proto__":{"x":1},"files":[{"filename":"${OLD}","url":"/${OLD}","__proto__":{"yanked":true},"hashes":{"__proto__":"${SHA}"}}]}`;
  const made = render([simpleDocument(body, "application/json")], {
    path: "simple/foo/",
    accept: MEDIA_TYPES.json,
  });
  assert.match(made!.text, /"__proto__":\{"x":1\}/);
  assert.match(made!.text, /"__proto__":\{"yanked":true\}/);
  assert.equal(Reflect.get({}, "yanked"), undefined);
});

const file = (filename: string, fields: Readonly<Record<string, unknown>> = {}) => ({
  filename,
  url: `https://files.example/${filename}`,
  ...fields,
});
const LEGACY_FIELDS = {
  info: {
    name: "foo",
    version: "2.0+local.1",
    summary: "A thing",
    requires_dist: ["bar"],
    package_url: "https://index.example/project/foo/",
    release_url: "https://index.example/project/foo/2.0+local.1/",
  },
  releases: {
    "0.9": [],
    "1.0": [file(OLD, { requires_python: ">=3.8" })],
    "2.0+local.1": [file(NEW)],
  },
  urls: [file(NEW)],
  vulnerabilities: [{ id: "PYSEC-1" }],
  "x-unknown": 1,
};

Deno.test("project JSON: passed on with our links where its newest release is offered", () => {
  const made = render([PAGE, legacyDocument(LEGACY_FIELDS)], { path: "pypi/foo/json" });
  const document = JSON.parse(made!.text);
  assert.deepEqual(document.info, LEGACY_FIELDS.info);
  assert.deepEqual(Object.keys(document.releases), ["1.0", "2.0+local.1"]);
  assert.equal(document.urls[0].url, `${LINKS.base}/packages/foo/foo-2.0%2Blocal.1-py3-none-any.whl`);
  assert.deepEqual(document.vulnerabilities, LEGACY_FIELDS.vulnerabilities);
  assert.equal(document["x-unknown"], 1);
});

Deno.test("project JSON: where its newest release is withheld it speaks of the newest that is offered", () => {
  const made = render([PAGE, legacyDocument(LEGACY_FIELDS)], { path: "pypi/foo/json", withheld: [NEW] });
  const document = JSON.parse(made!.text);
  assert.equal(document.info.version, "1.0");
  assert.equal(document.info.summary, "A thing");
  assert.equal(document.info.requires_dist, null);
  assert.equal(document.info.requires_python, ">=3.8");
  assert.equal(document.info.release_url, "https://index.example/project/foo/1.0/");
  assert.deepEqual(Object.keys(document.releases), ["1.0"]);
  assert.equal(document.urls[0].filename, OLD);
  assert.equal("vulnerabilities" in document, false);
  assert.ok(!made!.text.includes("2.0+local"), made!.text);
  assert.equal(
    render([PAGE, legacyDocument(LEGACY_FIELDS)], { path: "pypi/foo/json", withheld: [OLD, NEW] }),
    null,
  );
});

Deno.test("release JSON: its files that are offered, in any spelling of its version; vulnerabilities pass", () => {
  const one = { info: { version: "1.0" }, urls: [file(OLD)], vulnerabilities: [{ id: "PYSEC-2" }] };
  for (const version of ["1.0", "1.0.0", "v1"]) {
    const documents = [PAGE, legacyDocument(one, `legacy ${version}`)];
    const made = render(documents, { path: `pypi/foo/${version}/json` });
    const document = JSON.parse(made!.text);
    assert.deepEqual(document.vulnerabilities, one.vulnerabilities);
    assert.equal(document.urls[0].url, `${LINKS.base}/packages/foo/${OLD}`);
    assert.equal(render(documents, { path: `pypi/foo/${version}/json`, withheld: [OLD] }), null);
  }
  const other = [PAGE, legacyDocument({ ...one, info: { version: "2.0" } }, "legacy 1.0")];
  assert.equal(render(other, { path: "pypi/foo/1.0/json" }), null, "another release's document");
});
