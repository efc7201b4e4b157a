import assert from "node:assert/strict";
import { ownPath } from "./own_path.ts";

Deno.test("ownPath: a page of ours below the base address's path; whatever a browser may take for another place is not", () => {
  const base = new URL("https://sluice.example/proxy/");
  const good = ["/proxy/-/admin", "/proxy/-/admin/acme/policy?rule=x&y=%2F%2F", "/proxy/-/why/pkg:npm/a@1"]
    .concat([
      "/proxy/o/acme/-/why/pkg:npm/@acme/a@1?decision=x",
      "/proxy/o/acme/at/2026-05-01T09:00Z/-/why/pkg:npm/a",
      "/proxy/at/lock-1/-/why/pkg:npm/a",
      "/proxy/o/acme/stats",
      "/proxy/stats",
    ]);
  for (const to of good) assert.equal(ownPath(to, base, "/start"), to);
  const bad = [
    null,
    "",
    "//evil.example/-/admin",
    "///evil.example/-/",
    "/\\evil.example/-/",
    "\\\\evil.example",
    "https://evil.example/proxy/-/admin",
    "https:evil.example",
    "javascript:alert(1)",
    "/proxy/-/auth/sign-out",
    "/proxy/-/auth/sign-in?with=github",
    "/proxy/-/../../evil",
    "/proxy/-//evil.example",
    "/proxy/-/admin/..//..//evil.example",
    "/-/admin",
    "/proxy",
    "/o/acme/-/why/pkg:npm/a",
    "/proxyo/acme/-/why/pkg:npm/a",
    "/proxy/o/acme/-/auth/sign-out",
    "/proxy/o/acme/npm/left-pad",
    "/proxy/o//-/why/pkg:npm/a",
    "/proxy/o/acme/../../../evil/-/",
    "/proxy/o/acme",
    "/proxy/statsx",
    "/proxy/npm/-/x",
    "/proxy/npm/left-pad",
    "/proxy/-/admin\r\nset-cookie: a=b",
    "/proxy/-/admin\t",
    " /proxy/-/admin",
    "/proxy/-/ädmin",
    `/proxy/-/${"x".repeat(2_000)}`,
    "@evil.example/-/",
  ];
  for (const to of bad) assert.equal(ownPath(to, base, "/start"), "/start", String(to));
});
