/** `root: [npm]`: a host answers as a registry at its root too, with everything of ours under `/-/`. */
import assert from "node:assert/strict";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";

async function world(root: string) {
  const registry = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  for (const name of ["plain", "npm", "o", "health", "@acme/scoped"]) {
    registry.publish({ name, releases: { "1.0.0": old, "1.1.0": { publishedAt: daysAgo(2) } } });
  }
  const sluice = await startSluice({
    env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, SLUICE_ROOT: root },
  });
  return {
    sluice,
    async json(path: string) {
      const response = await fetch(`${sluice.url}${path}`, { headers: { "user-agent": "npm/11.0.0" } });
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

Deno.test("root: packages of any name answer at the root, decided like below the mount, and link to the root", async () => {
  await using place = await world("npm");
  for (const name of ["plain", "npm", "o", "health", "@acme/scoped"]) {
    const { status, body } = await place.json(`/${name}`);
    assert.equal(status, 200, name);
    assert.equal(body["dist-tags"].latest, "1.0.0", name);
    const { tarball } = body.versions["1.0.0"].dist;
    assert.ok(tarball.startsWith(`${place.sluice.url}/${name}/-/`), tarball);
    const file = await fetch(tarball);
    assert.equal(file.status, 200, tarball);
    await file.body?.cancel();
    const young = await place.json(new URL(tarball.replace("1.0.0.tgz", "1.1.0.tgz")).pathname);
    assert.equal(young.status, 403, name);
    assert.match(young.body.error, /is held until/);
  }
});

Deno.test("root: what is ours stays under /-/, the registry's own endpoints answer beside it, and the mount stays", async () => {
  await using place = await world("npm");
  assert.equal((await place.json("/-/health")).body.status, "ok");
  assert.deepEqual((await place.json("/-/ping")).body, {});
  assert.deepEqual((await place.json("/npm/-/ping")).body, {});
  assert.equal((await place.json("/npm/plain")).status, 200);
  assert.equal((await place.json("/o/default/npm/plain")).status, 200);
  const why = await fetch(`${place.sluice.url}/-/why/pkg:npm/plain`);
  assert.equal(why.status, 200);
  await why.body?.cancel();
});

Deno.test("root: off by default, and only for ecosystems there are", async () => {
  await using place = await world("");
  assert.equal(
    (await fetch(`${place.sluice.url}/plain`).then((response) => (response.body?.cancel(), response))).status,
    404,
  );
  await assert.rejects(world("npm,nope"), /"expected":"ecosystems: /);
});
