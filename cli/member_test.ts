import assert from "node:assert/strict";
import { signIn } from "../tests/fakes/signed_in.ts";
import { startSluice } from "../tests/fakes/sluice.ts";
import { member } from "./member.ts";
import { testIo } from "./testing.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const WORLD = {
  env: { SLUICE_ADMIN_TOKEN: ADMIN, SLUICE_OWNERS: "github:root" },
  now: Date.UTC(2026, 10, 21, 12),
};

Deno.test("member: added, listed, replaced and removed, on the machine and on a running Sluice; in force with the next request", async () => {
  await using sluice = await startSluice(WORLD);
  await sluice.setPolicy({}, "acme");
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN, SLUICE_OWNERS: "github:root" } });
  const ada = await signIn(sluice, { user: "Ada", role: null });
  const page = "/-/admin/acme/overview";
  const local = ["--data", sluice.data, "--org", "acme"];
  const remote = ["--server", sluice.url, "--org", "acme"];
  assert.equal(await member(["list", ...local], io), 0);
  assert.match(io.take().out, /SLUICE_OWNERS: github:root\nNo rule gives anybody a role/);
  assert.equal((await ada.get(page)).status, 403);
  assert.equal(await member(["add", "github:ADA", "viewer", ...local], io), 0);
  assert.equal(io.take().out, "github:ada has the role viewer.\n");
  assert.equal((await ada.get(page)).status, 200);
  assert.equal(await member(["add", "github:ada", "owner", ...remote], io), 0);
  io.take();
  assert.equal(await member(["list", "--json", ...remote], io), 0);
  const { rules } = JSON.parse(io.take().out);
  assert.deepEqual(rules.map(({ who, role }: { who: string; role: string }) => [who, role]), [[
    "github:ada",
    "owner",
  ]]);
  assert.equal(await member(["sign-ins", "--json", ...remote], io), 0);
  const [person] = JSON.parse(io.take().out).people;
  assert.deepEqual([person.user, person.role, person.sessions], ["Ada", "owner", 1]);
  assert.equal(await member(["remove", "github:Ada", ...local], io), 0);
  io.take();
  assert.equal((await ada.get(page)).status, 403);
  assert.equal(await member(["sign-ins", ...remote], io), 0);
  assert.match(io.take().out, /Nobody with a role signed in/);
  assert.equal(await member(["remove", "github:ada", ...remote], io), 1);
  assert.match(io.take().err, /There is no rule for "github:ada"/);
  assert.equal(await member(["add", "github:ada", "viewer", "--server", sluice.url], io), 0);
  assert.equal(await member(["sign-out", ada.sessionId.slice(0, 24), "--server", sluice.url], io), 0);
  assert.equal((await ada.get("/-/admin/default/overview")).status, 303);
});

Deno.test("member: what is wrong is told, and nothing is changed", async () => {
  await using sluice = await startSluice(WORLD);
  const io = testIo({ cwd: sluice.data });
  const local = ["--data", sluice.data];
  const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["add", "github:ada"], 2, /needs WHO and ROLE/],
    [["add", "ada", "viewer", ...local], 1, /"ada" is none of github:LOGIN/],
    [["add", "github:ada", "king", ...local], 1, /role/],
    [["add", "github:ada", "viewer", "--org", "nobody", ...local], 1, /There is no/],
    [["sign-out", "0".repeat(24), ...local], 1, /Nobody here has the id/],
    [["fly"], 2, /Unknown command "fly"/],
  ];
  for (const [args, code, words] of rows) {
    assert.equal(await member(args, io), code, args.join(" "));
    assert.match(io.take().err, words, args.join(" "));
  }
  assert.equal(await member(["list", ...local], io), 0);
  assert.match(io.take().out, /No rule gives anybody a role/);
});
