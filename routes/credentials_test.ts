import assert from "node:assert/strict";
import { bearerOf, createCredentialsReader, credentialsOf } from "./credentials.ts";

const TOKEN = `slu_abcdefghijkl_${"x".repeat(43)}`;

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

Deno.test("credentialsOf: a token is found where each client puts it: password, bearer, raw", () => {
  const forms = [
    `Basic ${base64(`jane:${TOKEN}`)}`,
    `Basic ${base64(`__token__:${TOKEN}`)}`,
    `Basic ${base64(`:${TOKEN}`)}`,
    `Basic ${base64(`${TOKEN}:`)}`,
    `Basic ${base64(`${TOKEN}:x-oauth-basic`)}`,
    `Bearer ${TOKEN}`,
    `bearer   ${TOKEN} `,
    TOKEN,
  ];
  for (const form of forms) assert.deepEqual(credentialsOf(form), { kind: "token", secret: TOKEN }, form);
});

Deno.test("credentialsOf: what other registries gave is nothing, and never a name", () => {
  for (const form of ["Bearer npm_abc", "Digest x", "cargo-raw-token", "Bearer", ""]) {
    assert.deepEqual(credentialsOf(form), { kind: "none" }, form);
  }
  assert.deepEqual(credentialsOf(`Basic ${base64("jane:npm_abc")}`), {
    kind: "name",
    user: "jane",
    isAlone: false,
  });
});

Deno.test("bearerOf: any bearer, and nothing else", () => {
  assert.equal(bearerOf("Bearer something long"), "something long");
  assert.equal(bearerOf(`Basic ${base64("a:b")}`), null);
  assert.equal(bearerOf(null), null);
  assert.equal(bearerOf("Bearer "), null);
});

Deno.test("createCredentialsReader remembers names that stand alone, and nothing that holds a secret", () => {
  const read = createCredentialsReader();
  const alone = `Basic ${base64("jane:")}`;
  assert.deepEqual(read(alone), { kind: "name", user: "jane", isAlone: true });
  assert.equal(read(alone), read(alone), "the same object");
  for (const secret of [`Bearer ${TOKEN}`, TOKEN, `Basic ${base64("jane:s3cret")}`]) {
    assert.deepEqual(read(secret), credentialsOf(secret));
    assert.notEqual(read(secret), read(secret), secret);
  }
  assert.deepEqual(read(null), { kind: "none" });
});
