import assert from "node:assert/strict";
import { documentOf, readIndex } from "./test_support.ts";

const CKSUM = "a3e378b66a060d48947b590737b30a1be76706c8dd7b8ba0f2fe3989c68a853f";

function line(members: Readonly<Record<string, unknown>>): string {
  const usual = { name: "matches", vers: "1.0.0", deps: [], cksum: CKSUM, features: {}, yanked: false };
  return `${JSON.stringify({ ...usual, ...members })}\n`;
}

function versionsOf(indexFile: string): readonly string[] {
  return readIndex("matches", indexFile).facts.releases.map(({ version }) => version);
}

Deno.test("readIndexFile: date, checksum, yank and links of a line are facts; what the index cannot say is unsupported", () => {
  const text = line({ yanked: true, links: "git2", pubtime: "2021-08-12T18:08:14Z" });
  const { facts } = readIndex("matches", text);
  const unsupported = { known: false, why: "unsupported" };
  assert.deepEqual(facts, {
    purlType: "cargo",
    name: "matches",
    releases: [{
      version: "1.0.0",
      artifacts: [{
        filename: "matches-1.0.0.crate",
        digests: [{ algorithm: "sha256", hex: CKSUM }],
        sizeBytes: null,
        publishedAt: {
          known: true,
          value: { at: Date.parse("2021-08-12T18:08:14Z"), clock: "registry" },
        },
        yanked: { known: true, value: true },
        trust: unsupported,
        url: "http://files.example/crates/matches/1.0.0/download",
      }],
      deprecated: unsupported,
      licence: unsupported,
      runsCodeOnInstall: { known: true, value: true },
      publisher: unsupported,
    }],
  });
});

Deno.test("readIndexFile: a missing date, yank or links is absent; a date that is none is malformed", () => {
  const [release] = readIndex("matches", line({ yanked: undefined, links: null })).facts.releases;
  const absent = { known: false, why: "absent" };
  assert.deepEqual(release?.artifacts[0]?.publishedAt, absent);
  assert.deepEqual(release?.artifacts[0]?.yanked, absent);
  assert.deepEqual(release?.runsCodeOnInstall, absent);
  const [odd] = readIndex("matches", line({ pubtime: "yesterday" })).facts.releases;
  assert.deepEqual(odd?.artifacts[0]?.publishedAt, { known: false, why: "malformed" });
});

Deno.test("readIndexFile: releases stand in version order, whatever the order of lines, line ends and blank lines", () => {
  const text = ["1.10.0", "1.2.0", "1.2.0-rc.1", "0.9.0", "1.0.0+b"].map((vers) => line({ vers })).join(
    "\r\n \n",
  );
  assert.deepEqual(versionsOf(text.trimEnd()), ["0.9.0", "1.0.0+b", "1.2.0-rc.1", "1.2.0", "1.10.0"]);
  for (const nothing of ["", "\n", " \r\n"]) assert.throws(() => versionsOf(nothing), /: it has no line$/);
});

Deno.test("readIndexFile: a crate is one whatever its case; its file is asked for in its own", () => {
  const text = line({ name: "Matches" });
  const [release] = readIndex("matches", text).facts.releases;
  assert.equal(release?.artifacts[0]?.filename, "matches-1.0.0.crate");
  assert.equal(release?.artifacts[0]?.url, "http://files.example/crates/Matches/1.0.0/download");
});

Deno.test("readIndexFile: a line of an unknown format is read like any other", () => {
  const text = line({ v: 99, future: { yanked: true, yanked_: [1e999] } });
  const [release] = readIndex("matches", text).facts.releases;
  assert.deepEqual(release?.artifacts[0]?.yanked, { known: true, value: false });
});

Deno.test("readIndexFile: a line that Cargo could not use either is left out", () => {
  const unusable = [
    { cksum: undefined },
    { cksum: "abc" },
    { cksum: 1 },
    { yanked: "true" },
    { yanked: 1 },
    { vers: "../1.0.0" },
    { vers: "" },
  ];
  for (const members of unusable) {
    const text = line({ vers: "0.1.0" }) + line(members);
    assert.deepEqual(versionsOf(text), ["0.1.0"], JSON.stringify(members));
  }
});

Deno.test("readIndexFile: what two readers might read in two ways is no index file", () => {
  const plain = line({}).trimEnd();
  const table: readonly (readonly [string, string])[] = [
    ["another crate's line", line({ name: "other" })],
    ["- is not _", line({ name: "matches_" })],
    ["a name with a path in it", line({ name: "matches/../x" })],
    ["no name", line({ name: undefined })],
    ["no version", line({ vers: undefined })],
    ["a version twice", line({}) + line({ yanked: true })],
    ["yanked twice", plain.replace('"yanked":false', '"yanked":true,"yanked":false')],
    ["yanked in disguise", plain.replace('"yanked"', '"yank\\u0065d"')],
    ["vers twice", plain.replace('"vers"', '"vers":"9.9.9","vers"')],
    ["vers in disguise", plain.replace('"vers"', '"v\\u0065rs":"9.9.9","vers"')],
    ["cksum in disguise", plain.replace('"cksum"', '"c\\u006bsum"')],
    ["an array", "[]\n"],
    ["two objects on a line", plain + plain],
    ["a cut line", plain.slice(0, -5)],
    ["HTML", "<html>\n"],
  ];
  for (const [what, text] of table) {
    assert.throws(() => readIndex("matches", text), SyntaxError, what);
  }
});

Deno.test("read: without config.json, or without dl in it, no file can be found: that is no reading", () => {
  const configs = [
    null,
    "[]",
    "{}",
    '{"dl":1}',
    '{"dl":"/crates"}',
    '{"dl":"ftp://x/"}',
    '{"dl":"http://u:p@x/"}',
  ];
  for (const config of configs) {
    const read = () => readIndex("matches", line({}), documentOf("config", config));
    assert.throws(read, SyntaxError, String(config));
  }
});

Deno.test("downloadUrl: every marker is filled in, and without one the usual path is appended", () => {
  const table = [
    ["http://x/crates", `http://x/crates/Matches/1.0.0+b/download`],
    ["http://x/{prefix}/{crate}-{version}.crate", "http://x/Ma/tc/Matches-1.0.0+b.crate"],
    ["http://x/{lowerprefix}/{crate}/{version}", "http://x/ma/tc/Matches/1.0.0+b"],
    ["http://x/{sha256-checksum}", `http://x/${CKSUM}`],
    ["http://x/{crate}?{crate}", "http://x/Matches?Matches"],
    ["http://x/{unknown}", "http://x/{unknown}/Matches/1.0.0+b/download"],
  ] as const;
  for (const [dl, wanted] of table) {
    const config = documentOf("config", JSON.stringify({ dl }));
    const { facts } = readIndex("matches", line({ name: "Matches", vers: "1.0.0+b" }), config);
    assert.equal(facts.releases[0]?.artifacts[0]?.url, wanted, dl);
  }
});
