/** The Cache page: a look at a purge says what would go, by name, before there is a button that does it. */
import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { signIn } from "../fakes/signed_in.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

const CACHE = "/-/admin/default/cache";

Deno.test("Cache page: a look names packages, files and their size; nothing is touched; then it goes", async () => {
  await using registry = await startNpmRegistry();
  registry.publish({ name: "left-pad", releases: { "1.3.0": { publishedAt: daysAgo(300) } } });
  await using sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_OWNERS: "github:root" },
  });
  await ask(`${sluice.url}/npm/left-pad`);
  await ask(`${sluice.url}/npm/left-pad/-/left-pad-1.3.0.tgz`);
  const root = await signIn(sluice, { user: "root", role: null });
  const seen = async (fields: Readonly<Record<string, string>>) => {
    const response = await root.post(CACHE, fields);
    const html = await response.text();
    assert.equal(response.status, 200, html.slice(0, 2_000));
    return html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
  };
  for (let looks = 0; looks < 2; looks++) {
    const looked = await seen({ action: "look", what: "pkg:npm/left-pad" });
    assert.match(looked, /would take away 1 files and 1 records of documents, of 1 packages/);
    assert.match(
      looked,
      /Package File Size .*pkg:npm\/left-pad its documents .* pkg:npm\/left-pad left-pad-1\.3\.0\.tgz/,
    );
  }
  const gone = await seen({ action: "purge", what: "pkg:npm/left-pad" });
  assert.match(gone, /Taken away: 1 files/);
  assert.doesNotMatch(gone, /left-pad-1\.3\.0\.tgz/);
  assert.match(await seen({ action: "look", what: "pkg:npm/left-pad" }), /would take away 0 files/);
  const wrong = await root.post(CACHE, { action: "look", what: "gems" });
  assert.deepEqual([wrong.status, /is neither a purl nor an ecosystem/.test(await wrong.text())], [
    400,
    true,
  ]);
});
