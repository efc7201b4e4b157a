import assert from "node:assert/strict";
import fc from "fast-check";
import { createByteWriter } from "./byte_writer.ts";
import { formatIntegrity, hexDigest, parseIntegrity } from "./digests.ts";
import { formatPurl, parsePurl } from "./purl.ts";
import { createSemverScheme, prereleaseId } from "./semver_scheme.ts";
import { parseInstant, publishedFact } from "./time.ts";

Deno.test("hexDigest takes any case, and only the algorithm's length", () => {
  assert.deepEqual(hexDigest("sha1", "AB".repeat(20)), { algorithm: "sha1", hex: "ab".repeat(20) });
  assert.equal(hexDigest("sha1", "ab".repeat(19)), null);
  assert.equal(hexDigest("sha256", "zz".repeat(32)), null);
});

Deno.test("parseIntegrity reads what formatIntegrity writes, and leaves out what it cannot read", () => {
  const digest = hexDigest("sha512", "0f".repeat(64))!;
  assert.deepEqual(parseIntegrity(formatIntegrity(digest)), [digest]);
  const mixed = `md5-abcd sha512-short ${formatIntegrity(digest)}?option sha1-${btoa("x".repeat(20))}`;
  assert.deepEqual(parseIntegrity(mixed).map((each) => each.algorithm), ["sha512", "sha1"]);
  for (const text of ["sha512-!!!", "sha512-", "", "sha1-" + "A".repeat(28), "sha1-" + "A".repeat(27)]) {
    assert.deepEqual(parseIntegrity(text), [], text);
  }
});

Deno.test("formatPurl keeps the registry's name, and parsePurl gives it back", () => {
  for (const name of ["left-pad", "JSONStream", "@acme/Foo", "constructor"]) {
    const purl = formatPurl({ type: "npm", name, version: "1.0.0-rc.1" });
    assert.deepEqual(parsePurl(purl), { type: "npm", name, version: "1.0.0-rc.1" });
  }
  assert.equal(formatPurl({ type: "npm", name: "@acme/foo", version: null }), "pkg:npm/%40acme/foo");
  assert.equal(parsePurl("npm/left-pad"), null);
  assert.equal(parsePurl("pkg:npm"), null);
});

Deno.test("parseInstant reads offsets and decimals", () => {
  const at = Date.UTC(2026, 3, 10, 1, 50, 8, 860);
  for (
    const text of [
      "2026-04-10T01:50:08.860Z",
      "2026-04-10T01:50:08.860000+00:00",
      "2026-04-10T03:50:08.860+02:00",
      "2026-04-09T20:20:08.86-0530",
      "2026-04-10 01:50:08,860123456z",
    ]
  ) assert.equal(parseInstant(text), at, text);
});

Deno.test("parseInstant refuses what is no instant", () => {
  for (
    const text of [
      "",
      "2026-04-10",
      "2026-02-30T00:00:00Z",
      "2026-01-01T24:00:00Z",
      "0050-01-01T00:00:00Z",
      "yesterday",
      "1775785808860",
    ]
  ) {
    assert.equal(parseInstant(text), null, text);
  }
});

Deno.test("publishedFact tells absent from malformed", () => {
  assert.deepEqual(publishedFact(undefined, "registry"), { known: false, why: "absent" });
  assert.deepEqual(publishedFact("soon", "registry"), { known: false, why: "malformed" });
  assert.deepEqual(publishedFact("1970-01-01T00:00:01Z", "publisher"), {
    known: true,
    value: { at: 1_000, clock: "publisher" },
  });
});

const scheme = createSemverScheme();

Deno.test("createSemverScheme orders as semver does, and what it cannot read below", () => {
  const versions = [
    "zzz",
    "1.0",
    "0.9.0",
    "1.0.0-alpha.2",
    "1.0.0-alpha.10",
    "1.0.0-beta",
    "1.0.0",
    "1.0.1",
    "2.0.0-0",
  ];
  const sorted = [...versions].reverse().sort(scheme.compare);
  assert.deepEqual(sorted, ["1.0", "zzz", ...versions.slice(2)]);
  assert.equal(scheme.compare("1.0.0+a", "v1.0.0+b"), 0);
  assert.ok(
    scheme.isPrerelease("1.0.0-rc.1") && !scheme.isPrerelease("1.0.0") && !scheme.isPrerelease("zzz"),
  );
  assert.deepEqual(["3.1.4", "0.3.9", "0.0.7", "zzz"].map(scheme.line), ["3", "0", "0", "zzz"]);
  assert.equal(prereleaseId("2.0.0-beta.3"), "beta");
  assert.equal(prereleaseId("2.0.0-3"), null);
});

Deno.test("createSemverScheme's order is total over all strings", () => {
  const number = fc.nat(3);
  const semantic = fc.tuple(number, number, number, fc.constantFrom("", "-a", "-a.1", "-1", "+b", "-a+b"))
    .map(
      ([a, b, c, end]) => `${a}.${b}.${c}${end}`,
    );
  const version = fc.oneof(semantic, fc.string({ maxLength: 8 }));
  fc.assert(fc.property(version, version, version, (a, b, c) => {
    assert.equal(scheme.compare(a, a), 0);
    assert.equal(Math.sign(scheme.compare(a, b)), 0 - Math.sign(scheme.compare(b, a)));
    if (scheme.compare(a, b) <= 0 && scheme.compare(b, c) <= 0) assert.ok(scheme.compare(a, c) <= 0);
  }));
});

Deno.test("createByteWriter joins to what was written, in pieces of at most 256 kB", () => {
  const writer = createByteWriter();
  const source = new TextEncoder().encode("0123456789".repeat(60_000));
  writer.text("é");
  writer.bytes(source, 5, source.length);
  writer.text("ü".repeat(200_000));
  const pieces: Uint8Array[] = writer.pieces().map((piece) => piece.slice());
  writer.text("ü".repeat(200_000));
  pieces.push(...writer.pieces().map((piece) => piece.slice()), ...writer.end());
  assert.ok(pieces.length > 3 && pieces.every((piece) => piece.length > 0 && piece.length <= 256 * 1024));
  const joined = new TextDecoder().decode(Uint8Array.from(pieces.flatMap((piece) => [...piece])));
  assert.equal(joined, "é" + "0123456789".repeat(60_000).slice(5) + "ü".repeat(400_000));
});
