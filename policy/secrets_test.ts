import assert from "node:assert/strict";
import { keepSecrets, parsePolicy, redactPolicy } from "./config.ts";

const A = { url: "https://hook.example/a" };
const B = { url: "https://hook.example/b" };
const SET = { url: "(set)" };

Deno.test("redactPolicy: no address is left, in what was written and in what was read", () => {
  const source = { minimumAge: "5d", webhooks: [{ ...A, format: "slack" }, B] };
  assert.deepEqual(redactPolicy(source), { minimumAge: "5d", webhooks: [{ ...SET, format: "slack" }, SET] });
  const parsed = parsePolicy(source);
  assert.ok(parsed.ok);
  assert.doesNotMatch(JSON.stringify(redactPolicy(parsed.document)), /hook\.example/);
  assert.deepEqual(source.webhooks[1], B, "the original is left alone");
});

Deno.test("redactPolicy: also where the document is wrong", () => {
  assert.doesNotMatch(JSON.stringify(redactPolicy({ webhooks: ["https://hook.example/a", 3] })), /example/);
  assert.deepEqual(redactPolicy({}), {});
  assert.equal(redactPolicy(null), null);
});

Deno.test("redactPolicy: what is shown does not parse by itself", () => {
  assert.ok(!parsePolicy(redactPolicy({ webhooks: [A] })).ok);
});

const ROWS: readonly { name: string; next: unknown[]; previous: unknown[]; kept: unknown[] }[] = [
  { name: "what was shown, written back", next: [SET, SET], previous: [A, B], kept: [A, B] },
  {
    name: "a new address replaces",
    next: [{ url: "https://hook.example/c" }, SET],
    previous: [A, B],
    kept: [{ url: "https://hook.example/c" }, B],
  },
  {
    name: "one of one, other fields changed",
    next: [{ ...SET, format: "slack" }],
    previous: [A],
    kept: [{ ...A, format: "slack" }],
  },
  {
    name: "by id, whatever the place",
    next: [{ ...SET, id: "b" }, { ...SET, id: "a" }],
    previous: [{ ...A, id: "a" }, { ...B, id: "b" }],
    kept: [{ ...B, id: "b" }, { ...A, id: "a" }],
  },
  {
    name: "an id that was not there",
    next: [{ ...SET, id: "c" }],
    previous: [{ ...A, id: "a" }],
    kept: [{ ...SET, id: "c" }],
  },
  {
    name: "by the other fields, whatever the place",
    next: [{ ...SET, format: "slack" }],
    previous: [A, { ...B, format: "slack" }],
    kept: [{ ...B, format: "slack" }],
  },
  { name: "a stranger among none", next: [SET], previous: [], kept: [SET] },
  {
    name: "one added in front",
    next: [{ url: "https://hook.example/c" }, { ...SET, format: "slack" }],
    previous: [{ ...A, format: "slack" }, B],
    kept: [{ url: "https://hook.example/c" }, { ...A, format: "slack" }],
  },
];

for (const { name, next, previous, kept } of ROWS) {
  Deno.test(`keepSecrets: ${name}`, () => {
    assert.deepEqual(keepSecrets({ yanked: "warn", webhooks: next }, { webhooks: previous }), {
      yanked: "warn",
      webhooks: kept,
    });
  });
}

Deno.test("keepSecrets: of two alike, none is guessed when one was taken out", () => {
  const kept = keepSecrets({ webhooks: [SET] }, { webhooks: [A, B] });
  assert.deepEqual(kept, { webhooks: [SET] }, "which of the two it is nobody can tell");
});

Deno.test("keepSecrets: what was read is written back over what was written", () => {
  const source = { webhooks: [A, { ...B, format: "slack" }] };
  const parsed = parsePolicy(source);
  assert.ok(parsed.ok);
  const kept = keepSecrets({ webhooks: redactPolicy(parsed.document).webhooks }, source);
  assert.deepEqual((kept as typeof source).webhooks.map(({ url }) => url), [A.url, B.url]);
});

Deno.test("keepSecrets: leaves what has no webhooks", () => {
  assert.deepEqual(keepSecrets({ yanked: "warn" }, { webhooks: [A] }), { yanked: "warn" });
  assert.equal(keepSecrets("text", null), "text");
});
