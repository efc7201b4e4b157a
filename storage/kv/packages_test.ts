import assert from "node:assert/strict";
import type { BlobKey } from "../artifacts/store.ts";
import type { EpochMs, PackageFacts } from "../../policy/types.ts";
import { encodeFacts, factsDigest } from "./facts_codec.ts";
import { keys } from "./keys.ts";
import { createFiles, createPackages, type PackageKey, type PackageRecord } from "./packages.ts";
import { withMemoryKv, withTwoKvs } from "./test_support.ts";

const key: PackageKey = {
  ecosystem: "npm",
  upstreamId: "registry-1",
  scope: "public",
  subject: "package",
  name: "left-pad",
};
const absent = { known: false, why: "absent" } as const;

function factsOf(files: readonly string[], filler = ""): PackageFacts {
  return {
    purlType: "npm",
    name: "left-pad",
    releases: files.map((filename) => ({
      version: filename,
      artifacts: [{
        filename,
        digests: [{ algorithm: "sha512", hex: factsDigest([new TextEncoder().encode(filler + filename)]) }],
        sizeBytes: 1,
        publishedAt: absent,
        yanked: absent,
        trust: absent,
        url: null,
      }],
      deprecated: absent,
      licence: absent,
      runsCodeOnInstall: absent,
      publisher: absent,
    })),
  };
}

function next(
  files: readonly string[],
  options: { at?: number; blob?: string; layout?: unknown; filler?: string } = {},
) {
  const { at = 1_000, blob = "a", layout = { blob }, filler } = options;
  const facts = factsOf(files, filler);
  const record: PackageRecord = {
    v: 1,
    absent: false,
    documents: [{
      key: "packument",
      url: "https://registry.example/left-pad",
      status: 200,
      contentType: "application/json",
      blob: `sha256/aa/${blob}` as BlobKey,
      sizeBytes: 1,
      etag: '"1"',
      lastModified: null,
      fetchedAt: at as EpochMs,
    }],
    factsDigest: factsDigest(encodeFacts(facts)),
    checkedAt: at as EpochMs,
  };
  return { record, facts, layout };
}

const ABSENT: PackageRecord = { v: 1, absent: true, documents: [], factsDigest: "", checkedAt: 5 as EpochMs };
const many = (n: number) => Array.from({ length: n }, (_, i) => `left-pad-1.0.${i}.tgz`);

async function partsOf(kv: Deno.Kv): Promise<number> {
  return (await Array.fromAsync(kv.list({ prefix: ["parts"] }))).length;
}

Deno.test("commit keeps record, facts and layout; get, facts and layout give them back", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    assert.equal(await packages.get(key), null);
    const one = next(["a.tgz"]);
    assert.ok(await packages.commit(key, one, null));
    const found = await packages.get(key);
    assert.deepEqual(found?.record, one.record);
    assert.deepEqual(await packages.facts(key, found!.record), one.facts);
    assert.deepEqual(await packages.layout(key, found!.record), { blob: "a" });
  }));

for (const files of [1, 300, 12_000]) {
  Deno.test(`commit replaces ${files} files' facts without leaving chunks behind`, () =>
    withMemoryKv(async (kv) => {
      const packages = createPackages(kv);
      for (const filler of ["1", "2", "3"]) {
        const held = await packages.get(key);
        const change = next(many(files), { filler, blob: filler });
        assert.ok(await packages.commit(key, change, held?.versionstamp ?? null));
        assert.deepEqual(await packages.facts(key, change.record), change.facts);
        assert.deepEqual(await packages.layout(key, change.record), change.layout);
      }
      const after = await partsOf(kv);
      await packages.delete(key);
      const left = await partsOf(kv);
      // What is left are first-seen times, which outlive the package.
      assert.ok(after > left);
      assert.equal(left, files > 5_000 ? left : 0);
      assert.equal((await packages.firstSeen(key))?.packageAt, 1_000);
    }));
}

Deno.test("commit with another's versionstamp is refused and changes nothing", () =>
  withTwoKvs(async (a, b) => {
    const [mine, theirs] = [createPackages(a), createPackages(b)];
    assert.ok(await mine.commit(key, next(["a.tgz"], { blob: "mine" }), null));
    assert.equal(await theirs.commit(key, next(["b.tgz"], { blob: "theirs" }), null), null);
    const held = await theirs.get(key);
    assert.equal(held?.record.documents[0]?.blob, "sha256/aa/mine");
    assert.equal((await theirs.firstSeen(key))?.of("b.tgz"), null);
  }));

Deno.test("of many commits at once exactly one wins, whole, and the others leave nothing", () =>
  withTwoKvs(async (a, b) => {
    const stores = [createPackages(a), createPackages(b)];
    const changes = Array.from(
      { length: 10 },
      (_, i) => next(many(900), { filler: String(i), blob: String(i) }),
    );
    const won = await Promise.all(changes.map((change, i) => stores[i % 2]!.commit(key, change, null)));
    assert.equal(won.filter((committed) => committed !== null).length, 1);
    const winner = changes[won.findIndex((committed) => committed !== null)]!;
    assert.deepEqual(await stores[0]!.facts(key, winner.record), winner.facts);
    await stores[0]!.delete(key);
    assert.equal(await partsOf(a), 0);
  }));

Deno.test("facts and layout of a replaced record are answered as such", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    const [one, two] = [next(["a.tgz"]), next(["a.tgz"], { blob: "b" })];
    await packages.commit(key, one, null);
    await packages.commit(key, two, (await packages.get(key))!.versionstamp);
    // The facts are the same; the layout belongs to other bytes.
    assert.equal(one.record.factsDigest, two.record.factsDigest);
    assert.equal(await packages.layout(key, one.record), undefined);
    assert.equal(await packages.facts(key, one.record), null);
    assert.deepEqual(await packages.layout(key, two.record), { blob: "b" });
    assert.deepEqual(await packages.facts(key, two.record), two.facts);
  }));

Deno.test("facts reads again where a chunk is missing: a record that lost one is dropped, its times are not", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    const one = next(["a.tgz"]);
    await packages.commit(key, one, null);
    for await (const entry of kv.list({ prefix: ["parts"] })) await kv.delete(entry.key);
    assert.equal(await packages.facts(key, one.record), null);
    assert.equal(await packages.get(key), null);
    assert.deepEqual((await packages.firstSeen(key))?.of("a.tgz"), { at: 1_000, original: true });
    assert.ok(await packages.commit(key, one, null));
    assert.deepEqual(await packages.facts(key, one.record), one.facts);
  }));

Deno.test("commit answers what a reader would find, where a file is new and where none is", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    await packages.commit(key, next(["a.tgz"], { at: 1_000 }), null);
    for (const [files, blob] of [[["a.tgz", "b.tgz"], "b"], [["a.tgz", "b.tgz"], "c"]] as const) {
      const held = await packages.get(key);
      const change = next(files, { at: 2_000, blob });
      const committed = await packages.commit(key, change, held!.versionstamp);
      assert.equal(committed?.versionstamp, (await packages.get(key))?.versionstamp);
      assert.deepEqual(committed?.firstSeen?.of("a.tgz"), { at: 1_000, original: true });
      assert.deepEqual(committed?.firstSeen?.of("b.tgz"), { at: 2_000, original: false });
      assert.equal(committed?.firstSeen?.of("c.tgz"), null);
    }
    const absent = { record: ABSENT, facts: null, layout: null };
    assert.equal((await packages.commit({ ...key, name: "gone" }, absent, null))?.firstSeen, null);
  }));

Deno.test("firstSeen: what was there at first is original, what came later has its own time, and both stay", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    assert.equal(await packages.firstSeen(key), null);
    await packages.commit(key, next(["a.tgz"], { at: 1_000 }), null);
    const more = next(["a.tgz", "b.tgz"], { at: 2_000, blob: "b" });
    await packages.commit(key, more, (await packages.get(key))!.versionstamp);
    await packages.delete(key);
    await packages.commit(key, next(["a.tgz", "b.tgz", "c.tgz"], { at: 9_000, blob: "c" }), null);
    const seen = await packages.firstSeen(key);
    assert.equal(seen?.packageAt, 1_000);
    assert.deepEqual(seen?.of("a.tgz"), { at: 1_000, original: true });
    assert.deepEqual(seen?.of("b.tgz"), { at: 2_000, original: false });
    assert.deepEqual(seen?.of("c.tgz"), { at: 9_000, original: false });
    assert.equal(seen?.of("d.tgz"), null);
    assert.equal(seen?.of("__proto__"), null);
  }));

Deno.test("firstSeen is shared by the upstreams of a scope, also when both see a package at once", () =>
  withTwoKvs(async (a, b) => {
    const other = { ...key, upstreamId: "registry-2" };
    const done = await Promise.all([
      createPackages(a).commit(key, next(["a.tgz"], { at: 1_000 }), null),
      createPackages(b).commit(other, next(["a.tgz", "b.tgz"], { at: 1_000 }), null),
    ]);
    assert.ok(done.every((committed) => committed !== null));
    const seen = await createPackages(a).firstSeen(other);
    assert.deepEqual(seen?.of("a.tgz")?.at, 1_000);
    assert.equal(seen?.of("b.tgz")?.at, 1_000);
    const elsewhere = { ...key, scope: "private-1" };
    assert.equal(await createPackages(a).firstSeen(elsewhere), null);
  }));

Deno.test("firstSeen holds more files than one value", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    const files = many(8_000);
    await packages.commit(key, next(files), null);
    const more = next([...files, "new.tgz"], { at: 2_000, blob: "b" });
    await packages.commit(key, more, (await packages.get(key))!.versionstamp);
    const seen = await packages.firstSeen(key);
    assert.deepEqual(seen?.of(files[7_999]!), { at: 1_000, original: true });
    assert.deepEqual(seen?.of("new.tgz"), { at: 2_000, original: false });
  }));

Deno.test("commit of an absent package has neither facts nor first-seen times", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    assert.ok(await packages.commit(key, { record: ABSENT, facts: null, layout: null }, null));
    assert.equal(await packages.facts(key, ABSENT), null);
    assert.equal(await packages.layout(key, ABSENT), null);
    assert.equal(await packages.firstSeen(key), null);
  }));

Deno.test("commit refuses facts that are not those the record names", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    const wrong = { ...next(["a.tgz"]), facts: factsOf(["b.tgz"]) };
    await assert.rejects(packages.commit(key, wrong, null), TypeError);
    assert.equal(await packages.get(key), null);
  }));

Deno.test("touch renews times and validators, keeps facts, and loses to a faster one", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    const one = next(["a.tgz"]);
    await packages.commit(key, one, null);
    const { versionstamp } = (await packages.get(key))!;
    const renewed: PackageRecord = {
      ...one.record,
      checkedAt: 7_000 as EpochMs,
      documents: one.record.documents.map((document) => ({ ...document, etag: '"2"' })),
    };
    assert.equal(await packages.touch(key, renewed, versionstamp), true);
    assert.equal(await packages.touch(key, one.record, versionstamp), false);
    assert.deepEqual((await packages.get(key))?.record, renewed);
    assert.deepEqual(await packages.facts(key, renewed), one.facts);
    const other = { ...renewed, factsDigest: "b" };
    await assert.rejects(packages.touch(key, other, (await packages.get(key))!.versionstamp), TypeError);
  }));

Deno.test("list names each package once, and keeps odd names apart", () =>
  withMemoryKv(async (kv) => {
    const packages = createPackages(kv);
    const names = [
      "left-pad",
      "Left-pad",
      "@acme/a",
      "\ud800",
      "\ud801",
      "\0",
      "x".repeat(3_000),
      "~",
      "__proto__",
    ];
    for (const name of names) {
      assert.ok(await packages.commit({ ...key, name }, next([`${name}.tgz`], { blob: name }), null));
    }
    await packages.commit({ ...key, ecosystem: "pypi" }, next(["a"]), null);
    const listed = await Array.fromAsync(packages.list("npm"));
    assert.equal(listed.length, names.length);
    assert.equal((await Array.fromAsync(packages.list())).length, names.length + 1);
    for (const name of names) {
      const held = await packages.get({ ...key, name });
      assert.equal(held?.record.documents[0]?.blob, `sha256/aa/${name}`);
      const seen = await packages.firstSeen({ ...key, name });
      assert.deepEqual(seen?.of(`${name}.tgz`), { at: 1_000, original: true });
    }
  }));

Deno.test("createFiles keeps, replaces and forgets where a file is", () =>
  withMemoryKv(async (kv) => {
    const files = createFiles(kv);
    const record = {
      v: 1,
      blob: "sha256/aa/a" as BlobKey,
      sizeBytes: 3,
      contentType: "application/octet-stream",
      verified: ["sha512:aa"],
      filledAt: 1 as EpochMs,
    } as const;
    const name = "f".repeat(5_000);
    assert.equal(await files.get(key, name), null);
    await files.put(key, name, record);
    assert.deepEqual(await files.get(key, name), record);
    assert.equal(await files.get({ ...key, upstreamId: "other" }, name), null);
    assert.equal(await files.get(key, name + "f"), null);
    await files.delete(key, name);
    assert.equal(await files.get(key, name), null);
  }));

Deno.test("keys.package of different packages differ", () => {
  const others = [{ ...key, name: "a" }, { ...key, subject: "catalogue" as const }, {
    ...key,
    upstreamId: "b",
  }];
  const all = [key, ...others].map((each) => JSON.stringify(keys.package(each)));
  assert.equal(new Set(all).size, all.length);
});
