import assert from "node:assert/strict";
import { createProject } from "./clients.ts";
import { ADMIN_TOKEN } from "../fakes/holders.ts";
import { until } from "../fakes/program.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { createWorld, forEachClient, type World } from "./world.ts";

const BULK = "/-/npm/v1/security/advisories/bulk";

/** `frail` 1.0.0 has an advisory, 1.0.1 mends it and is three days old, 1.0.2 is of this hour. */
function publishFrail(world: World): void {
  world.registry.publish({
    name: "frail",
    releases: {
      "1.0.0": { publishedAt: daysAgo(300) },
      "1.0.1": { publishedAt: daysAgo(3) },
      "1.0.2": { publishedAt: daysAgo(0.04) },
    },
  });
  const advisory = {
    id: 1,
    url: "https://advisories.example/1",
    title: "frail is frail",
    severity: "high",
    vulnerable_versions: "<1.0.1",
  };
  world.registry.upstream.answer(BULK, {
    method: "POST",
    body: JSON.stringify({ frail: [advisory] }),
    headers: { "content-type": "application/json" },
  });
}

async function isWaived({ sluice }: World): Promise<boolean> {
  const response = await fetch(`${sluice.url}/-/api/v1/organisations/default/waivers`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return text.includes('"1.0.1"');
}

await forEachClient(
  "npm audit fix may install the release that mends an advisory before it has matured, and CI the same lockfile",
  async (client) => {
    await using world = await createWorld();
    publishFrail(world);
    await using project = await world.project(client, { dependencies: { frail: "^1.0.0" } });
    const installed = await project.run("install");
    assert.equal(installed.code, 0, installed.output);
    assert.equal(await project.installed("frail"), "1.0.0");

    const audited = await project.run("audit");
    assert.match(audited.output, /frail is frail/);
    const fixed = await project.run("audit", "fix");
    if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client} audit fix\n${fixed.output.trim()}`);
    assert.equal(await project.installed("frail"), "1.0.1", fixed.output);

    // It is written behind the answer, and seen by everybody within a second.
    await until("the fix is waived", () => isWaived(world));
    world.sluice.advance(1_001);
    await using other = await world.project(client, { user: "ci", dependencies: { frail: "^1.0.0" } });
    await other.write("package-lock.json", await project.read("package-lock.json"));
    await other.write("package.json", await project.read("package.json"));
    const ci = await other.run("ci");
    assert.equal(ci.code, 0, ci.output);
    assert.equal(await other.installed("frail"), "1.0.1");
  },
  ["npm"],
);

await forEachClient("without a name an audit grants nothing", async (client) => {
  await using world = await createWorld();
  publishFrail(world);
  const anonymous = { client, registry: world.npm, dependencies: { frail: "^1.0.0" } };
  await using project = await createProject(anonymous);
  await project.run("install");
  await project.run("audit", "fix");
  assert.equal(await project.installed("frail"), "1.0.0");
}, ["npm"]);
