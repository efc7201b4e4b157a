/** Audit fixes from end to end: found by an audit, had by whoever audited, then everybody's, and revocable. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { org } from "../../cli/org.ts";
import { testIo } from "../../cli/testing.ts";
import type { EpochMs } from "../../policy/types.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, NOW, startSluice } from "../fakes/sluice.ts";
import { startFakeUpstream } from "../fakes/upstream.ts";
import { ask } from "./ask.ts";

const BULK = "/-/npm/v1/security/advisories/bulk";
const AUDIT = { "npm-command": "audit" };

/**
 * `leaky` 1.0.0 has an advisory that 1.0.1 (two days old), 1.1.0 (three days old) and 2.0.0 (two days old) fix;
 * `raw` 1.0.0 has one, too, of which the fix is half a day old.
 */
async function createWorld() {
  const registry = await startNpmRegistry();
  const privates = await startFakeUpstream();
  registry.publish({
    name: "leaky",
    releases: {
      "1.0.0": { publishedAt: daysAgo(100) },
      "1.0.1": { publishedAt: daysAgo(2) },
      "1.1.0": { publishedAt: daysAgo(3) },
      "2.0.0": { publishedAt: daysAgo(2) },
    },
    tags: { latest: "1.1.0" },
  });
  registry.publish({
    name: "raw",
    releases: { "1.0.0": { publishedAt: daysAgo(100) }, "1.0.1": { publishedAt: daysAgo(0.5) } },
  });
  const advisory = (id: number) => ({
    id,
    url: `https://advisories.example/${id}`,
    vulnerable_versions: "<1.0.1",
  });
  registry.upstream.answer(BULK, {
    method: "POST",
    body: JSON.stringify({ leaky: [advisory(1)], raw: [advisory(2)] }),
    headers: { "content-type": "application/json" },
  });
  const sluice = await startSluice({
    env: {},
    file: JSON.stringify({
      upstreams: { npm: [{ url: registry.upstream.url }, { url: privates.url, match: ["@acme/*"] }] },
    }),
  });
  const npm = `${sluice.url}/npm`;
  const body = { leaky: ["1.0.0"], raw: ["1.0.0"], "@acme/secret": ["1.0.0"] };
  return {
    registry,
    sluice,
    npm,
    audit: (user?: string) =>
      ask(npm + BULK, {
        method: "POST",
        ...(user === undefined ? {} : { user }),
        headers: { ...AUDIT, "content-type": "application/json", "content-encoding": "gzip" },
        body: new Uint8Array(gzipSync(JSON.stringify(body))),
      }),
    versions: async (name: string, user: string, headers: Readonly<Record<string, string>> = AUDIT) =>
      Object.keys((await ask(`${npm}/${name}`, { user, headers, abbreviated: true })).json().versions),
    file: (name: string, version: string, user: string, headers: Readonly<Record<string, string>> = AUDIT) =>
      ask(`${npm}/${name}/-/${name}-${version}.tgz`, { user, headers }),
    async waivers(...operands: readonly string[]) {
      const io = testIo({ cwd: sluice.data });
      const code = await org(["waivers", ...operands, "--data", sluice.data, "--json"], {
        ...io,
        clock: () => NOW as EpochMs,
      });
      const { out, err } = io.take();
      assert.equal(code, 0, err);
      return out;
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
      await privates[Symbol.asyncDispose]();
    },
  };
}

Deno.test("audit: what goes upstream names no package of another registry, and its answer comes back", async () => {
  await using world = await createWorld();
  const answer = await world.audit("ada");
  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.json()), ["leaky", "raw"]);
  const [asked] = world.registry.upstream.asked(BULK);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(asked!.body)), { leaky: ["1.0.0"], raw: ["1.0.0"] });
  assert.equal(asked!.headers.get("authorization"), undefined, "the caller's name stays here");
  const bad = await ask(world.npm + BULK, {
    method: "POST",
    user: "ada",
    body: new TextEncoder().encode("["),
  });
  assert.equal(bad.status, 400);
  assert.equal(world.registry.upstream.asked(BULK).length, 1);
});

Deno.test("audit fixes: who audited has the lowest fix, then everybody, until it is revoked; nothing else is lifted", async () => {
  await using world = await createWorld();
  const { sluice, audit, versions, file, waivers } = world;
  for (const name of ["leaky", "raw"]) assert.equal((await file(name, "1.0.0", "ada", {})).status, 200);
  assert.deepEqual(await versions("leaky", "ada"), ["1.0.0"], "an audit that found nothing lifts nothing");

  await audit();
  await audit("bob");
  assert.deepEqual(await versions("leaky", "bob"), ["1.0.0"], "the log has not seen bob install it");

  await audit("ada");
  assert.deepEqual(
    await versions("leaky", "ada"),
    ["1.0.0", "1.0.1"],
    "the lowest fix of the same major line",
  );
  assert.deepEqual(await versions("raw", "ada"), ["1.0.0"], "a fix is a day old at least");
  assert.deepEqual(await versions("leaky", "ada", {}), ["1.0.0"], "only while it audits");
  assert.deepEqual(await versions("leaky", "bob"), ["1.0.0"], "for no other caller");
  assert.equal((await file("leaky", "1.0.1", "bob")).status, 403);
  assert.equal((await file("leaky", "1.1.0", "ada")).status, 403);
  assert.equal((await file("raw", "1.0.1", "ada")).status, 403);
  assert.deepEqual(JSON.parse(await waivers()), []);

  assert.equal((await file("leaky", "1.0.1", "ada")).status, 200);
  // The waiver is written behind the answer.
  let listed: { id: string; version: string; owner: string; kind: string; until: unknown }[] = [];
  for (let tries = 0; listed.length === 0 && tries < 1_000; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    listed = JSON.parse(await waivers());
  }
  assert.deepEqual(listed.map(({ version, owner, kind }) => [version, owner, kind]), [[
    "1.0.1",
    "ada",
    "audit-fix",
  ]]);
  sluice.advance(1_001);
  assert.equal((await file("leaky", "1.0.1", "ci", {})).status, 200);
  assert.deepEqual(await versions("leaky", "ci", {}), ["1.0.0", "1.0.1"]);

  await waivers("revoke", listed[0]!.id);
  sluice.advance(1_001);
  assert.equal((await file("leaky", "1.0.1", "ci", {})).status, 403);
  assert.deepEqual(await versions("leaky", "ci", {}), ["1.0.0"]);
});

Deno.test("audit fixes: off in the policy, an audit is passed on and lifts nothing", async () => {
  await using world = await createWorld();
  await world.sluice.setPolicy({ auditFixes: false });
  await world.file("leaky", "1.0.0", "ada", {});
  assert.equal((await world.audit("ada")).status, 200);
  assert.deepEqual(await world.versions("leaky", "ada"), ["1.0.0"]);
});
