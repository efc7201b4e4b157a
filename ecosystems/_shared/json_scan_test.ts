import assert from "node:assert/strict";
import fc from "fast-check";
import { createJsonCursor, type JsonCursor } from "./json_scan.ts";

const encoder = new TextEncoder();

function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Walks every object member by member, so that all of the cursor takes part. */
function build(cursor: JsonCursor): unknown {
  const text = cursor.string();
  if (text !== null) return text;
  if (!cursor.enter()) return cursor.value();
  const members: [string, unknown][] = [];
  for (let key = cursor.key(); key !== null; key = cursor.key()) members.push([key, build(cursor)]);
  return Object.fromEntries(members);
}

function scan(bytes: Uint8Array, walk: boolean): unknown {
  const cursor = createJsonCursor(bytes, { label: "test", known: ["known"] });
  let built: unknown;
  if (walk) built = build(cursor);
  else while (!cursor.skip());
  cursor.finish();
  return built;
}

function attempt<T>(work: () => T): { readonly value: T } | null {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
}

// No backslash inside a key: V8's JSON.parse (seen in Deno 2.9.6) takes `"\\u0061"` for a key `\` of the same
// decoded length that it saw at the same place of an earlier object. The cursor has its own test for that.
const hostileKey = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 6 }).filter((key) => !key.includes("\\")),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "versions",
    "a",
    "",
    "é",
    "\u2028",
    "\ud83d\ude00",
    "\ud800",
    '"',
  ),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(hostileKey, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).value;

/** The same value in another spelling: white space between tokens, characters as escapes. */
function respell(text: string, choose: () => number): string {
  const space = () => ["", "", " ", "\n", "\r\n\t"][choose() % 5]!;
  return text.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gs, (token) => {
    const spelt = token.startsWith('"')
      ? token.replace(
        /\\u....|\\.|[^"\\]/gs,
        (c) =>
          c.length === 1 && choose() % 4 === 0 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}` : c,
      )
      : token;
    return space() + spelt + space();
  });
}

Deno.test("createJsonCursor reads what JSON.parse reads, in every spelling", () => {
  fc.assert(
    fc.property(json, fc.array(fc.nat(19), { minLength: 1, maxLength: 30 }), (value, choices) => {
      let at = 0;
      const bytes = bytesOf(respell(JSON.stringify(value), () => choices[at++ % choices.length]!));
      assert.deepEqual(scan(bytes, true), parse(bytes));
      scan(bytes, false);
    }),
    { numRuns: 500 },
  );
});

Deno.test("createJsonCursor accepts what JSON.parse accepts and nothing else", () => {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('{}[]:,"\\0123456789eE+-.truefalsn \n')));
  const edits = fc.array(fc.tuple(fc.nat(), fc.constantFrom("put", "drop", "insert"), byte), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(json, edits, (value, changes) => {
      const bytes = [...bytesOf(JSON.stringify(value))];
      for (const [place, how, change] of changes) {
        const at = place % (bytes.length + 1);
        if (how === "put") bytes[at] = change;
        else bytes.splice(at, how === "drop" ? 1 : 0, ...(how === "drop" ? [] : [change]));
      }
      const edited = Uint8Array.from(bytes);
      const parsed = attempt(() => parse(edited));
      assert.equal(attempt(() => scan(edited, false)) !== null, parsed !== null);
      // Walking refuses one thing more: a key that comes twice.
      const walked = attempt(() => scan(edited, true));
      if (walked !== null) assert.deepEqual(walked, parsed);
    }),
    { numRuns: 3_000 },
  );
});

Deno.test("createJsonCursor refuses malformed documents", async (t) => {
  const texts = [
    "",
    " ",
    "{",
    "[",
    '"',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    "[1,]",
    "[1 2]",
    "{,}",
    "[,]",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "+1",
    "1e+",
    "nul",
    "tru",
    "NaN",
    "{} {}",
    "{}x",
    "'a'",
    "{a:1}",
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '"\t"',
    '"\u0000"',
    "\ufeff{}",
    "[1}",
    '{"a":1]',
    "/**/{}",
    "\u00a0{}",
  ];
  for (const text of texts) {
    await t.step(JSON.stringify(text), () => {
      assert.throws(() => scan(bytesOf(text), true), SyntaxError);
      assert.throws(() => scan(bytesOf(text), false), SyntaxError);
    });
  }
  const sequences = [[0xff], [0xc3], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [
    0xf4,
    0x90,
    0x80,
    0x80,
  ], [0x80]];
  for (const bytes of sequences) {
    await t.step(`UTF-8 ${bytes}`, () => {
      const document = Uint8Array.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, ...bytes, 0x22, 0x7d]);
      assert.throws(() => scan(document, true), /valid character in a string/);
      assert.throws(() => scan(document, false), SyntaxError);
      const inKey = Uint8Array.from([0x7b, 0x22, ...bytes, 0x22, 0x3a, 0x31, 0x7d]);
      assert.throws(() => scan(inKey, true), SyntaxError);
    });
  }
});

Deno.test("createJsonCursor refuses a key that comes twice, however it is written", async (t) => {
  const texts = [
    '{"a":1,"a":2}',
    '{"versions":{},"ver\\u0073ions":{}}',
    '{"ver\\u0073ions":{},"versions":{}}',
    '{"\\u00e9":1,"é":2}',
    '{"x":{"y":1,"\\u0079":2}}',
    // The same key inside, at another depth, must not hide the first.
    '{"1.0.0":{"1.0.0":0},"1.0.0":{}}',
    '{"__proto__":1,"__proto__":2}',
  ];
  for (const text of texts) {
    await t.step(text, () => assert.throws(() => scan(bytesOf(text), true), /comes twice/));
  }
  assert.deepEqual(scan(bytesOf('{"a":{"a":1},"b":{"a":1}}'), true), { a: { a: 1 }, b: { a: 1 } });
});

Deno.test("createJsonCursor refuses a known key that is written with escapes", () => {
  assert.throws(() => scan(bytesOf('{"kno\\u0077n":1}'), true), /key "known" is written with escapes/);
  assert.deepEqual(scan(bytesOf('{"known":1,"un\\u006bnown":2}'), true), { known: 1, unknown: 2 });
});

Deno.test("createJsonCursor tells an escaped key from a key of backslashes seen before", () => {
  const keysOf = (text: string) => Object.keys(scan(bytesOf(text), true) as Record<string, unknown>);
  for (let round = 0; round < 3; round++) assert.deepEqual(keysOf('{"":{},"\\\\":""}'), ["", "\\"]);
  assert.deepEqual(keysOf('{"":{},"\\u0061":""}'), ["", "a"]);
  assert.deepEqual(keysOf('{"":{},"\\n":""}'), ["", "\n"]);
});

Deno.test("createJsonCursor finds where members stand", () => {
  const text = ' { "é" : [1, 2] , "b":{"c":"d"} } ';
  const bytes = bytesOf(text);
  const cursor = createJsonCursor(bytes, { label: "test" });
  const members: string[] = [];
  assert.ok(cursor.enter());
  while (cursor.key() !== null) {
    const start = cursor.keyStart;
    const valueStart = cursor.position;
    cursor.skip();
    const slice = (from: number) => new TextDecoder().decode(bytes.subarray(from, cursor.position));
    members.push(slice(start), slice(valueStart));
  }
  cursor.finish();
  assert.deepEqual(members, ['"é" : [1, 2]', "[1, 2]", '"b":{"c":"d"}', '{"c":"d"}']);
});

Deno.test("createJsonCursor bounds nesting and keys", () => {
  const deep = bytesOf("[".repeat(600) + "]".repeat(600));
  assert.throws(() => scan(deep, false), /nested deeper than 512 levels/);
  scan(bytesOf("[".repeat(500) + "]".repeat(500)), false);
  const deepObjects = bytesOf('{"a":'.repeat(600) + "1" + "}".repeat(600));
  assert.throws(() => scan(deepObjects, true), /nested deeper than 512 levels/);
  const wide = bytesOf(
    JSON.stringify(Object.fromEntries(Array.from({ length: 50 }, (_, k) => [`k${k}`, k]))),
  );
  const cursor = createJsonCursor(wide, { label: "test", maxKeys: 20 });
  assert.throws(() => build(cursor), /Cannot read test: it has more than 20 different keys/);
});

Deno.test("createJsonCursor.skip pauses about every 256 kB and goes on where it was", () => {
  const value = { list: Array.from({ length: 40_000 }, (_, k) => ({ k, text: "some text" })) };
  const cursor = createJsonCursor(bytesOf(JSON.stringify(value)), { label: "test" });
  let pauses = 0;
  let last = 0;
  while (!cursor.skip()) {
    assert.ok(cursor.position > last && cursor.position - last < 300 * 1024);
    last = cursor.position;
    pauses++;
  }
  cursor.finish();
  assert.ok(pauses >= 4, `${pauses} pauses`);
});

Deno.test("createJsonCursor keeps more keys apart than its first table holds", () => {
  const value = Object.fromEntries(Array.from({ length: 5_000 }, (_, k) => [`key-${k}`, k]));
  assert.deepEqual(scan(bytesOf(JSON.stringify(value)), true), value);
});
