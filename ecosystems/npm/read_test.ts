import assert from "node:assert/strict";
import { createTarballReader, settleFilenames, type TarballClaim } from "./tarball.ts";
import { npm } from "./npm.ts";
import { documentOf, readAll } from "./test_support.ts";
import { samplePackage } from "./testing.ts";

const MIRROR = documentOf(
  await Deno.readTextFile(new URL("./fixtures/mirror.json", import.meta.url)),
  "http://registry.example/@acme%2fwidget",
);

function releaseOf(version: string) {
  const release = readAll("@acme/widget", MIRROR).facts.releases.find((each) => each.version === version);
  assert.ok(release !== undefined, version);
  return { ...release, artifact: release.artifacts[0]! };
}

function read(name: string, text: string) {
  return readAll(name, documentOf(text, `http://registry.example/${name}`));
}

Deno.test("read lists releases in version order, without those whose manifest is another's", () => {
  const { facts } = readAll("@acme/widget", MIRROR);
  assert.equal(facts.name, "@acme/widget");
  assert.deepEqual(facts.releases.map((release) => release.version), [
    "constructor",
    "2.0.0",
    "3.0.0-beta.1",
    "3.0.0-beta.2",
    "10.0.0",
  ]);
});

Deno.test("read takes dates from time: offsets and microseconds, absent and malformed ones", () => {
  const at = Date.UTC(2026, 3, 10, 1, 50, 8, 860);
  assert.deepEqual(releaseOf("2.0.0").artifact.publishedAt, {
    known: true,
    value: { at, clock: "registry" },
  });
  assert.deepEqual(releaseOf("10.0.0").artifact.publishedAt, { known: false, why: "malformed" });
  assert.deepEqual(releaseOf("3.0.0-beta.2").artifact.publishedAt, { known: false, why: "malformed" });
  assert.deepEqual(releaseOf("3.0.0-beta.1").artifact.publishedAt, { known: false, why: "absent" });
  assert.deepEqual(releaseOf("constructor").artifact.publishedAt, { known: false, why: "absent" });
});

Deno.test("read ranks trust: trusted publisher, provenance, none, and nothing said", () => {
  assert.deepEqual(releaseOf("3.0.0-beta.2").artifact.trust, { known: true, value: "trusted-publisher" });
  assert.deepEqual(releaseOf("3.0.0-beta.1").artifact.trust, { known: true, value: "provenance" });
  assert.deepEqual(releaseOf("2.0.0").artifact.trust, { known: false, why: "absent" });
  const staged = read(
    "x",
    JSON.stringify({
      name: "x",
      versions: {
        "1.0.0": { _npmUser: { name: "ann", approver: { name: "ann" } } },
        "1.0.1": { _npmUser: { name: "ann", trustedPubliser: {} } },
        "1.0.2": { _npmUser: { name: "ann", trustedPublisher: null }, dist: { attestations: { url: "x" } } },
      },
    }),
  );
  const trust = staged.facts.releases.map((release) => release.artifacts[0]!.trust);
  assert.deepEqual(trust.map((fact) => fact.known && fact.value), ["trusted-publisher", "none", "none"]);
});

Deno.test("read takes licence, deprecation, scripts and publisher in all their forms", () => {
  assert.deepEqual(releaseOf("2.0.0").licence, { known: true, value: "ISC" });
  assert.deepEqual(releaseOf("10.0.0").licence, { known: true, value: "MIT OR Apache-2.0" });
  assert.deepEqual(releaseOf("3.0.0-beta.1").licence, { known: false, why: "absent" });
  assert.deepEqual(releaseOf("10.0.0").deprecated, { known: true, value: "use 2" });
  assert.deepEqual(releaseOf("3.0.0-beta.2").deprecated, { known: true, value: false });
  assert.deepEqual(releaseOf("2.0.0").deprecated, { known: false, why: "absent" });
  const runs = ["2.0.0", "3.0.0-beta.2", "3.0.0-beta.1"].map((version) =>
    releaseOf(version).runsCodeOnInstall
  );
  assert.deepEqual(runs.map((fact) => fact.known && fact.value), [true, true, false]);
  assert.deepEqual(releaseOf("3.0.0-beta.1").publisher, { known: true, value: "bob" });
  assert.deepEqual(releaseOf("2.0.0").publisher, { known: false, why: "absent" });
});

Deno.test("read names files, and keeps a link only where it is not the usual place", () => {
  const located = (version: string) => {
    const { filename, url } = releaseOf(version).artifact;
    return [filename, url];
  };
  assert.deepEqual(located("2.0.0"), ["widget-2.0.0.tgz", null]);
  assert.deepEqual(
    located("3.0.0-beta.1"),
    ["widget-3.0.0-beta.1.tgz", null],
    "https for http is the same place",
  );
  assert.deepEqual(located("10.0.0"), [
    "widget-10.0.0.tgz",
    "https://files.example/download/@acme/widget/10.0.0/8f3a",
  ]);
  assert.deepEqual(located("3.0.0-beta.2"), [
    "widget-3.0.0-beta.2.tgz",
    "http://registry.example/@acme/widget/-/odd%20name.tgz",
  ]);
  assert.deepEqual(located("constructor"), ["widget.tgz", "http://registry.example/widget.tgz"]);
});

Deno.test("read takes links that a mirror left at npm's own registry for its own", () => {
  const tarball = `${npm.upstreams["registry"]}x/-/x-1.0.0.tgz`;
  const text = JSON.stringify({ name: "x", versions: { "1.0.0": { dist: { tarball } } } });
  const mirror = documentOf(text, "http://mirror.example/npm/x");
  const { filename, url } = readAll("x", mirror).facts.releases[0]!.artifacts[0]!;
  assert.deepEqual([filename, url], ["x-1.0.0.tgz", null]);
});

Deno.test("read never takes credentials, fragments or other schemes from a link", () => {
  const versions = {
    "1.0.0": { dist: { tarball: "https://user:secret@files.example/x-1.0.0.tgz#frag" } },
    "1.0.1": { dist: { tarball: "file:///etc/passwd" } },
    "1.0.2": { dist: { tarball: "https://files.example/..%2f..%2fx.tgz" } },
    "1.0.3": { dist: { tarball: 7 } },
    "1.0.4": {},
  };
  const { facts } = read("x", JSON.stringify({ name: "x", versions }));
  assert.deepEqual(facts.releases.map(({ artifacts: [artifact] }) => [artifact!.filename, artifact!.url]), [
    ["x-1.0.0.tgz", "https://files.example/x-1.0.0.tgz"],
    ["x-1.0.1.tgz", null],
    ["x-1.0.2.tgz", "https://files.example/..%2f..%2fx.tgz"],
    ["x-1.0.3.tgz", null],
    ["x-1.0.4.tgz", null],
  ]);
});

Deno.test("read gives different files different names, and one file one name", () => {
  const shasum = (digit: string) => digit.repeat(40);
  const at = (version: string, file: string, digit: string) => [
    version,
    { dist: { tarball: `http://registry.example/x/-/${file}`, shasum: shasum(digit) } },
  ];
  const versions = Object.fromEntries([
    at("1.0.0", "x-1.0.0.tgz", "a"),
    at("1.0.1", "x-1.0.0.tgz", "b"),
    at("2.0.0", "same.tgz", "c"),
    at("2.0.1", "same.tgz", "c"),
  ]);
  const { facts } = read("x", JSON.stringify({ name: "x", versions }));
  const files = facts.releases.map(({ artifacts: [artifact] }) => [artifact!.filename, artifact!.url]);
  assert.deepEqual(files, [
    ["x-1.0.0.tgz", null],
    ["x-1.0.1.tgz", "x/-/x-1.0.0.tgz"],
    ["same.tgz", null],
    ["same.tgz", null],
  ]);
  const location = npm.locate(
    { kind: "artifact", subject: { kind: "package", name: "x" }, filename: "x-1.0.1.tgz" },
    facts,
  );
  assert.equal(location?.url, "x/-/x-1.0.0.tgz");
  assert.deepEqual(location?.digests, [{ algorithm: "sha1", hex: shasum("b") }]);
});

Deno.test("locate finds the usual place below the root, and nothing that is not listed", () => {
  const { facts } = readAll("@acme/widget", MIRROR);
  const locate = (filename: string) =>
    npm.locate({ kind: "artifact", subject: { kind: "package", name: "@acme/widget" }, filename }, facts);
  assert.equal(locate("widget-2.0.0.tgz")?.url, "@acme/widget/-/widget-2.0.0.tgz");
  assert.deepEqual(locate("widget-2.0.0.tgz")?.digests, [{ algorithm: "sha1", hex: "a".repeat(40) }]);
  assert.equal(locate("widget-1.0.0.tgz"), null);
  assert.equal(locate("constructor"), null);
});

Deno.test("read prefers SHA-512, and adds the SHA-1 beside it", () => {
  const sample = samplePackage({ name: "x", versions: [{ version: "1.0.0" }] });
  const { facts } = readAll("x", documentOf(sample.json, "http://registry.example/x"));
  const digests = facts.releases[0]!.artifacts[0]!.digests;
  assert.deepEqual(digests.map((digest) => digest.algorithm), ["sha512", "sha1"]);
  assert.equal(digests[1]!.hex, sample.tarballs.get("1.0.0")!.shasum);
});

Deno.test("read refuses a document that is not this package's packument", async (t) => {
  const rows: [string, string, RegExp][] = [
    ["another name", '{"name":"y","versions":{}}', /packument "x": its name is "y"/],
    ["no name", '{"versions":{}}', /its name is null/],
    ["no versions", '{"name":"x"}', /packument "x": versions is missing/],
    ["versions a list", '{"name":"x","versions":[]}', /versions is no object/],
    ["a list", "[]", /it is no object/],
    ["cut off", '{"name":"x","versions":{"1.0.0":{', /packument "x"/],
    ["trailing bytes", '{"name":"x","versions":{}} <html>', /expected the end/],
    ["a version twice", '{"name":"x","versions":{"1.0.0":{},"1.0.0":{}}}', /"1.0.0" comes twice/],
    ["a date twice", '{"name":"x","versions":{},"time":{"1.0.0":"a","1.0.0":"b"}}', /comes twice/],
    ["escaped key", '{"name":"x","versions":{"1.0.0":{"di\\u0073t":{}}}}', /"dist" is written with escapes/],
    ["two dists", '{"name":"x","versions":{"1.0.0":{"dist":{},"dist":{}}}}', /"dist" comes twice/],
    [
      "two tarballs",
      '{"name":"x","versions":{"1.0.0":{"dist":{"tarball":"a","tarball":"b"}}}}',
      /comes twice/,
    ],
  ];
  for (const [what, text, message] of rows) {
    await t.step(what, () => {
      assert.throws(
        () => read("x", text),
        (error) => error instanceof SyntaxError && message.test(error.message),
      );
    });
  }
});

Deno.test("read takes a package that was unpublished whole as one without releases", () => {
  const { facts } = read(
    "x",
    '{"name":"x","time":{"unpublished":{"time":"2020-01-01T00:00:00Z","versions":["1.0.0"]}}}',
  );
  assert.deepEqual(facts.releases, []);
});

Deno.test("read pauses in a large packument", () => {
  const versions = Array.from(
    { length: 2_000 },
    (_, k) => ({ version: `1.${k}.0`, extra: { readme: "x".repeat(500) } }),
  );
  const text = JSON.stringify({
    name: "x",
    versions: Object.fromEntries(versions.map((v) => [v.version, v])),
  });
  const steps = [
    ...npm.read({ kind: "package", name: "x" }, [documentOf(text, "http://registry.example/x")]),
  ];
  assert.ok(steps.filter((step) => step === undefined).length >= 10);
  assert.equal(steps.at(-1)?.facts.releases.length, 2_000);
});

Deno.test("settleFilenames ends after a few rounds, with one name for each file", () => {
  const read = createTarballReader({ name: "x", documentUrl: "https://registry.example/x" });
  // Each release claims the name that the next one would get.
  const count = 20_000;
  const claims = Array.from({ length: count }, (_, i): TarballClaim => {
    const next = Math.min(Math.max(i + 1, 2), count - 1);
    return {
      version: `1.${i}.0`,
      tarball: read(`1.${i}.0`, `https://registry.example/x/-/x-1.${next}.0.tgz`),
      digests: [{ algorithm: "sha1", hex: String(i) }],
    };
  });
  const started = performance.now();
  assert.ok([...settleFilenames("x", claims)].length > 0, "and it pauses");
  assert.equal(new Set(claims.map(({ tarball }) => tarball.filename)).size, count);
  // With a round for each link of the chain it is most of a minute.
  assert.ok(performance.now() - started < 3_000);
});
