/** For tests: packuments and tarballs that real clients can read and install. */
import { createHash } from "node:crypto";
import { tarGz } from "../_shared/testing_tar.ts";
import { packumentPath, standardFilename, tarballFolder } from "./name.ts";

/** A tarball's bytes and the digests that a packument states for it. */
export interface SampleTarball {
  readonly bytes: Uint8Array;
  /** `sha512-…` */
  readonly integrity: string;
  /** SHA-1, hex. */
  readonly shasum: string;
}

export interface SampleVersion {
  readonly version: string;
  /** ISO date; `null`: `time` has none. */
  readonly date?: string | null;
  /** `trusted-publisher`, `provenance`, `none`, or (default) as a mirror has it: nothing is said. */
  readonly trust?: "trusted-publisher" | "provenance" | "none";
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly deprecated?: string;
  /** Default: the usual place below `registry`. */
  readonly tarball?: string;
  /** Further members of the manifest. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** As `extra`, and in the tarball's own `package.json` too. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Further files of this release's tarball; else those of the package. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface SampleOptions {
  readonly name: string;
  readonly versions: readonly SampleVersion[];
  /** Default: `latest` on the last of `versions`. */
  readonly tags?: Readonly<Record<string, string>>;
  /** The upstream's root with trailing slash; default `http://registry.example/`. */
  readonly registry?: string;
  /** Further files of every tarball: path below `package/` → text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further members of the packument. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface SamplePackage {
  readonly name: string;
  /** Below the registry's root, no leading slash: `@scope%2fname`. */
  readonly path: string;
  readonly packument: Record<string, unknown>;
  /** The packument as JSON. */
  readonly json: Uint8Array;
  /** By version. */
  readonly tarballs: ReadonlyMap<string, SampleTarball>;
  /** By path below the registry's root, no leading slash: `@scope/name/-/name-1.0.0.tgz`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A package whose tarballs fit its packument; the same options make the same bytes. */
export function samplePackage(options: SampleOptions): SamplePackage {
  const { name } = options;
  const registry = options.registry ?? "http://registry.example/";
  const tarballs = new Map<string, SampleTarball>();
  const files = new Map<string, Uint8Array>();
  const versions: [string, unknown][] = [];
  const time: [string, string][] = [];
  for (const sample of options.versions) {
    const tarball = sampleTarball({ ...options, ...sample });
    const path = tarballFolder(name) + standardFilename(name, sample.version);
    tarballs.set(sample.version, tarball);
    files.set(path, tarball.bytes);
    versions.push([sample.version, sampleManifest(name, sample, tarball, { registry, path })]);
    if (sample.date !== null) time.push([sample.version, sample.date ?? "2020-01-01T00:00:00.000Z"]);
  }
  const dates = time.map(([, date]) => date).sort();
  const [created = "2011-01-01T00:00:00.000Z", modified = created] = [dates[0], dates.at(-1)];
  const packument = {
    _id: name,
    name,
    "dist-tags": options.tags ?? { latest: options.versions.at(-1)?.version },
    versions: Object.fromEntries(versions),
    time: Object.fromEntries([["created", created], ["modified", modified], ...time]),
    ...options.extra,
  };
  const json = new TextEncoder().encode(JSON.stringify(packument));
  return { name, path: packumentPath(name), packument, json, tarballs, files };
}

function sampleManifest(
  name: string,
  sample: SampleVersion,
  tarball: SampleTarball,
  at: { readonly registry: string; readonly path: string },
): unknown {
  const { trust } = sample;
  const attestations = {
    url: `${at.registry}-/npm/v1/attestations/${packumentPath(name)}@${sample.version}`,
    provenance: { predicateType: "https://slsa.dev/provenance/v1" },
  };
  const trustedPublisher = { id: "github", oidcConfigId: "oidc:sample" };
  return {
    name,
    version: sample.version,
    license: "MIT",
    main: "index.js",
    ...(sample.scripts && { scripts: sample.scripts }),
    ...(sample.dependencies && { dependencies: sample.dependencies }),
    ...(sample.deprecated !== undefined && { deprecated: sample.deprecated }),
    dist: {
      integrity: tarball.integrity,
      shasum: tarball.shasum,
      tarball: sample.tarball ?? at.registry + at.path,
      ...(trust !== undefined && trust !== "none" && { attestations }),
    },
    ...(trust !== undefined && {
      _npmUser: {
        name: "sample",
        email: "sample@example.org",
        ...(trust === "trusted-publisher" && { trustedPublisher }),
      },
    }),
    ...sample.manifest,
    ...sample.extra,
  };
}

/** A minimal package that installs and can be required. */
export function sampleTarball(
  options:
    & Pick<SampleOptions, "name" | "files">
    & Pick<SampleVersion, "version" | "scripts" | "dependencies" | "manifest">,
): SampleTarball {
  const { name, version, scripts = {}, dependencies = {} } = options;
  const base = { name, version, license: "MIT", main: "index.js", scripts, dependencies };
  const manifest = { ...base, ...options.manifest };
  const bytes = tarGz({
    "package/package.json": JSON.stringify(manifest, null, 2),
    "package/index.js": `module.exports = ${JSON.stringify(`${name}@${version}`)};\n`,
    ...Object.fromEntries(
      Object.entries(options.files ?? {}).map(([path, text]) => [`package/${path}`, text]),
    ),
  });
  return {
    bytes,
    integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}`,
    shasum: createHash("sha1").update(bytes).digest("hex"),
  };
}
