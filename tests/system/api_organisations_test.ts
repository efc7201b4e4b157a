import assert from "node:assert/strict";
import { org } from "../../cli/org.ts";
import { testIo } from "../../cli/testing.ts";
import { startSluice } from "../fakes/sluice.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const WORLD = { env: { SLUICE_ADMIN_TOKEN: ADMIN }, now: Date.UTC(2026, 10, 21, 12) };

Deno.test("deno task org --server: writes, shows, restores as on the data folder; secrets stay there", async () => {
  await using sluice = await startSluice(WORLD);
  const policy = `${sluice.data}/policy.yaml`;
  await Deno.writeTextFile(
    policy,
    "minimumAge: 3d\nwebhooks:\n  - { id: chat, url: 'https://hooks.example/secret', events: [refused] }\n",
  );
  const io = testIo({ cwd: sluice.data, env: { SLUICE_TOKEN: ADMIN }, answers: ["y"] });
  const run = async (...args: string[]) => {
    const code = await org([...args, "--server", sluice.url], io);
    return { code, ...io.take() };
  };
  assert.equal((await run("create", "acme", policy)).code, 0);
  const shown = await run("show", "--org", "acme");
  assert.deepEqual([shown.code, shown.err], [0, ""]);
  assert.match(shown.out, /minimumAge: 3d/);
  assert.match(shown.out, /\(set\)/);
  assert.ok(!shown.out.includes("hooks.example"));

  // What was shown is written back: the secret is still the one that was set.
  await Deno.writeTextFile(policy, shown.out.replace("3d", "4d"));
  assert.equal((await run("set", policy, "--org", "acme", "--message", "a day more")).code, 0);
  const io2 = testIo({ cwd: sluice.data });
  assert.equal(await org(["show", "--org", "acme", "--json", "--data", sluice.data], io2), 0);
  assert.match(io2.take().out, /4d/);

  await Deno.writeTextFile(policy, "minimumAge: soon\nunknown: 1\n");
  const wrong = await run("set", policy, "--org", "acme");
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /minimumAge/);
  assert.match(wrong.err, /unknown/);
  assert.equal((await run("validate", policy, "--org", "acme")).code, 1);

  const history = await run("history", "--org", "acme", "--json");
  assert.deepEqual(
    JSON.parse(history.out).map(({ revision, author }: Record<string, unknown>) => [revision, author]),
    [
      [2, "admin"],
      [1, "admin"],
    ],
  );
  assert.equal((await run("restore", "1", "--org", "acme")).code, 0);
  assert.match((await run("show", "--org", "acme")).out, /3d/);
  assert.match((await run("list")).out, /acme +3/);
  assert.match((await run("waivers", "--org", "acme")).out, /no waivers/);
  assert.equal((await run("waivers", "revoke", "x", "--org", "acme")).code, 1);
  assert.equal((await run("floor", "validate", policy)).code, 1);
  await Deno.writeTextFile(policy, "deny: [npm/evil]\n");
  assert.equal((await run("floor", "set", policy)).code, 0);
  const floor = await run("floor", "show");
  assert.deepEqual([floor.code, floor.err], [0, ""]);
  assert.equal((await run("forget-user", "jane", "--org", "acme")).code, 0);
  assert.equal((await run("delete", "acme")).code, 0);
  assert.equal((await run("show", "--org", "acme")).code, 1);
  assert.match((await run("create", "default")).err, /default/);
});

Deno.test("PUT policy: a change made upon an older revision is 409, and nothing is changed", async () => {
  await using sluice = await startSluice(WORLD);
  const put = (expectedRevision: number, minimumAge: string) =>
    fetch(`${sluice.url}/-/api/v1/organisations/default/policy`, {
      method: "PUT",
      headers: { authorization: `Bearer ${ADMIN}` },
      body: JSON.stringify({ document: { minimumAge }, expectedRevision }),
    }).then(async (response) => [response.status, await response.json()] as const);
  const [first] = await put(1, "2d");
  assert.equal(first, 200);
  const [second, problem] = await put(1, "9d");
  assert.deepEqual([second, problem.code], [409, "conflict"]);
  const [invalid, mistakes] = await put(2, "soon");
  assert.equal(invalid, 422);
  assert.deepEqual(mistakes.errors.map(({ field }: { field: string }) => field), [
    "body.document.minimumAge",
  ]);
});

Deno.test("openapi.json: every endpoint of the table, its schemas resolvable, its scope named; open to anybody", async () => {
  await using sluice = await startSluice(WORLD);
  const response = await fetch(`${sluice.url}/-/api/v1/openapi.json`);
  assert.equal(response.status, 200);
  const document = await response.json();
  assert.equal(document.openapi, "3.1.0");
  assert.ok(document.paths["/organisations/{organisation}/policy"].put);
  assert.ok(document.paths["/tokens"].post.requestBody);
  const text = JSON.stringify(document);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
    assert.ok(document.components.schemas[name!], name);
  }
  assert.ok(!text.includes("#/$defs"));
});
