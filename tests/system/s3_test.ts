/** A whole Sluice whose artifacts are in a bucket, from the real S3 server, with the real npm. */
import assert from "node:assert/strict";
import { createProject, findClient } from "../e2e/clients.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { S3_MISSING, type S3Server, startS3Server } from "../fakes/s3_server.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";

const MISSING = S3_MISSING ?? (await findClient("npm") === null ? "npm is missing: deno task clients" : null);

async function keysIn(server: S3Server): Promise<readonly string[]> {
  const { text } = await server.ask("GET", "/sluice?list-type=2");
  return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => match[1]!);
}

Deno.test({
  name: "--artifacts s3://…: npm installs, again after a restart with upstream gone, all from the bucket" +
    (MISSING === null ? "" : ` (skipped: ${MISSING})`),
  ignore: MISSING !== null,
  fn: async () => {
    await using server = await startS3Server();
    await server.createBucket("sluice");
    await using registry = await startNpmRegistry();
    registry.publish({ name: "steady", releases: { "1.1.0": { publishedAt: daysAgo(100) } } });
    const env = {
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
      SLUICE_ARTIFACTS: `s3://sluice/prod?endpoint=${encodeURIComponent(server.endpoint)}`,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    };
    // The server refuses what is signed at another time than its own.
    await using sluice = await startSluice({ env, now: Date.now() });
    const dependencies = { steady: "^1.0.0" };
    await using project = await createProject({
      client: "npm",
      registry: `${sluice.url}/npm/`,
      user: "ada",
      dependencies,
    });

    const first = await project.run("install");
    assert.equal(first.code, 0, first.output);
    assert.equal(await project.installed("steady"), "1.1.0");
    const keys = await keysIn(server);
    assert.ok(keys.length >= 2, `the packument and the tarball: ${keys}`);
    for (const key of keys) assert.match(key, /^prod\/sha256\/[0-9a-f]{2}\/[0-9a-f]{64}$/);
    const folders = await Array.fromAsync(Deno.readDir(sluice.data), ({ name }) => name);
    assert.ok(!folders.includes("artifacts"), "nothing of it is on the disk");

    await sluice.restart();
    await registry.upstream.stop();
    await project.forget();
    const again = await project.run("ci");
    assert.equal(again.code, 0, again.output);
    assert.equal(await project.installed("steady"), "1.1.0");
    assert.doesNotMatch(JSON.stringify(sluice.lines), /testsecret/);
    const kinds = (await sluice.installs()).map(({ file, outcome }) => `${file} ${outcome}`);
    assert.equal(kinds.length, 2, kinds.join());
  },
});
