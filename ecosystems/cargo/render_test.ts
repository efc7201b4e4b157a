import assert from "node:assert/strict";
import fc from "fast-check";
import { documentOf, materialOf, readIndex, rendered } from "./test_support.ts";
import { sampleCrate } from "./testing.ts";

const CKSUM = "a3e378b66a060d48947b590737b30a1be76706c8dd7b8ba0f2fe3989c68a853f";

function renderIndex(indexFile: string, hidden: readonly string[]) {
  const reading = readIndex("matches", indexFile);
  const material = materialOf({ reading, documents: [documentOf("index", indexFile)], hidden });
  return rendered("ma/tc/matches", material)!;
}

Deno.test("render: of a withheld line only the value of yanked changes, byte for byte", () => {
  const before =
    `{"name": "matches", "vers": "1.0.0", "deps": [{"yanked": false}], "x\\u00e9": "\\"yanked\\":false",`;
  const after = `, "cksum": "${CKSUM}", "future": {"b": 1.0, "a": [1e400]}, "v": 7 }`;
  const kept = `{"name":"matches","vers":"2.0.0","cksum":"${CKSUM}","yanked":false}`;
  const text = `${before} "yanked" :  false${after}\n${kept}\n`;
  assert.equal(renderIndex(text, []).text, text);
  const { text: hidden, withheld } = renderIndex(text, ["1.0.0"]);
  assert.equal(hidden, `${before} "yanked" :  true${after}\n${kept}\n`);
  assert.equal(withheld, 1);
});

Deno.test("render: where yanked is missing it is put in; where it is true already nothing changes", () => {
  const missing = `{"name":"matches","vers":"1.0.0","cksum":"${CKSUM}"}\n`;
  assert.equal(renderIndex(missing, ["1.0.0"]).text, missing.replace("{", '{"yanked":true,'));
  const yanked = `{"name":"matches","vers":"1.0.0","cksum":"${CKSUM}","yanked":true}\n`;
  assert.equal(renderIndex(yanked, ["1.0.0"]).text, yanked);
  const nothing = `{"name":"matches","vers":"1.0.0","cksum":"${CKSUM}","yanked":null}\n`;
  assert.equal(renderIndex(nothing, ["1.0.0"]).text, nothing.replace("null", "true"));
});

Deno.test("render: with everything withheld every line is there, yanked", () => {
  const { indexFile } = sampleCrate({
    name: "matches",
    versions: ["1.0.0", "1.1.0"].map((version) => ({ version })),
  });
  const { status, text, withheld } = renderIndex(indexFile, ["1.0.0", "1.1.0"]);
  assert.equal(status, 200);
  assert.equal(text, indexFile.replaceAll('"yanked":false', '"yanked":true'));
  assert.equal(withheld, 2);
});

Deno.test("render: whatever is withheld, no other line changes and none is lost", () => {
  const release = fc.record({
    yanked: fc.boolean(),
    hidden: fc.boolean(),
    extra: fc.dictionary(fc.constantFrom("a", "é", "yanked_", "Yanked"), fc.jsonValue()),
  });
  fc.assert(
    fc.property(fc.array(release, { minLength: 1, maxLength: 8 }), (releases) => {
      const versions = releases.map((given, index) => ({ ...given, version: `1.${index}.0` }));
      const { indexFile } = sampleCrate({ name: "matches", versions });
      const hidden = versions.filter((given) => given.hidden).map(({ version }) => version);
      const lines = renderIndex(indexFile, hidden).text.split("\n").slice(0, -1);
      const wanted = indexFile.split("\n").slice(0, -1).map((line, index) =>
        versions[index]!.hidden ? { ...JSON.parse(line), yanked: true } : JSON.parse(line)
      );
      assert.deepEqual(lines.map((line) => JSON.parse(line)), wanted);
    }),
    { numRuns: 200 },
  );
});

const CRATE = sampleCrate({
  name: "Matches",
  versions: [
    { version: "1.0.0", date: "2020-01-01T00:00:00.000Z" },
    { version: "1.1.0", yanked: true },
    { version: "1.2.0" },
    { version: "2.0.0-beta.1" },
  ],
});

function page(path: string, answer: unknown, hidden: readonly string[]) {
  const reading = readIndex("matches", CRATE.indexFile);
  const documents = [documentOf("page", answer === null ? null : JSON.stringify(answer))];
  const material = materialOf({ reading, documents, hidden });
  const answered = rendered(path, material);
  return answered === null ? null : JSON.parse(answered.text);
}

Deno.test("crate page: what is withheld is in no list and no field; the greatest that is offered takes its place", () => {
  const { crate, versions } = page("api/v1/crates/Matches", CRATE.page, ["1.2.0"]);
  const numbers = versions.map(({ num }: { readonly num: string }) => num);
  assert.deepEqual(numbers, ["2.0.0-beta.1", "1.1.0", "1.0.0"]);
  assert.deepEqual(crate.versions, [1003, 1001, 1000]);
  assert.equal(crate.max_stable_version, "1.0.0");
  assert.equal(crate.max_version, "2.0.0-beta.1");
  assert.equal(crate.default_version, "1.0.0");
  assert.equal(crate.description, "The crate Matches");
  assert.equal(versions[2].dl_path, "/cargo/api/v1/crates/matches/1.0.0/download");
});

Deno.test("crate page: with everything withheld no version is named", () => {
  const all = ["1.0.0", "1.1.0", "1.2.0", "2.0.0-beta.1"];
  const answer = page("api/v1/crates/matches", CRATE.page, all);
  assert.deepEqual(answer.versions, []);
  assert.equal(answer.crate.max_version, "*");
  assert.equal(answer.crate.max_stable_version, null);
  assert.ok(!all.some((version) => JSON.stringify(answer).includes(version)));
});

Deno.test("versions page: what the index does not list is not shown, nor what is another crate's", () => {
  const versions = [
    ...CRATE.page.versions,
    { crate: "Matches", num: "9.9.9" },
    { crate: "other", num: "1.0.0" },
    { num: 1 },
    null,
  ];
  const answer = page("api/v1/crates/matches/versions", { versions }, ["1.1.0"]);
  const numbers = answer.versions.map(({ num }: { readonly num: string }) => num);
  assert.deepEqual(numbers, ["2.0.0-beta.1", "1.2.0", "1.0.0"]);
  assert.deepEqual(answer.meta, { total: 3, next_page: null });
});

Deno.test("version page: of that version only, and none where upstream's API has none", () => {
  assert.equal(page("api/v1/crates/matches/1.2.0", CRATE.page, []).version.num, "1.2.0");
  assert.equal(page("api/v1/crates/matches/9.9.9", CRATE.page, []), null);
  assert.equal(page("api/v1/crates/matches/1.2.0", CRATE.page, ["1.2.0"]), null);
  assert.equal(page("api/v1/crates/matches/1.2.0", null, []), null);
  assert.throws(() => page("api/v1/crates/matches/1.2.0", [], []), SyntaxError);
});

function search(entries: readonly unknown[], hidden: readonly string[]) {
  const reading = readIndex("matches", CRATE.indexFile);
  const documents = [documentOf("search", JSON.stringify({ crates: entries, meta: { total: 1 } }))];
  const answered = rendered(
    "api/v1/crates?q=x",
    materialOf({ reading, documents, hidden, isCatalogue: true }),
  )!;
  return { ...JSON.parse(answered.text), withheld: answered.withheld };
}

Deno.test("search: a known crate shows the newest that is offered and not above upstream's, an unknown one none", () => {
  const entry = {
    id: "Matches",
    name: "Matches",
    max_version: "1.2.0",
    newest_version: "1.2.0",
    description: "d",
  };
  const unknown = { ...entry, id: "other", name: "other" };
  const shown = search([entry, unknown], []);
  assert.deepEqual(
    shown.crates.map(({ max_version }: { readonly max_version: string }) => max_version),
    ["1.2.0", "*"],
  );
  assert.equal(shown.withheld, 0);
  assert.deepEqual(search([entry], ["1.2.0"]).crates, [{
    ...entry,
    max_version: "1.0.0",
    newest_version: "1.0.0",
  }]);
  assert.equal(search([entry], ["1.2.0"]).withheld, 1);
  assert.equal(search([entry], ["1.2.0", "1.0.0"]).crates[0].max_version, "*");
});

Deno.test("search: entries without a usable name are left out; an answer without crates is none", () => {
  assert.deepEqual(search([null, 1, { name: "a/b" }, { name: "__proto__" }], []).crates.length, 1);
  const documents = [documentOf("search", "{}")];
  const reading = readIndex("matches", CRATE.indexFile);
  const material = materialOf({ reading, documents, isCatalogue: true });
  assert.throws(() => rendered("api/v1/crates?q=x", material), SyntaxError);
});
