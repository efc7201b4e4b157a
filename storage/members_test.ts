import assert from "node:assert/strict";
import { parseTrait } from "./members.ts";

Deno.test("parseTrait: every form has one way in which it is written; what is none is null", () => {
  const rows: readonly (readonly [string, string | null])[] = [
    ["github:Octocat", "github:octocat"],
    [" github:octocat ", "github:octocat"],
    ["github:octo-cat_corp", "github:octo-cat_corp"],
    ["github:id/583231", "github:id/583231"],
    ["github:org/Acme", "github:org/acme"],
    ["github:team/Acme/The.Security_team", "github:team/acme/the.security_team"],
    ["oidc:Ada@Example.org", "oidc:email=ada@example.org"],
    ["oidc:email=Ada@Example.org", "oidc:email=ada@example.org"],
    ["oidc:groups=/platform/Admins", "oidc:groups=/platform/Admins"],
    ["oidc:realm_access.roles=a=b", "oidc:realm_access.roles=a=b"],
    ["oidc:https://acme.example/groups=x", "oidc:https://acme.example/groups=x"],
    ["oidc:sub=00u1", "oidc:sub=00u1"],
    ["octocat", null],
    ["github:", null],
    ["github:-octocat", null],
    ["github:org/", null],
    ["github:org/a/b", null],
    ["github:team/acme", null],
    ["github:id/x", null],
    ["github:octocat,github:eve", null],
    ["github:octo cat", null],
    ["oidc:platform", null],
    ["oidc:=x", null],
    ["oidc:groups=", null],
    ["oidc:groups=a\nb", null],
    ["gitlab:octocat", null],
    ["", null],
  ];
  for (const [text, wanted] of rows) assert.equal(parseTrait(text), wanted, text);
});
