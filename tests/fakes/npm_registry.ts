/** An npm registry for tests: packages published into a fake upstream, with tarballs that real clients install. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
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

function publish(upstream: FakeUpstream, pack: FakePackage): void {
  const { name, releases } = pack;
  const versions: Record<string, unknown> = {};
  const time: Record<string, string> = {};
  for (const [version, release] of Object.entries(releases)) {
    const path = tarballPath(name, version);
    const tarball = createTarball(name, version, release);
    versions[version] = manifestOf(pack, version, release, {
      tarball,
      url: new URL(path, upstream.url).href,
    });
    if (release.publishedAt !== undefined) time[version] = release.publishedAt;
    upstream.answer(path, { body: tarball, headers: { "content-type": "application/octet-stream" } });
  }
  const dates = Object.values(time).sort();
  const document = {
    _id: name,
    name,
    "dist-tags": { latest: Object.keys(releases).at(-1), ...pack.tags },
    versions,
    time: { created: dates[0], modified: dates.at(-1), ...time },
    ...pack.fields,
  };
  const body = JSON.stringify(document);
  const etag = `"${createHash("sha1").update(body).digest("hex")}"`;
  const answer = { body, headers: { "content-type": "application/json", etag } };
  for (const path of new Set([`/${name}`, `/${name.replace("/", "%2f")}`, `/${name.replace("/", "%2F")}`])) {
    upstream.answer(
      path,
      (request) =>
        request.headers.get("if-none-match") === etag ? { status: 304, headers: { etag } } : answer,
    );
  }
}

function manifestOf(
  pack: FakePackage,
  version: string,
  release: FakeRelease,
  file: { readonly tarball: Uint8Array; readonly url: string },
): Record<string, unknown> {
  const { trust } = release;
  const user = { name: "ada", email: "ada@example.test" };
  return {
    ...packageJson(pack.name, version, release),
    _id: `${pack.name}@${version}`,
    ...(release.deprecated === undefined ? {} : { deprecated: release.deprecated }),
    ...(trust === undefined ? {} : {
      _npmUser: trust === "trusted-publisher"
        ? { ...user, trustedPublisher: { id: "github", oidcConfigId: "oidc:1" } }
        : user,
    }),
    dist: {
      integrity: `sha512-${createHash("sha512").update(file.tarball).digest("base64")}`,
      shasum: createHash("sha1").update(file.tarball).digest("hex"),
      tarball: file.url,
      fileCount: 2,
      unpackedSize: file.tarball.byteLength * 3,
      ...(trust === "trusted-publisher" || trust === "provenance"
        ? {
          attestations: {
            url: new URL(`/-/npm/v1/attestations/${pack.name}@${version}`, file.url).href,
            provenance: { predicateType: "https://slsa.dev/provenance/v1" },
          },
        }
        : {}),
    },
  };
}

function packageJson(name: string, version: string, release: FakeRelease): Record<string, unknown> {
  return { name, version, license: "MIT", main: "index.js", ...release.manifest };
}

/** What `npm pack` makes: a gzipped tar with everything under `package/`. */
export function createTarball(name: string, version: string, release: FakeRelease = {}): Uint8Array {
  const files = {
    "package.json": JSON.stringify(packageJson(name, version, release), null, 2),
    "index.js": `module.exports = ${JSON.stringify(`${name}@${version}`)};\n`,
    ...release.files,
  };
  const parts = Object.entries(files).flatMap(([path, content]) =>
    tarEntry(`package/${path}`, new TextEncoder().encode(content))
  );
  return new Uint8Array(gzipSync(concat([...parts, new Uint8Array(1024)])));
}

/** A ustar header and the file, padded to 512 bytes (POSIX.1-1988). */
function tarEntry(path: string, content: Uint8Array): readonly Uint8Array[] {
  const header = new Uint8Array(512);
  const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
  put(path, 0);
  put("0000644\0", 100);
  put("0000000\0", 108);
  put("0000000\0", 116);
  put(`${content.byteLength.toString(8).padStart(11, "0")}\0`, 124);
  put("00000000000\0", 136);
  put("        ", 148);
  put("0", 156);
  put("ustar\0", 257);
  put("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, content, new Uint8Array((512 - content.byteLength % 512) % 512)];
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  parts.reduce((at, part) => (joined.set(part, at), at + part.byteLength), 0);
  return joined;
}
