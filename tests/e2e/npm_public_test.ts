/** The public registry, where this machine reaches it; else every test here skips and says so. */
import assert from "node:assert/strict";
import { npm } from "../../ecosystems/npm/npm.ts";
import { startSluice } from "../fakes/sluice.ts";
import { type ClientName, createProject, findClient } from "./clients.ts";
import { unreachable } from "./reach.ts";
import { CLIENTS, COMMANDS } from "./world.ts";

const DAY = Date.UTC(2026, 10, 20);
/** A proxy that refuses every connection: upstream is gone, its address stays the same. */
const GONE = { HTTPS_PROXY: "http://127.0.0.1:9" };
const DEPENDENCIES = { express: "^5.0.0", "@sindresorhus/is": "^7.0.0", "core-js": "^3.0.0" };

const away = await unreachable(new URL("is-odd", npm.upstreams.registry));

for (const client of CLIENTS) await publicTest(client);

async function publicTest(client: ClientName): Promise<void> {
  const found = await findClient(client) !== null;
  const why = away !== null
    ? " (skipped: the public registry cannot be reached)"
    : found
    ? ""
    : ' (skipped: run "deno task clients" first)';
  Deno.test({
    name: `${client}: real packages from the public registry, cold, then with upstream switched off${why}`,
    ignore: why !== "",
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => coldThenOffline(client),
  });
}

async function coldThenOffline(client: ClientName): Promise<void> {
  await using sluice = await startSluice({ env: {}, now: DAY });
  await using project = await createProject({
    client,
    registry: `${sluice.url}/npm/`,
    user: "ada",
    dependencies: DEPENDENCIES,
  });
  const cold = await project.run(...COMMANDS[client].install);
  assert.equal(cold.code, 0, cold.output);
  for (const name of Object.keys(DEPENDENCIES)) assert.notEqual(await project.installed(name), null, name);
  const first = await sluice.installs();
  assert.ok(
    first.length > 50 && first.every((record) => record.outcome === "served" && record.user === "ada"),
  );

  await sluice.restart(GONE);
  sluice.advance(3 * 60 * 60_000);
  await project.forget();
  const warm = await project.run(...COMMANDS[client].frozen);
  assert.equal(warm.code, 0, warm.output);
  for (const name of Object.keys(DEPENDENCIES)) assert.notEqual(await project.installed(name), null, name);
  const hits = (await sluice.installs()).slice(0, -first.length).filter((record) => record.cache === "hit");
  assert.ok(hits.length > 50, `${hits.length} files came from the cache`);
}
