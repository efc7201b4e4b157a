/** An npm registry for tests: packages published into a fake upstream, with tarballs that real clients install. */
import { createHash } from "node:crypto";
import { samplePackage, sampleTarball } from "../../ecosystems/npm/testing.ts";
import { daysAgo } from "./sluice.ts";
import { type FakeUpstream, startFakeUpstream } from "./upstream.ts";

export interface FakeRelease {
  /** ISO; undefined: the packument has no date for it. */
  readonly publishedAt?: string;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly deprecated?: string;
  readonly trust?: "trusted-publisher" | "provenance" | "none";
  readonly files?: Readonly<Record<string, string>>;
}

export interface FakePackage {
  readonly name: string;
  readonly releases: Readonly<Record<string, FakeRelease>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface FakeNpmRegistry extends AsyncDisposable {
  readonly upstream: FakeUpstream;
  /** Publishes, or publishes anew: what was there of this package before is replaced. */
  publish(pack: FakePackage): void;
  /** The registry's path of a file. */
  tarballPath(name: string, version: string): string;
  /** How often a file was downloaded from here. */
  downloads(name: string, version: string): number;
}

export async function startNpmRegistry(): Promise<FakeNpmRegistry> {
  const upstream = await startFakeUpstream();
  return {
    upstream,
    tarballPath,
    publish: (pack) => publish(upstream, pack),
    downloads: (name, version) => upstream.asked(tarballPath(name, version)).length,
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}

function tarballPath(name: string, version: string): string {
  return `/${name}/-/${name.slice(name.indexOf("/") + 1)}-${version}.tgz`;
}

/** The path of the one file that `publishBytes` publishes. */
export function bytesPath(name: string): string {
  return tarballPath(name, "1.0.0");
}

/** A package of one release, 1.0.0, a hundred days old, whose file is exactly these bytes. */
export function publishBytes(
  upstream: FakeUpstream,
  name: string,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const tarball = new URL(bytesPath(name), upstream.url).href;
  const packument = {
    name,
    "dist-tags": { latest: "1.0.0" },
    versions: { "1.0.0": { name, version: "1.0.0", dist: { tarball, integrity } } },
    time: { "1.0.0": daysAgo(100) },
  };
  upstream.answer(`/${name}`, {
    body: JSON.stringify(packument),
    headers: { "content-type": "application/json", ...headers },
  });
  upstream.answer(bytesPath(name), { body: bytes });
}

function publish(upstream: FakeUpstream, pack: FakePackage): void {
  const { name, releases, tags, fields } = pack;
  const sample = samplePackage({
    name,
    registry: upstream.url,
    tags: { latest: Object.keys(releases).at(-1)!, ...tags },
    versions: Object.entries(releases).map(([version, { publishedAt, ...release }]) => ({
      version,
      date: publishedAt ?? null,
      ...release,
    })),
    ...(fields === undefined ? {} : { extra: fields }),
  });
  for (const [path, body] of sample.files) {
    upstream.answer(`/${path}`, { body, headers: { "content-type": "application/octet-stream" } });
  }
  const etag = `"${createHash("sha1").update(sample.json).digest("hex")}"`;
  const answer = { body: sample.json, headers: { "content-type": "application/json", etag } };
  for (const path of new Set([`/${name}`, `/${name.replace("/", "%2f")}`, `/${name.replace("/", "%2F")}`])) {
    upstream.answer(
      path,
      (request) =>
        request.headers.get("if-none-match") === etag ? { status: 304, headers: { etag } } : answer,
    );
  }
}

/** The very bytes that a published release has. */
export function createTarball(name: string, version: string, release: FakeRelease = {}): Uint8Array {
  return sampleTarball({ name, version, ...release }).bytes;
}
