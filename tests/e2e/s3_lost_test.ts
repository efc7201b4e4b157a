/** A bucket that lost a file, and everybody asks for it. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createTarball, startNpmRegistry } from "../fakes/npm_registry.ts";
import { S3_MISSING, type S3Server, startS3Server } from "../fakes/s3_server.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask } from "../system/ask.ts";

async function keysIn(server: S3Server): Promise<readonly string[]> {
  const { text } = await server.ask("GET", "/sluice?list-type=2");
  return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map((match) => match[1]!);
}

Deno.test({
  name:
    "--artifacts s3://…: a file that is gone from the bucket, and 500 clients: fetched again once, told once, right for all" +
    (S3_MISSING === null ? "" : ` (skipped: ${S3_MISSING})`),
  ignore: S3_MISSING !== null,
  fn: async () => {
    await using server = await startS3Server();
    await server.createBucket("sluice");
    await using registry = await startNpmRegistry();
    const noise = Array.from({ length: 200_000 }, (_, line) => `${line * 7919 % 999_983}\n`).join("");
    const releases = {
      "1.0.0": { publishedAt: daysAgo(100) },
      "2.0.0": {
        publishedAt: daysAgo(100),
        files: { "noise.txt": noise + noise.split("").reverse().join("") },
      },
    };
    registry.publish({ name: "lost", releases });
    const env = {
      SLUICE_UPSTREAM_NPM: registry.upstream.url,
      SLUICE_ARTIFACTS: `s3://sluice?endpoint=${encodeURIComponent(server.endpoint)}`,
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    };
    await using sluice = await startSluice({ env, now: Date.now() });
    for (const [version, release] of Object.entries(releases)) {
      const url = `${sluice.url}/npm/lost/-/lost-${version}.tgz`;
      const tarball = createTarball("lost", version, release);
      const key = `sha256/${createHash("sha256").update(tarball).digest("hex").replace(/^(..)/, "$1/$1")}`;
      assert.ok(Buffer.from((await ask(url)).bytes).equals(tarball));
      assert.ok((await keysIn(server)).includes(key), key);
      await server.ask("DELETE", `/sluice/${key}`);
      // Small files are in memory.
      await sluice.restart();
      const lines = sluice.lines.length;
      const answers = await Promise.all(Array.from({ length: 500 }, (_, at) => ask(url, { user: `u${at}` })));
      for (const { status, bytes } of answers) {
        assert.equal(status, 200);
        assert.ok(Buffer.from(bytes).equals(tarball), `${version}: every byte`);
      }
      assert.equal(registry.downloads("lost", version), 2, version);
      const told = sluice.lines.slice(lines).filter(({ level }) => level === "warn" || level === "error");
      assert.deepEqual(told.map(({ message }) => message), [
        `Fetching npm file "lost-${version}.tgz" again: its blob is lost or damaged`,
      ]);
      assert.ok((await keysIn(server)).includes(key), "it is there again");
    }
  },
});
