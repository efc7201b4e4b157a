/** 2 GB through a whole Sluice and back, in a process of its own, on a folder and on a bucket: only where it is asked for. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { S3_MISSING, startS3Server } from "../fakes/s3_server.ts";
import { spawnServer } from "./server.ts";

const MIB = 1024 * 1024;
const CHUNK = new Uint8Array(MIB).map((_, at) => at % 253);
const SIZES: Readonly<Record<string, number>> = { warm: 32, large: 2048 };
const ASKED_FOR = Deno.env.get("SLUICE_TEST_LARGE") === "1" && Deno.build.os === "linux";

/** A registry of two packages whose tarballs are made as they are sent. */
function startRegistry() {
  const integrity = new Map(
    Object.entries(SIZES).map(([name, chunks]) => {
      const hash = createHash("sha512");
      for (let sent = 0; sent < chunks; sent++) hash.update(CHUNK);
      return [name, hash.digest()] as const;
    }),
  );
  const sent = { bytes: 0, downloads: 0 };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const [, name = "", isFile] = /^\/(\w+)(\/-\/)?/.exec(new URL(url).pathname) ?? [];
    if (isFile === undefined) return Response.json(packument(name, url));
    sent.bytes = 0;
    sent.downloads++;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (sent.bytes >= SIZES[name]! * MIB) return controller.close();
        sent.bytes += MIB;
        controller.enqueue(CHUNK);
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "content-length": `${SIZES[name]! * MIB}` } });
  });

  function packument(name: string, url: string) {
    const dist = {
      tarball: new URL(`/${name}/-/${name}-1.0.0.tgz`, url).href,
      integrity: `sha512-${integrity.get(name)!.toString("base64")}`,
    };
    return {
      name,
      "dist-tags": { latest: "1.0.0" },
      versions: { "1.0.0": { name, version: "1.0.0", dist } },
      time: { "1.0.0": "2020-01-01T00:00:00.000Z" },
    };
  }

  return { url: `http://127.0.0.1:${server.addr.port}/`, integrity, sent, server };
}

type Registry = ReturnType<typeof startRegistry>;

/** Reads a file to its end, and what the other process held at most meanwhile, in MiB. */
async function download(pid: number, base: string, name: string, registry: Registry) {
  let most = residentMiB(pid);
  const timer = setInterval(() => most = Math.max(most, residentMiB(pid)), 20);
  const hash = createHash("sha512");
  let sentAtFirstByte: number | null = null;
  try {
    const response = await fetch(`${base}/npm/${name}/-/${name}-1.0.0.tgz`);
    assert.equal(response.status, 200);
    for await (const chunk of response.body!) {
      sentAtFirstByte ??= registry.sent.bytes;
      hash.update(chunk);
    }
  } finally {
    clearInterval(timer);
  }
  assert.ok(hash.digest().equals(registry.integrity.get(name)!), "every byte");
  return { most, sentAtFirstByte: sentAtFirstByte! };
}

function residentMiB(pid: number): number {
  const pages = Number(Deno.readTextFileSync(`/proc/${pid}/statm`).split(" ")[1]);
  return Math.round(pages * 4096 / MIB);
}

async function passThrough(env: Readonly<Record<string, string>>): Promise<void> {
  const registry = startRegistry();
  const data = await Deno.makeTempDir({ prefix: "sluice-large-" });
  try {
    await using sluice = await spawnServer({ data, env: { ...env, SLUICE_UPSTREAM_NPM: registry.url } });
    await download(sluice.pid, sluice.url, "warm", registry);
    await download(sluice.pid, sluice.url, "warm", registry);
    const idle = residentMiB(sluice.pid);
    const up = await download(sluice.pid, sluice.url, "large", registry);
    assert.ok(up.sentAtFirstByte < 1024 * MIB, "its first byte comes before the store has the last");
    const down = await download(sluice.pid, sluice.url, "large", registry);
    assert.equal(registry.sent.downloads, 2, "the second time it comes from the store");
    console.log({ idle, up: up.most - idle, down: down.most - idle });
    assert.ok(up.most - idle < 64, `up: ${up.most - idle} MiB more than idle`);
    assert.ok(down.most - idle < 64, `down: ${down.most - idle} MiB more than idle`);
  } finally {
    await registry.server.shutdown();
    await Deno.remove(data, { recursive: true });
  }
}

if (ASKED_FOR) {
  Deno.test("2 GB through a whole Sluice on a folder and back: less than 64 MB more than idle", () =>
    passThrough({}));

  Deno.test({
    name: "2 GB through a whole Sluice on a bucket and back: less than 64 MB more than idle" +
      (S3_MISSING === null ? "" : ` (skipped: ${S3_MISSING})`),
    ignore: S3_MISSING !== null,
    fn: async () => {
      await using server = await startS3Server();
      await server.createBucket("large");
      await passThrough({
        SLUICE_ARTIFACTS: `s3://large?endpoint=${encodeURIComponent(server.endpoint)}`,
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
      });
    },
  });
}
