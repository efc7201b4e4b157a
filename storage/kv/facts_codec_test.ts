import assert from "node:assert/strict";
import fc from "fast-check";
import type { Artifact, EpochMs, Fact, PackageFacts, Release } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { decodeFacts, encodeFacts, factsDigest } from "./facts_codec.ts";

function encode(facts: PackageFacts): Uint8Array {
  return new Uint8Array([...encodeFacts(facts)].flatMap((piece) => [...piece]));
}

function decode(bytes: Uint8Array): PackageFacts {
  const steps = decodeFacts(bytes);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "__proto__", "\ud800", "constructor", "0b"),
);

function record<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(shape, { noNullPrototype: true });
}

function fact<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Fact<T>> {
  return fc.oneof(
    value.map((value): Fact<T> => ({ known: true, value })),
    fc.constantFrom("absent", "malformed", "unsupported").map((why): Fact<T> => ({ known: false, why })),
  );
}

const hex = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((bytes) => bytes.toHex()),
  fc.constantFrom("", "a", "abc", "ZZ", "AB"),
);
const digests: fc.Arbitrary<Artifact["digests"]> = fc.array(
  record({
    algorithm: fc.constantFrom("md5", "sha1", "sha256", "sha384", "sha512", "blake2b-256"),
    hex,
  }),
  { maxLength: 3 },
);
const plain: fc.Arbitrary<Artifact> = record({
  filename: text,
  digests,
  sizeBytes: fc.option(fc.nat()),
  publishedAt: fact(record({
    at: fc.oneof(fc.integer(), fc.constantFrom(0, 1, 2, 8.64e15)).map((at) => at as EpochMs),
    clock: fc.constantFrom("registry", "publisher"),
  })),
  yanked: fact(fc.boolean()),
  trust: fact(fc.constantFrom("trusted-publisher", "provenance", "none")),
  url: fc.option(text),
});
const beside = fc.dictionary(fc.constantFrom(".metadata", ".asc", "constructor"), digests, {
  noNullPrototype: true,
});
const artifact = fc.oneof(
  plain,
  fc.tuple(plain, beside).map(([plain, beside]): Artifact => ({ ...plain, beside })),
);
const release: fc.Arbitrary<Release> = record({
  version: text,
  artifacts: fc.array(artifact, { maxLength: 3 }),
  deprecated: fact(fc.oneof(text, fc.constant(false as const))),
  licence: fact(text),
  runsCodeOnInstall: fact(fc.boolean()),
  publisher: fact(text),
});
const facts: fc.Arbitrary<PackageFacts> = record({
  purlType: text,
  name: text,
  releases: fc.array(release, { maxLength: 4 }),
});

Deno.test("decodeFacts after encodeFacts is the identity, and the bytes are canonical", () => {
  fc.assert(
    fc.property(facts, (given) => {
      const bytes = encode(given);
      assert.deepEqual(decode(bytes), given);
      assert.equal(factsDigest(encodeFacts(decode(bytes))), factsDigest([bytes]));
    }),
    { numRuns: 500 },
  );
});

Deno.test("encodeFacts refuses numbers that JSON would turn into nothing", () => {
  const given = (at: number): PackageFacts => ({
    purlType: "npm",
    name: "a",
    releases: [{
      version: "1",
      artifacts: [{
        filename: "a",
        digests: [],
        sizeBytes: null,
        publishedAt: { known: true, value: { at: at as EpochMs, clock: "registry" } },
        yanked: { known: false, why: "absent" },
        trust: { known: false, why: "absent" },
        url: null,
      }],
      deprecated: { known: false, why: "absent" },
      licence: { known: false, why: "absent" },
      runsCodeOnInstall: { known: false, why: "absent" },
      publisher: { known: false, why: "absent" },
    }],
  });
  assert.throws(() => encode(given(NaN)), TypeError);
  assert.throws(() => encode(given(Infinity)), TypeError);
});

Deno.test("decodeFacts refuses garbage with StorageError, whatever it is", () => {
  const garbage = [
    "",
    "nonsense",
    "null",
    "{}",
    "[]",
    '[3,"npm","a",[]]',
    '[2,"npm","a"]\n{}\n',
    '[2,"npm","a"]\n[["1",true]]\n',
    '[2,"npm","a"]\n\n',
    '[1,"npm","a"]',
    '[1,7,"a",[]]',
    '[1,"npm","a",[["1",[["f",["9bAA=="]]]]]]',
    '[1,"npm","a",[["1",[["f",["2qAA=="]]]]]]',
    '[1,"npm","a",[["1",[["f",[],"12"]]]]]',
    '[1,"npm","a",[["1",[["f",[],null,["x"]]]]]]',
    '[1,"npm","a",[["1",[["f",[],null,null,3]]]]]',
    '[1,"npm","a",[["1",[["f",[],null,null,null,[9]]]]]]',
    '[1,"npm","a",[["1",{}]]]',
    '[1,"npm","a",[["1",[],true]]]',
  ];
  for (const each of garbage) {
    assert.throws(() => decode(new TextEncoder().encode(each)), StorageError, each);
  }
  assert.throws(() => decode(new Uint8Array([0xff, 0xfe])), StorageError);
});

Deno.test("decodeFacts reads many lines in steps, and version 1, which had one", () => {
  const release = (version: string): Release => ({
    version,
    artifacts: [],
    deprecated: { known: false, why: "absent" },
    licence: { known: true, value: "a\nb" },
    runsCodeOnInstall: { known: false, why: "absent" },
    publisher: { known: false, why: "absent" },
  });
  const releases = Array.from({ length: 1_234 }, (_, i) => release(`1.${i}.0`));
  const bytes = encode({ purlType: "npm", name: "a", releases });
  assert.ok([...decodeFacts(bytes)].length > 10);
  assert.deepEqual(decode(bytes).releases, releases);
  const old = new TextEncoder().encode('[1,"npm","a",[["1.0.0",[],null,"a\\nb"]]]');
  assert.deepEqual(decode(old).releases, [release("1.0.0")]);
});

Deno.test("decodeFacts of a mutated encoding throws StorageError or yields facts, never anything else", () => {
  fc.assert(fc.property(facts, fc.nat(), fc.nat(255), (given, at, byte) => {
    const bytes = encode(given);
    bytes[at % bytes.byteLength] = byte;
    try {
      encode(decode(bytes));
    } catch (error) {
      assert.ok(error instanceof StorageError || error instanceof TypeError, String(error));
    }
  }));
});
