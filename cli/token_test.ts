import assert from "node:assert/strict";
import { startSluice } from "../tests/fakes/sluice.ts";
import { testIo } from "./testing.ts";
import { token } from "./token.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const WORLD = { env: { SLUICE_ADMIN_TOKEN: ADMIN }, now: Date.UTC(2026, 10, 21, 12) };

Deno.test("token: made on the machine, listed, revoked; the running server knows within a second", async () => {
  await using sluice = await startSluice(WORLD);
  const io = testIo({ cwd: sluice.data });
  const local = ["--data", sluice.data];
  assert.equal(
    await token(["create", "jane", "--scopes", "audit,read", "--expires", "30d", ...local], io),
    0,
  );
  const secret = io.take().out.split("\n")[0]!;
  assert.match(secret, /^slu_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);

  const status = await statusOf(sluice.url, secret);
  assert.deepEqual(status, [403, "scope-missing"]);
  assert.equal(await token(["list", "--json", ...local], io), 0);
  const listed = io.take().out;
  assert.ok(!listed.includes(secret.slice(-43)));
  const [{ id, user, organisation, createdBy, expiresAt }] = JSON.parse(listed);
  assert.deepEqual([user, organisation, createdBy, expiresAt], [
    "jane",
    "default",
    "ada",
    "2026-12-21T12:00:00.000Z",
  ]);

  assert.equal(await token(["revoke", id, ...local], io), 0);
  sluice.advance(1_001);
  assert.deepEqual(await statusOf(sluice.url, secret), [401, "unknown-token"]);
  assert.equal(await token(["revoke", id, ...local], io), 1);
  assert.match(io.take().err, /There is no token/);
});

Deno.test("token --server: the same on a running Sluice, with SLUICE_TOKEN", async () => {
  await using sluice = await startSluice(WORLD);
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN } });
  assert.equal(await token(["create", "ci", "--server", sluice.url, "--json", "--instance"], io), 0);
  const made = JSON.parse(io.take().out);
  assert.equal(made.token.organisation, null);
  assert.equal(await token(["list", "--server", `${sluice.url}/`], io), 0);
  assert.match(io.take().out, /ci +\(instance\) +read/);
  assert.equal(await token(["list", "--server", sluice.url, "--org", "nobody"], io), 1);
  assert.match(io.take().err, /no such organisation/);
});

Deno.test("token create --path: for 24 hours where no end is given; token list --org: that organisation's alone", async () => {
  await using sluice = await startSluice(WORLD);
  await sluice.setPolicy({}, "acme");
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN } });
  for (const where of [["--data", sluice.data], ["--server", sluice.url]]) {
    assert.equal(await token(["create", "jane", "--path", "--json", "--org", "acme", ...where], io), 0);
    const made = JSON.parse(io.take().out);
    assert.equal(made.token.kind, "path");
    assert.match(made.token.expiresAt, /^2026-11-22T12:00:0/);
    assert.equal(await token(["create", "joe", ...where], io), 0);
    io.take();
    assert.equal(await token(["list", "--json", "--org", "acme", ...where], io), 0);
    const listed: readonly { readonly organisation: string }[] = JSON.parse(io.take().out);
    assert.deepEqual([...new Set(listed.map(({ organisation }) => organisation))], ["acme"]);
    assert.equal(await token(["revoke", made.token.id, "--org", "acme", ...where], io), 0);
    assert.equal(await token(["create", "ann", "--org", "acme", ...where], io), 0);
    io.take();
  }
});

Deno.test("token: what is wrong is told with its field, and nothing is made", async () => {
  await using sluice = await startSluice(WORLD);
  const io = testIo({ cwd: sluice.data, env: {} });
  const local = ["--data", sluice.data];
  const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["create"], 2, /needs user name/],
    [["create", "a", "b"], 2, /one too many/],
    [["create", "jane", "--scopes", "read,fly", ...local], 1, /scopes/],
    [["create", "jane", "--expires", "soon", ...local], 1, /^--expires: .*"soon" is neither a date/],
    [["create", "jane", "--expires", "2020-01-01", ...local], 1, /ended already/],
    [["create", "jane", "--ecosystems", "npm,nix", ...local], 1, /"nix" is no ecosystem/],
    [["create", "jane", "--path", "--expires", "48h", ...local], 1, /^--expires: .*24 hours/],
    [["create", "jane", "--path", "--scopes", "read,audit", ...local], 1, /^--scopes: .*may only read/],
    [["create", "ja:ne", ...local], 1, /user name/],
    [["create", "jane", "--scope", "read"], 2, /Did you mean --scopes/],
    [["list", "--server", sluice.url], 2, /SLUICE_TOKEN/],
    [["list", "--server", "ftp://x"], 2, /not an http/],
    [["list", "--server", sluice.url, ...local], 2, /not both/],
    [["fly"], 2, /create, list or revoke/],
    [["list", "--data", `${sluice.data}/typo`], 1, /There is no Sluice at .*typo/],
  ];
  for (const [args, code, words] of rows) {
    assert.equal(await token(args, io), code, args.join(" "));
    assert.match(io.take().err, words);
  }
  assert.equal(await token(["list", ...local], io), 0);
  assert.match(io.take().out, /There are no tokens/);
});

async function statusOf(url: string, secret: string): Promise<readonly [number, string]> {
  const response = await fetch(`${url}/-/api/v1/tokens`, { headers: { authorization: `Bearer ${secret}` } });
  const body = await response.json();
  return [response.status, body.code];
}
