/** For tests: projects as an index has them, with wheels and sdists that real clients install. */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { tarGz } from "../_shared/testing_tar.ts";
import { escapeHtml } from "./html.ts";

export interface SampleRelease {
  readonly version: string;
  /** ISO date; null: no document has one. */
  readonly date: string | null;
  readonly yanked?: boolean | string;
  /** Absent: as an index before 1.3 has it, nothing is said. */
  readonly trust?: "trusted-publisher" | "provenance" | "none";
  /** Default: a wheel. */
  readonly kinds?: readonly ("wheel" | "sdist")[];
  /** `Requires-Dist` of its metadata. */
  readonly requires?: readonly string[];
  readonly requiresPython?: string;
}

export interface SampleOptions {
  /** Normalised. */
  readonly name: string;
  readonly releases: readonly SampleRelease[];
  /** The index's root with trailing slash. */
  readonly root: string;
  /** Where its files are, with trailing slash; default: the root. */
  readonly filesRoot?: string;
  /** Default: what `trust` needs, 1.4; else 1.1. */
  readonly apiVersion?: string;
  /** Further members of the JSON page. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Whether HTML anchors have `data-upload-time`; no specification has it. */
  readonly datesInHtml?: boolean;
}

export interface SampleFile {
  readonly filename: string;
  readonly version: string;
  /** Below the files' root, no leading slash. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of a wheel: its METADATA, which stands beside it. */
  readonly metadata: Uint8Array | null;
  readonly sha256: string;
  readonly release: SampleRelease;
}

export interface SampleProject {
  readonly name: string;
  readonly files: readonly SampleFile[];
  /** The simple page as JSON. */
  readonly json: Uint8Array;
  readonly html: Uint8Array;
  readonly legacy: Uint8Array;
  /** By version. */
  readonly legacyReleases: ReadonlyMap<string, Uint8Array>;
}

/** The same options make the same bytes. */
export function sampleProject(options: SampleOptions): SampleProject {
  const { name } = options;
  const files = options.releases.flatMap((release) =>
    (release.kinds ?? ["wheel"]).map((kind) => sampleFile(name, release, kind))
  );
  const legacyReleases = new Map(
    options.releases.map(({ version }) => [version, encode(legacyOf(options, files, version))]),
  );
  return {
    name,
    files,
    json: encode(jsonPage(options, files)),
    html: new TextEncoder().encode(htmlPage(options, files)),
    legacy: encode(legacyOf(options, files, null)),
    legacyReleases,
  };
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** `sample-plain` → `sample_plain-1.0.0-py3-none-any.whl` or `sample_plain-1.0.0.tar.gz`. */
export function sampleFilename(name: string, version: string, kind: "wheel" | "sdist"): string {
  const stem = `${name.replaceAll("-", "_")}-${version}`;
  return kind === "wheel" ? `${stem}-py3-none-any.whl` : `${stem}.tar.gz`;
}

function sampleFile(name: string, release: SampleRelease, kind: "wheel" | "sdist"): SampleFile {
  const metadata = metadataOf(name, release);
  const bytes = kind === "wheel" ? wheel(name, release, metadata) : sdist(name, release, metadata);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const filename = sampleFilename(name, release.version, kind);
  return {
    filename,
    version: release.version,
    path: `packages/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256.slice(4, 64)}/${filename}`,
    bytes,
    metadata: kind === "wheel" ? new TextEncoder().encode(metadata) : null,
    sha256,
    release,
  };
}

function metadataOf(name: string, { version, requires = [], requiresPython }: SampleRelease): string {
  return [
    "Metadata-Version: 2.1",
    `Name: ${name}`,
    `Version: ${version}`,
    "Summary: A sample",
    ...(requiresPython === undefined ? [] : [`Requires-Python: ${requiresPython}`]),
    ...requires.map((requirement) => `Requires-Dist: ${requirement}`),
    "",
    "",
  ].join("\n");
}

function moduleOf(name: string): string {
  return name.replaceAll("-", "_");
}

function wheel(name: string, { version }: SampleRelease, metadata: string): Uint8Array {
  const module = moduleOf(name);
  const info = `${module}-${version}.dist-info`;
  const files: [string, string][] = [
    [`${module}/__init__.py`, `__version__ = "${version}"\n`],
    [`${info}/METADATA`, metadata],
    [
      `${info}/WHEEL`,
      "Wheel-Version: 1.0\nGenerator: sample\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    ],
  ];
  const record = files.map(([path, text]) => {
    const digest = createHash("sha256").update(text).digest("base64url");
    return `${path},sha256=${digest},${Buffer.byteLength(text)}`;
  });
  return zip([...files, [`${info}/RECORD`, `${[...record, `${info}/RECORD,,`].join("\n")}\n`]]);
}

/** Its backend is in the tree, so that building it needs nothing from an index. */
function sdist(name: string, release: SampleRelease, metadata: string): Uint8Array {
  const folder = `${moduleOf(name)}-${release.version}`;
  const built = Buffer.from(wheel(name, release, metadata)).toString("base64");
  const filename = sampleFilename(name, release.version, "wheel");
  return tarGz({
    [`${folder}/PKG-INFO`]: metadata,
    [`${folder}/pyproject.toml`]:
      '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    [`${folder}/backend.py`]: [
      "import base64, os",
      "",
      "def build_wheel(directory, config_settings=None, metadata_directory=None):",
      `    with open(os.path.join(directory, "${filename}"), "wb") as file:`,
      `        file.write(base64.b64decode("${built}"))`,
      `    return "${filename}"`,
      "",
    ].join("\n"),
  });
}

/** Stored, not compressed; dates are zero. */
function zip(files: readonly (readonly [string, string])[]): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [path, text] of files) {
    const name = Buffer.from(path);
    const body = Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(0x00210000, 6);
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, body]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    centrals.push(
      Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), common, tail, name]),
    );
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...locals, directory, end]));
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

function jsonPage(options: SampleOptions, files: readonly SampleFile[]): unknown {
  const { name, releases } = options;
  const hasTrust = releases.some(({ trust }) => trust !== undefined);
  return {
    meta: { "api-version": options.apiVersion ?? (hasTrust ? "1.4" : "1.1"), "_last-serial": 7 },
    name,
    ...options.extra,
    versions: releases.map(({ version }) => version),
    files: files.map((file) => jsonFile(options, file, hasTrust)),
  };
}

function jsonFile(options: SampleOptions, file: SampleFile, hasTrust: boolean): unknown {
  const { filename, version, path, sha256, bytes, metadata, release } = file;
  const digest = metadata === null ? null : createHash("sha256").update(metadata).digest("hex");
  const isAttested = release.trust !== undefined && release.trust !== "none";
  const provenance = `${options.root}integrity/${options.name}/${version}/${filename}/provenance`;
  return {
    filename,
    url: (options.filesRoot ?? options.root) + path,
    hashes: { sha256 },
    size: bytes.length,
    ...(release.requiresPython === undefined ? {} : { "requires-python": release.requiresPython }),
    ...(release.date === null ? {} : { "upload-time": release.date }),
    yanked: release.yanked ?? false,
    "core-metadata": digest === null ? false : { sha256: digest },
    "data-dist-info-metadata": digest === null ? false : { sha256: digest },
    ...(hasTrust ? { provenance: isAttested ? provenance : null } : {}),
  };
}

function htmlPage(options: SampleOptions, files: readonly SampleFile[]): string {
  const anchors = files.map(({ filename, path, sha256, metadata, release }) => {
    const url = (options.filesRoot ?? options.root) + path;
    const { yanked = false, date, requiresPython } = release;
    const digest = metadata === null ? null : createHash("sha256").update(metadata).digest("hex");
    const attributes = [
      requiresPython === undefined ? "" : ` data-requires-python="${escapeHtml(requiresPython)}"`,
      digest === null ? "" : ` data-dist-info-metadata="sha256=${digest}"`,
      yanked === false ? "" : ` data-yanked="${yanked === true ? "" : escapeHtml(yanked)}"`,
      options.datesInHtml === true && date !== null ? ` data-upload-time="${date}"` : "",
    ];
    return `<a href="${url}#sha256=${sha256}"${attributes.join("")}>${filename}</a><br/>`;
  });
  return `<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0"><title>Links</title></head>
<body><h1>Links for ${options.name}</h1>
${anchors.join("\n")}
</body></html>
`;
}

/** `version` null: the project's own. */
function legacyOf(options: SampleOptions, files: readonly SampleFile[], version: string | null): unknown {
  const { name, releases, root } = options;
  const own = version ?? releases.at(-1)?.version ?? "";
  const release = releases.find((candidate) => candidate.version === own);
  const filesOf = (of: string) =>
    files.filter((file) => file.version === of).map((file) => legacyFile(options, file));
  return {
    info: {
      name,
      version: own,
      requires_dist: release?.requires ?? null,
      requires_python: release?.requiresPython ?? null,
      package_url: `${root}project/${name}/`,
      release_url: `${root}project/${name}/${own}/`,
      yanked: Boolean(release?.yanked),
      yanked_reason: typeof release?.yanked === "string" ? release.yanked : null,
    },
    last_serial: 7,
    ...(version === null
      ? { releases: Object.fromEntries(releases.map((each) => [each.version, filesOf(each.version)])) }
      : {}),
    urls: filesOf(own),
    vulnerabilities: [],
  };
}

function legacyFile(options: SampleOptions, file: SampleFile): unknown {
  const { filename, path, sha256, bytes, release } = file;
  return {
    filename,
    url: (options.filesRoot ?? options.root) + path,
    digests: { sha256 },
    size: bytes.length,
    packagetype: filename.endsWith(".whl") ? "bdist_wheel" : "sdist",
    requires_python: release.requiresPython ?? null,
    ...(release.date === null ? {} : { upload_time_iso_8601: release.date }),
    yanked: Boolean(release.yanked),
    yanked_reason: typeof release.yanked === "string" ? release.yanked : null,
  };
}
