import assert from "node:assert/strict";
import { cookieNames, cookieText, readCookie } from "./cookies.ts";

Deno.test("cookieNames: __Host- over HTTPS, without on loopback, none in the clear elsewhere", () => {
  assert.deepEqual(cookieNames(new URL("https://sluice.example/p/")), {
    session: "__Host-sluice",
    flow: "__Host-sluice-sign-in",
    isSecure: true,
  });
  for (const host of ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "a.localhost:8080"]) {
    assert.equal(cookieNames(new URL(`http://${host}/`))?.session, "sluice-8080", host);
  }
  for (const host of ["sluice.example", "10.0.0.1", "127.0.0.1.evil.example", "localhost.evil.example"]) {
    assert.equal(cookieNames(new URL(`http://${host}/`)), null, host);
  }
});

Deno.test("cookieText: this host alone, no script, not from other sites", () => {
  assert.equal(
    cookieText("__Host-sluice", "abc", { maxAgeSeconds: 60, isSecure: true }),
    "__Host-sluice=abc; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure",
  );
});

Deno.test("readCookie: one that was sent once; two of a name are none", () => {
  const read = (cookie: string) => readCookie(new Headers({ cookie }), "a");
  assert.equal(read("b=1; a=2;c=3"), "2");
  assert.equal(read("aa=1; xa=2"), null);
  assert.equal(read("a=1; a=2"), null);
  assert.equal(readCookie(new Headers(), "a"), null);
});
