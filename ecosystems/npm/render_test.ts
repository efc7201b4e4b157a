import assert from "node:assert/strict";
import fc from "fast-check";
import { npm } from "./npm.ts";
import { documentOf, indexAsk, LINKS, materialOf, readAll, textOf } from "./test_support.ts";
import { samplePackage } from "./testing.ts";
import type { Links, VersionAsk } from "../ecosystem.ts";

const MIRROR = documentOf(
  await Deno.readTextFile(new URL("./fixtures/mirror.json", import.meta.url)),
  "http://registry.example/@acme%2fwidget",
);

interface Shown {
  readonly json: Record<string, never> & Record<string, unknown>;
  readonly headers: Readonly<Record<string, string>>;
  readonly withheld: number;
}

function show(
  name: string,
  text: string | Uint8Array,
  options: { readonly variant?: string; readonly hidden?: readonly string[]; readonly links?: Links } = {},
): Shown {
  const document = documentOf(text, `http://registry.example/${name}`);
  const material = materialOf(document, readAll(name, document), options.hidden);
  const rendered = npm.render(indexAsk(name, options.variant ?? "full"), material, options.links ?? LINKS);
  assert.ok(rendered !== null);
  return {
    json: JSON.parse(textOf(rendered.body)),
    headers: rendered.headers,
    withheld: rendered.withheld(),
  };
}

// deno-lint-ignore no-explicit-any
type Loose = any;

Deno.test("render full keeps what it does not know, and leaves out what is not a release's own", () => {
  const { json } = show("@acme/widget", MIRROR.body) as { json: Loose };
  const raw = JSON.parse(new TextDecoder().decode(MIRROR.body));
  assert.deepEqual(json.unknown, raw.unknown);
  assert.equal(json.stagedVersions, undefined);
  assert.deepEqual(Object.keys(json.versions), [
    "2.0.0",
    "10.0.0",
    "3.0.0-beta.2",
    "3.0.0-beta.1",
    "constructor",
  ]);
  assert.deepEqual(Object.keys(json.time), [
    "created",
    "modified",
    "2.0.0",
    "10.0.0",
    "3.0.0-beta.2",
    "0.1.0",
  ]);
  assert.deepEqual(json["dist-tags"], { latest: "2.0.0", next: "3.0.0-beta.2" });
  assert.equal(json.policyRestrictions, undefined);
});

Deno.test("render points every tarball here, and no attestation", () => {
  for (const variant of ["full", "abbreviated"]) {
    const { json } = show("@acme/widget", MIRROR.body, { variant }) as { json: Loose };
    const tarballs = Object.values<Loose>(json.versions).map((manifest) => manifest.dist.tarball);
    const base = "http://127.0.0.1:8080/npm/@acme/widget/-/";
    assert.deepEqual(tarballs, [
      `${base}widget-2.0.0.tgz`,
      `${base}widget-10.0.0.tgz`,
      `${base}widget-3.0.0-beta.2.tgz`,
      `${base}widget-3.0.0-beta.1.tgz`,
      `${base}widget.tgz`,
    ]);
    assert.match(json.versions["3.0.0-beta.1"].dist.attestations.url, /^http:\/\/registry\.example\//);
  }
});

Deno.test("render leaves links as they are where artifacts come from upstream", () => {
  const links = { ...LINKS, artifacts: "upstream" } as const;
  const { json } = show("@acme/widget", MIRROR.body, { links }) as { json: Loose };
  assert.equal(
    json.versions["10.0.0"].dist.tarball,
    "https://files.example/download/@acme/widget/10.0.0/8f3a",
  );
});

Deno.test("render abbreviated has npm's fields, time, modified and the computed hasInstallScript", () => {
  const { json, headers } = show("@acme/widget", MIRROR.body, {
    variant: "abbreviated",
    hidden: ["10.0.0"],
  }) as {
    json: Loose;
    headers: Record<string, string>;
  };
  assert.equal(headers["vary"], "accept");
  assert.deepEqual(Object.keys(json), [
    "name",
    "dist-tags",
    "versions",
    "time",
    "modified",
    "policyRestrictions",
  ]);
  assert.equal(json.modified, "2026-04-10T01:50:08.860000+00:00");
  assert.equal(json.time["10.0.0"], undefined);
  assert.equal(json.time["2.0.0"], "2026-04-10T03:50:08.860000+02:00");
  assert.deepEqual(Object.keys(json.versions["2.0.0"]), ["name", "version", "dist", "hasInstallScript"]);
  assert.equal(json.versions["2.0.0"].hasInstallScript, true);
  assert.equal(json.versions["3.0.0-beta.2"].hasInstallScript, true);
  assert.equal("hasInstallScript" in json.versions["3.0.0-beta.1"], false);
});

Deno.test("render withholds, says so, and repairs the tags", () => {
  const versions = ["1.0.0", "1.1.0", "2.0.0", "2.1.0-beta.1", "2.1.0-beta.2"].map((version) => ({
    version,
  }));
  const sample = samplePackage({
    name: "x",
    versions,
    tags: { latest: "2.0.0", beta: "2.1.0-beta.2", old: "1.1.0" },
  });
  for (const variant of ["full", "abbreviated"]) {
    const hidden = ["2.0.0", "2.1.0-beta.2"];
    const { json, headers, withheld } = show("x", sample.json, { variant, hidden }) as Shown & {
      json: Loose;
    };
    assert.deepEqual(Object.keys(json.versions), ["1.0.0", "1.1.0", "2.1.0-beta.1"]);
    assert.deepEqual(json["dist-tags"], { latest: "1.1.0", beta: "2.1.0-beta.1", old: "1.1.0" });
    assert.equal(withheld, 2);
    assert.deepEqual(json.policyRestrictions, {
      message: "withheld: 2.1.0-beta.2 2.0.0",
      versions: {
        "2.1.0-beta.2": { name: "x", version: "2.1.0-beta.2" },
        "2.0.0": { name: "x", version: "2.0.0" },
      },
    });
    assert.equal(headers["npm-notice"], "withheld: 2.0.0");
  }
});

Deno.test("render gives npm-notice only where latest moved or nothing is left", () => {
  const sample = samplePackage({
    name: "x",
    versions: ["1.0.0", "1.1.0", "2.0.0"].map((version) => ({ version })),
  });
  const notice = (...hidden: string[]) => show("x", sample.json, { hidden }).headers["npm-notice"];
  assert.equal(notice(), undefined);
  assert.equal(notice("1.1.0"), undefined);
  assert.equal(notice("2.0.0", "1.0.0"), "withheld: 2.0.0");
  assert.equal(notice("1.0.0", "1.1.0", "2.0.0"), "withheld: 2.0.0 1.1.0 1.0.0");
  // npm prints no notice of an answer that it caches.
  assert.equal(show("x", sample.json, { hidden: ["2.0.0"] }).headers["cache-control"], "no-store");
  assert.equal(show("x", sample.json, { hidden: ["1.1.0"] }).headers["cache-control"], undefined);
});

Deno.test("render names at most 200 of the withheld, the newest", () => {
  const versions = Array.from({ length: 300 }, (_, k) => `1.${k}.0`);
  const text = JSON.stringify({
    name: "x",
    versions: Object.fromEntries(versions.map((v) => [v, { version: v }])),
  });
  const { json, withheld } = show("x", text, { hidden: versions }) as Shown & { json: Loose };
  const named = Object.keys(json.policyRestrictions.versions);
  assert.deepEqual([named.length, named[0], named.at(-1), withheld], [200, "1.299.0", "1.100.0", 300]);
  assert.deepEqual(json.versions, {});
});

Deno.test("render offers nothing where there are no decisions", () => {
  const sample = samplePackage({ name: "x", versions: [{ version: "1.0.0" }] });
  const document = documentOf(sample.json, "http://registry.example/x");
  const material = { ...materialOf(document, readAll("x", document)), decisions: () => null };
  const rendered = npm.render(indexAsk("x", "full"), material, LINKS);
  assert.deepEqual(JSON.parse(textOf(rendered!.body)).versions, {});
});

Deno.test("render one version or tag, among what is offered", () => {
  const sample = samplePackage({
    name: "@acme/x",
    versions: ["1.0.0", "2.0.0"].map((version) => ({ version })),
  });
  const document = documentOf(sample.json, "http://registry.example/@acme%2fx");
  const material = materialOf(document, readAll("@acme/x", document), ["2.0.0"]);
  const manifest = (version: string) => {
    const ask: VersionAsk = {
      kind: "version",
      subject: { kind: "package", name: "@acme/x" },
      version,
      variant: "manifest",
    };
    const rendered = npm.render(ask, material, LINKS);
    return rendered === null ? null : JSON.parse(textOf(rendered.body));
  };
  assert.equal(manifest("1.0.0").dist.tarball, "http://127.0.0.1:8080/npm/@acme/x/-/x-1.0.0.tgz");
  assert.deepEqual(manifest("latest"), manifest("1.0.0"));
  for (const version of ["2.0.0", "3.0.0", "beta", "constructor", "__proto__"]) {
    assert.equal(manifest(version), null);
  }
});

Deno.test("render dist-tags shows the repaired tags", () => {
  const sample = samplePackage({ name: "x", versions: ["1.0.0", "2.0.0"].map((version) => ({ version })) });
  assert.deepEqual(show("x", sample.json, { variant: "dist-tags", hidden: ["2.0.0"] }).json, {
    latest: "1.0.0",
  });
});

Deno.test("render yields pieces of at most 256 kB", () => {
  const versions = Array.from(
    { length: 300 },
    (_, k) => ({ version: `1.${k}.0`, extra: { readme: "é".repeat(2_000) } }),
  );
  const sample = samplePackage({ name: "x", versions });
  const document = documentOf(sample.json, "http://registry.example/x");
  const rendered = npm.render(indexAsk("x", "full"), materialOf(document, readAll("x", document)), LINKS);
  const sizes = [...rendered!.body].map((piece) => piece.length);
  assert.ok(sizes.length > 4 && sizes.every((size) => size <= 256 * 1024));
});

const hostileKey = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 5 }).filter((key) => !key.includes("\\")),
  fc.constantFrom("__proto__", "constructor", "readme", "é", "\ud83d\ude00"),
);
const unknown = fc.dictionary(hostileKey, fc.jsonValue({ maxDepth: 2 }), {
  maxKeys: 3,
  noNullPrototype: true,
});
const version = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.constantFrom("", "-beta.1", "-beta.2", "+b"))
  .map(
    ([major, minor, patch, end]) => `${major}.${minor}.${patch}${end}`,
  );
const packument = fc.record({
  versions: fc.uniqueArray(version, { maxLength: 8 }),
  rest: unknown,
  manifest: unknown,
  dist: unknown,
  order: fc.boolean(),
  indent: fc.constantFrom("", " ", "\t", "\n \r"),
  tags: fc.dictionary(hostileKey, version, { maxKeys: 4, noNullPrototype: true }),
  hidden: fc.array(fc.nat(7), { maxLength: 8 }),
});

/** Known members come last and so are not overwritten. */
function compose(parts: typeof packument extends fc.Arbitrary<infer T> ? T : never) {
  const reserved = [
    "name",
    "version",
    "versions",
    "time",
    "dist-tags",
    "dist",
    "tarball",
    "policyRestrictions",
  ];
  const clean = (members: Record<string, unknown>) =>
    Object.entries(members).filter(([key]) => !reserved.includes(key));
  const versions = parts.versions.map((v) => [
    v,
    Object.fromEntries([
      ...clean(parts.manifest),
      [
        "dist",
        Object.fromEntries([...clean(parts.dist), ["tarball", `http://registry.example/x/-/x-${v}.tgz`]]),
      ],
      ["version", v],
      ["name", "x"],
    ]),
  ]);
  const members: [string, unknown][] = [
    ["name", "x"],
    ["versions", Object.fromEntries(versions)],
    ...clean(parts.rest),
    ["dist-tags", parts.tags],
    [
      "time",
      Object.fromEntries([["created", "x"], ...parts.versions.map((v) => [v, "2020-01-01T00:00:00Z"])]),
    ],
  ];
  return Object.fromEntries(parts.order ? members : members.reverse());
}

Deno.test("render full by slices is the same as parse, delete, stringify", () => {
  fc.assert(
    fc.property(packument, (parts) => {
      const text = JSON.stringify(compose(parts), null, parts.indent);
      const hidden = parts.hidden.flatMap((index) => parts.versions[index] ?? []);
      const { json } = show("x", text, { hidden }) as { json: Loose };

      const expected = JSON.parse(text);
      for (const each of hidden) {
        delete expected.versions[each];
        delete expected.time[each];
      }
      for (const each of Object.keys(expected.versions)) {
        expected.versions[each].dist.tarball = `http://127.0.0.1:8080/npm/x/-/x-${each}.tgz`;
      }
      for (const [tag, target] of Object.entries(json["dist-tags"])) {
        assert.ok(Object.hasOwn(parts.tags, tag) && Object.hasOwn(expected.versions, target as string));
      }
      for (const [tag, target] of Object.entries(parts.tags)) {
        if (Object.hasOwn(expected.versions, target)) assert.equal(json["dist-tags"][tag], target);
      }
      expected["dist-tags"] = json["dist-tags"];
      assert.equal("policyRestrictions" in json, hidden.length > 0);
      delete json.policyRestrictions;
      assert.deepEqual(json, expected);
    }),
    { numRuns: 400 },
  );
});

Deno.test("render abbreviated never disagrees with full", () => {
  fc.assert(
    fc.property(packument, (parts) => {
      const text = JSON.stringify(compose(parts), null, parts.indent);
      const hidden = parts.hidden.flatMap((index) => parts.versions[index] ?? []);
      const { json: full } = show("x", text, { hidden }) as { json: Loose };
      const { json: abbreviated } = show("x", text, { hidden, variant: "abbreviated" }) as { json: Loose };
      for (const key of ["name", "dist-tags", "time", "policyRestrictions"]) {
        assert.deepEqual(abbreviated[key], full[key]);
      }
      assert.deepEqual(Object.keys(abbreviated.versions), Object.keys(full.versions));
      for (const [key, manifest] of Object.entries<Loose>(abbreviated.versions)) {
        for (const [field, value] of Object.entries(manifest)) {
          assert.deepEqual(value, full.versions[key][field]);
        }
      }
    }),
    { numRuns: 200 },
  );
});
