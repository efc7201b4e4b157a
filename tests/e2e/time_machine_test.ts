import assert from "node:assert/strict";
import { ADMIN_TOKEN } from "../fakes/holders.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { cargoTest, createCargoWorld } from "./cargo_world.ts";
import { createPypiWorld, forEachPythonClient } from "./pypi_world.ts";
import { COMMANDS, createWorld, forEachClient } from "./world.ts";

/** The day that everything is installed on, once as it is and, two months later, as it was. */
const THEN = daysAgo(0);
const LATER_MS = 60 * 86_400_000;
const WAS = { needs: "1.0.0", steady: "1.1.0", fresh: "1.0.0" };
const IS = { needs: "1.0.0", steady: "1.2.0", fresh: "1.1.0" };
/** `steady`, once another release of it came out. */
const STEADY = {
  name: "steady",
  releases: {
    "1.0.0": { publishedAt: daysAgo(200) },
    "1.1.0": { publishedAt: daysAgo(100) },
    "1.2.0": { publishedAt: daysAgo(-20) },
  },
};

await forEachClient(
  "reproduces an install of a past date: the same versions, the same digests",
  async (client) => {
    await using world = await createWorld();
    const { install, frozen, lockfile } = COMMANDS[client];
    const dependencies = { needs: "^1.0.0", steady: "^1.0.0", fresh: "^1.0.0" };
    const digestsOf = (text: string) =>
      [...text.matchAll(/sha512-[A-Za-z0-9+/=]+/g)].map(([digest]) => digest).sort();
    await using before = await world.project(client, { dependencies });
    assert.equal((await before.run(...install)).code, 0);
    await check(before, WAS);

    world.sluice.advance(LATER_MS);
    world.registry.publish(STEADY);
    await using now = await world.project(client, { dependencies });
    assert.equal((await now.run(...install)).code, 0);
    await check(now, IS);

    const registry = `${world.sluice.url}/at/${THEN}/npm/`;
    await using then = await world.project(client, { dependencies, registry });
    const ran = await then.run(...install);
    if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client}\n${ran.output.trim()}`);
    assert.equal(ran.code, 0, ran.output);
    await check(then, WAS);
    assert.deepEqual(digestsOf(await then.read(lockfile)), digestsOf(await before.read(lockfile)));
    await then.forget();
    assert.equal((await then.run(...frozen)).code, 0);
    await check(then, WAS);
    const asOf = (await world.sluice.installs()).filter((record) => record.asOf !== undefined);
    assert.ok(asOf.length >= 3 && asOf.every((record) => record.asOf === Date.parse(THEN)));
  },
  ["npm", "pnpm"],
);

await forEachClient(
  "a freeze: an install takes what was there, a lockfile's newer release is refused with the reason",
  async (client) => {
    await using world = await createWorld();
    const { install, frozen } = COMMANDS[client];
    const dependencies = { steady: "^1.0.0" };
    await using before = await world.project(client, { dependencies });
    assert.equal((await before.run(...install)).code, 0);
    await check(before, { steady: "1.1.0" });

    const made = await fetch(`${world.sluice.url}/-/api/v1/freeze`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({ purl: "pkg:npm/steady@1.0.0", reason: "until the audit" }),
    });
    assert.equal(made.status, 201, await made.text());
    world.sluice.advance(1_001);
    await before.forget();
    const refused = await before.run(...frozen);
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.output,
      /steady 1\.1\.0 is denied: newer than the freeze at 2025-11-13T12:00Z: until the audit/,
    );
    assert.equal((await world.sluice.installs())[0]?.rule, "freeze");
    await using after = await world.project(client, { dependencies });
    assert.equal((await after.run(...install)).code, 0);
    await check(after, { steady: "1.0.0" });
  },
  ["npm"],
);

await forEachPythonClient("reproduces an install of a past date", async (client) => {
  await using world = await createPypiWorld();
  const dependencies = ["needs"];
  await using before = await world.project(client, { dependencies });
  assert.equal((await before.install()).code, 0);
  await check(before, WAS);

  world.sluice.advance(LATER_MS);
  world.registry.publish(STEADY);
  const index = `${world.sluice.url}/at/${THEN}/pypi/simple/`;
  await using then = await world.project(client, { dependencies, index });
  const ran = await then.install();
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client}\n${ran.output.trim()}`);
  assert.equal(ran.code, 0, ran.output);
  await check(then, WAS);
  await using now = await world.project(client, { dependencies });
  assert.equal((await now.install()).code, 0);
  await check(now, IS);
}, ["pip", "uv"]);

cargoTest("reproduces an install of a past date: the same Cargo.lock", async () => {
  await using world = await createCargoWorld();
  const dependencies = { needs: "1" };
  await using before = await world.project({ dependencies });
  assert.equal((await before.run("fetch")).code, 0);
  assert.equal(await before.locked("steady"), WAS.steady);

  world.sluice.advance(LATER_MS);
  world.registry.publish(STEADY);
  await using now = await world.project({ dependencies });
  assert.equal((await now.run("fetch")).code, 0);
  assert.deepEqual([await now.locked("steady"), await now.locked("fresh")], [IS.steady, IS.fresh]);

  await using then = await world.project({ dependencies, registry: `${world.sluice.url}/at/${THEN}/cargo/` });
  const ran = await then.run("fetch");
  if (Deno.env.get("SLUICE_SHOW")) console.log(`--- cargo\n${ran.output.trim()}`);
  assert.equal(ran.code, 0, ran.output);
  assert.equal(await then.lockfile(), await before.lockfile());
  // What a lockfile of today names was not there then, and the refusal says so.
  await then.write("Cargo.lock", await now.lockfile());
  await then.forget();
  const refused = await then.run("fetch", "--locked");
  assert.notEqual(refused.code, 0);
  assert.match(refused.output, /published 2026-06-21T12:00Z, after the instant of this address/);
});

async function check(
  project: { installed(name: string): Promise<string | null> },
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, version] of Object.entries(versions)) {
    assert.equal(await project.installed(name), version, name);
  }
}
