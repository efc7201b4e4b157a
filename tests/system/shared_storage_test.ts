/** Two processes over one storage, and addresses that many share. */
import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const HOUR_MS = 3_600_000;

Deno.test("GET /npm/{package}: what another process has replaced is read from the storage, upstream gone", async () => {
  await using registry = await startNpmRegistry();
  const old = { "1.0.0": { publishedAt: daysAgo(400) } };
  registry.publish({ name: "shared", releases: old });
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url };
  await using first = await startSluice({ env });
  await using second = await startSluice({ env, data: first.data });
  for (const sluice of [first, second]) assert.equal((await ask(`${sluice.url}/npm/shared`)).status, 200);

  registry.publish({ name: "shared", releases: { ...old, "1.1.0": { publishedAt: daysAgo(300) } } });
  first.advance(2 * HOUR_MS);
  assert.deepEqual(Object.keys((await ask(`${first.url}/npm/shared`)).json().versions), ["1.0.0", "1.1.0"]);
  await waitForReplaced(first.data);

  // The second believes its copy for an hour, and has not rendered this form of it: its document is gone.
  await registry.upstream.stop();
  const late = await ask(`${second.url}/npm/shared`, { abbreviated: true });
  assert.equal(late.status, 200, late.text);
  assert.deepEqual(Object.keys(late.json().versions), ["1.0.0", "1.1.0"]);
});

/** The document that was replaced is deleted behind the answer. */
async function waitForReplaced(data: string): Promise<void> {
  for (let i = 0; i < 3_000; i++) {
    const files = await Array.fromAsync(walk(`${data}/artifacts`));
    if (files.length === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("The replaced document was not deleted");
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else if (/[0-9a-f]{64}/.test(path.replaceAll("/", ""))) yield path;
  }
}

Deno.test("GET /npm/{package}: an address that asked for too many unknown names still gets the known ones", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "known", releases: { "1.0.0": { publishedAt: daysAgo(400) } } });
  registry.publish({ name: "fresh", releases: { "1.0.0": { publishedAt: daysAgo(400) } } });
  registry.upstream.answer(/^\/none-/, { status: 404, body: "{}" });
  // Facts are not kept in memory, so that every question about a package goes to the storage.
  const env = { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_FACTS_MEMORY: "1kB" };
  await using sluice = await startSluice({ env });
  assert.equal((await ask(`${sluice.url}/npm/known`)).status, 200);
  for (let n = 0; n < 2_000; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => ask(`${sluice.url}/npm/none-${n + i}`)));
  }
  const refused = await ask(`${sluice.url}/npm/none-too-many`);
  assert.equal(refused.status, 429);
  assert.equal(refused.json().code, "too-many-unknown-names");
  assert.equal(refused.headers.get("retry-after"), null, "pip would wait for as long, without a word");
  assert.equal((await ask(`${sluice.url}/npm/fresh`)).status, 429, "unknown to this storage yet");
  assert.equal((await ask(`${sluice.url}/npm/known`)).status, 200);
  assert.equal((await ask(`${sluice.url}/npm/known/-/known-1.0.0.tgz`)).status, 200);
  sluice.advance(11 * 60_000);
  assert.equal((await ask(`${sluice.url}/npm/fresh`)).status, 200);
});
