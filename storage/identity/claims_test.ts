import assert from "node:assert/strict";
import { identityOf, traitsOf } from "./claims.ts";

Deno.test("identityOf: a verified address is the name, else what the provider calls them; no subject is nobody", () => {
  const rows: readonly (readonly [Record<string, unknown>, string])[] = [
    [
      { sub: "1", email: "Ada@Example.org", email_verified: true, preferred_username: "x" },
      "ada@example.org",
    ],
    [{ sub: "1", email: "ada@example.org", email_verified: "true" }, "ada@example.org"],
    [{ sub: "1", email: "ada@example.org", preferred_username: "ada" }, "oidc:ada#1"],
    [{ sub: "1", preferred_username: "1" }, "oidc:1"],
    [{ sub: "1", email: "ada@example.org", email_verified: false }, "oidc:1"],
  ];
  for (const [claims, user] of rows) assert.equal(identityOf(claims).user, user);
  assert.throws(() => identityOf({ email: "ada@example.org" }), /no subject/);
});

Deno.test("traitsOf: any claim and value, arrays and objects too; not what is the token's, unverified, or no text", () => {
  const traits = traitsOf({
    sub: "1",
    iss: "https://login.example",
    nonce: "n",
    email: "eve@example.org",
    groups: ["a", "b", 7, { c: 1 }, null],
    realm_access: { roles: ["admin"] },
    active: true,
    "with=sign": "x",
    text: "line\nline",
    deep: { a: { b: { c: { d: "too deep" } } } },
  });
  assert.deepEqual(traits, [
    "oidc:sub=1",
    "oidc:groups=a",
    "oidc:groups=b",
    "oidc:groups=7",
    "oidc:realm_access.roles=admin",
    "oidc:active=true",
  ]);
  const many = traitsOf({ sub: "1", groups: Array.from({ length: 5_000 }, (_, i) => `g${i}`) });
  assert.equal(many.length, 1_000);
  assert.equal(many[0], "oidc:sub=1");
});
