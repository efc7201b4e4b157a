/** Five hundred clients that read a byte a second: what they cost, and what a healthy one notices of them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { S3_MISSING, type S3Server, startS3Server } from "../fakes/s3_server.ts";
import { bytesOf, sha256Hex } from "../soak/fixtures.ts";
import { inMegabytes, memoryOf, NO_PROC } from "./process_memory.ts";
import { spawnServer } from "./server.ts";
import { startSlowCrowd } from "./slow_crowd.ts";

const CLIENTS = 500;
/** What the kernel gives a socket to send from and to receive into, where it is not said otherwise. */
const SOCKET_BYTES = ["wmem_default", "rmem_default"].reduce((sum, name) => sum + socketBuffer(name), 0);
/** Over what the server took before they came. */
const MOST_BYTES = CLIENTS * SOCKET_BYTES;
/** Beside them, a healthy client may take so many times as long as alone, plus what a busy machine takes: none waits for them. */
const RATIO = 4;
const NOISE_MS = 2_000;
const OLD = new Date(Date.now() - 100 * 86_400_000).toISOString();

interface Scenario {
  readonly name: string;
  readonly path: string;
  /** Of what is sent; null: known to be long, and nothing else. */
  readonly sha256: string | null;
  /** Publishes it. */
  readonly publish: (registry: FakeNpmRegistry) => void;
  /** The crowd comes while the file comes in, and nobody has asked for it before. */
  readonly cold?: boolean;
  readonly s3?: boolean;
}

function publishFile(name: string, sizeBytes: number, dripMs = 0) {
  const make = () => bytesOf(name, sizeBytes);
  return (registry: FakeNpmRegistry) => {
    const bytes = make();
    const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
    const path = registry.tarballPath(name, "1.0.0");
    const dist = { integrity, tarball: `${registry.upstream.url.replace(/\/$/, "")}${path}` };
    registry.publish({ name, releases: { "1.0.0": { publishedAt: OLD, manifest: { dist } } } });
    const stream = { [Symbol.asyncIterator]: () => dripped(make(), dripMs) };
    registry.upstream.answer(path, { stream, headers: { "content-type": "application/octet-stream" } });
  };
}

async function* dripped(bytes: Uint8Array, dripMs: number): AsyncIterator<Uint8Array> {
  const piece = 1024 * 1024;
  for (let at = 0; at < bytes.byteLength; at += piece) {
    yield bytes.subarray(at, at + piece);
    if (dripMs > 0) await new Promise((resolve) => setTimeout(resolve, dripMs));
  }
}

/** 21 MB that compress to next to nothing; sent as they are to who accepts no gzip. */
function publishWide(registry: FakeNpmRegistry): void {
  const manifest = { description: "x".repeat(7_000) };
  const releases = Array.from(
    { length: 3_000 },
    (_, n) => [`1.0.${n}`, { publishedAt: OLD, manifest }] as const,
  );
  const integrity = `sha512-${bytesOf("wide", 64).toBase64()}`;
  const body = JSON.stringify({
    name: "wide",
    "dist-tags": { latest: "1.0.2999" },
    versions: Object.fromEntries(
      releases.map(([version]) => [version, {
        name: "wide",
        version,
        ...manifest,
        dist: { integrity, tarball: `${registry.upstream.url}wide/-/wide-${version}.tgz` },
      }]),
    ),
    time: Object.fromEntries(releases.map(([version]) => [version, OLD])),
  });
  registry.upstream.answer("/wide", { body, headers: { "content-type": "application/json" } });
}

const digestOf = (name: string, sizeBytes: number) => sha256Hex(bytesOf(name, sizeBytes));
const LARGE = 100_000_000;

const SCENARIOS: readonly Scenario[] = [
  { name: "an index of 21 MB", path: "/npm/wide", sha256: null, publish: publishWide },
  {
    name: "a hot artifact of 1 MB",
    path: "/npm/hot/-/hot-1.0.0.tgz",
    sha256: digestOf("hot", 2 ** 20),
    publish: publishFile("hot", 2 ** 20),
  },
  {
    name: "an artifact of 100 MB from the folder",
    path: "/npm/large/-/large-1.0.0.tgz",
    sha256: digestOf("large", LARGE),
    publish: publishFile("large", LARGE),
  },
  {
    name: "an artifact of 100 MB from S3",
    path: "/npm/large/-/large-1.0.0.tgz",
    sha256: digestOf("large", LARGE),
    publish: publishFile("large", LARGE),
    s3: true,
  },
  {
    name: "a fill of 100 MB that runs",
    path: "/npm/coming/-/coming-1.0.0.tgz",
    sha256: digestOf("coming", LARGE),
    publish: publishFile("coming", LARGE, 100),
    cold: true,
  },
];

for (const scenario of SCENARIOS) {
  const missing = NO_PROC ?? (scenario.s3 ? S3_MISSING : null);
  const name = `${scenario.name}: five hundred clients of a byte a second take no more than their ` +
    `sockets, and a healthy one is served beside them`;
  Deno.test({
    name: missing === null ? name : `${name} (skipped: ${missing})`,
    ignore: missing !== null,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => crowded(scenario),
  });
}

/** Of a container without its own: Linux' 212,992. */
function socketBuffer(name: string): number {
  try {
    return Number(Deno.readTextFileSync(`/proc/sys/net/core/${name}`));
  } catch {
    return 212_992;
  }
}

async function crowded(scenario: Scenario): Promise<void> {
  await using registry = await startNpmRegistry();
  scenario.publish(registry);
  await using s3 = scenario.s3 ? await startS3Server() : null;
  await s3?.createBucket("slow");
  const data = await Deno.makeTempDir({ prefix: "sluice-slow-" });
  try {
    await using server = await spawnServer({
      data,
      env: { SLUICE_UPSTREAM_NPM: registry.upstream.url, ...bucketOf(s3) },
    });
    const url = `${server.url}${scenario.path}`;
    const alone: number[] = [];
    // What a fill costs by itself is not what is asked about.
    publishFile("before", LARGE)(registry);
    await healthy(`${server.url}/npm/before/-/before-1.0.0.tgz`, digestOf("before", LARGE));
    if (!scenario.cold) {
      for (let n = 0; n < 6; n++) alone.push(await healthy(url, scenario.sha256));
    }
    const before = await memoryOf(server.pid);
    await using crowd = startSlowCrowd({ url, clients: CLIENTS });
    const besides: number[] = [];
    if (scenario.cold) await healthy(url, scenario.sha256);
    await crowd.reached(3);
    for (let n = 0; n < 6; n++) besides.push(await healthy(url, scenario.sha256));
    await settled(server.pid);
    const { rssBytes, peakBytes } = await memoryOf(server.pid);
    const more = peakBytes - before.peakBytes;
    const told = `${inMegabytes(before.rssBytes)} before them, ${inMegabytes(rssBytes)} with them, at most ` +
      `${inMegabytes(peakBytes)} (${inMegabytes(before.peakBytes)} before); ` +
      `healthy: ${fast(alone)} ms alone, ${fast(besides)} ms beside them`;
    console.log(`      ${scenario.name}: ${told}`);
    assert.equal(crowd.failed, 0);
    assert.ok(more < MOST_BYTES, told);
    if (alone.length > 0) assert.ok(fast(besides) < RATIO * fast(alone) + NOISE_MS, told);
    if (scenario.cold) assert.equal(registry.downloads("coming", "1.0.0"), 1);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

/** Until it takes no more than it did a second ago. */
async function settled(pid: number): Promise<void> {
  for (let last = 0, now = (await memoryOf(pid)).rssBytes; now > last + 1_000_000;) {
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    now = (await memoryOf(pid)).rssBytes;
  }
}

function bucketOf(s3: S3Server | null): Readonly<Record<string, string>> {
  if (s3 === null) return {};
  return {
    SLUICE_ARTIFACTS: `s3://slow/blobs?endpoint=${encodeURIComponent(s3.endpoint)}`,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  };
}

/** Milliseconds for all of it; every byte is looked at. */
async function healthy(url: string, sha256: string | null): Promise<number> {
  const startedAt = performance.now();
  const response = await fetch(url, { headers: { "accept-encoding": "identity" } });
  assert.equal(response.status, 200, response.ok ? "" : await response.text());
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of response.body!) {
    hash.update(chunk);
    size += chunk.byteLength;
  }
  const took = performance.now() - startedAt;
  if (sha256 !== null) assert.equal(hash.digest("hex"), sha256);
  else assert.ok(size > 20_000_000, `${size} bytes`);
  return took;
}

/** The best of them: what a busy machine does to a process is not what is asked about. */
function fast(times: readonly number[]): number {
  return Math.round(Math.min(...times));
}
