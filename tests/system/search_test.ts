/** Search: upstream finds, cached facts say what may be said, and it outlives its upstream. */
import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";

const SEARCH = "/-/v1/search";

function found(name: string, version: string) {
  return { package: { name, version, date: "2026-05-30T12:00:00.000Z" }, score: {}, searchScore: 1 };
}

Deno.test("search: known packages show what is allowed and name a decision, unknown ones no version; stale when upstream is gone", async () => {
  await using registry = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  registry.publish({ name: "fresh", releases: { "1.0.0": old, "1.1.0": { publishedAt: daysAgo(2) } } });
  const objects = [found("fresh", "1.1.0"), found("unheard", "9.9.9")];
  registry.upstream.answer(new RegExp(`^${SEARCH}`), {
    body: JSON.stringify({ objects, total: 2, time: "now" }),
    headers: { "content-type": "application/json" },
  });
  await using sluice = await startSluice({ env: { SLUICE_UPSTREAM_NPM: registry.upstream.url } });
  const search = async () => {
    const response = await fetch(`${sluice.url}/npm${SEARCH}?text=fresh`);
    return { response, body: await response.json() };
  };
  await (await fetch(`${sluice.url}/npm/fresh`)).body?.cancel();

  const { response, body } = await search();
  const shown = body.objects.map((
    each: { package: { name: string; version?: string } },
  ) => [each.package.name, each.package.version]);
  assert.deepEqual(shown, [["fresh", "1.0.0"], ["unheard", undefined]]);
  const link = /<([^>]+)>/.exec(response.headers.get("link") ?? "")?.[1] ?? "";
  assert.ok(response.headers.get("x-sluice-decision"));
  assert.match(await (await fetch(link)).text(), /fresh/);
  assert.equal(registry.upstream.asked("/unheard").length, 0, "no name found is asked for");

  await registry.upstream.stop();
  sluice.advance(60_000);
  const later = await search();
  assert.equal(later.response.status, 200);
  assert.equal(later.response.headers.get("age"), "60");
  assert.deepEqual(later.body.objects.length, 2);
});
