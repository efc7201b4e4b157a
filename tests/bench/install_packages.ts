/** The three hundred packages that `npm install` fetches, made from a seed: real archives, packuments of many sizes. */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { tarGz } from "../../ecosystems/_shared/testing_tar.ts";
import { createRandom } from "./fixtures.ts";

export const INSTALL_PACKAGES = 300;
/** So many are the project's own dependencies; each package needs up to four others. */
export const DIRECT = 10;

/** What a registry keeps of a package: the bytes that it sends. */
export interface InstallPackage {
  readonly name: string;
  readonly full: Uint8Array<ArrayBuffer>;
  readonly abbreviated: Uint8Array<ArrayBuffer>;
  readonly tarball: Uint8Array<ArrayBuffer>;
}

const FIRST_RELEASE = Date.UTC(2016, 0, 1);
const DAY_MS = 86_400_000;
const ABBREVIATED = ["name", "version", "dependencies", "bin", "engines", "dist", "deprecated"];
const WORDS = "stream parse async promise buffer event queue util core types cache router schema token".split(
  " ",
);

export function installName(index: number): string {
  return `tree-${String(index).padStart(3, "0")}`;
}

/** The packages of a tree of `count`, compressed as a registry keeps them. `root`, with trailing slash: where they are. */
export function createInstallPackages(root: string, count = INSTALL_PACKAGES): readonly InstallPackage[] {
  return Array.from({ length: count }, (_, i) => createOne(i, { root, count }));
}

/** Most have some twenty releases and a few kilobytes; every fiftieth has fifteen hundred, as react does. */
function createOne(index: number, { root, count }: { root: string; count: number }): InstallPackage {
  const random = createRandom(1_000 + index);
  const name = installName(index);
  const releases = index % 50 === 49 ? 1_500 : Math.floor(5 + 175 * random() ** 3);
  const latest = versionOf(releases - 1);
  const dependencies = Object.fromEntries(
    Array.from({ length: 4 }, (_, k) => DIRECT + 4 * index + k).filter((child) => child < count)
      .map((child) => [installName(child), "*"]),
  );
  const tarball = tarballOf({ name, version: latest, dependencies, random });
  const versions: Record<string, Record<string, unknown>> = {};
  const time: Record<string, string> = { created: dateOf(0), modified: dateOf(releases - 1) };
  for (let i = 0; i < releases; i++) {
    const version = versionOf(i);
    time[version] = dateOf(i);
    const content = version === latest ? tarball : `${name}@${version}`;
    versions[version] = manifestOf({ name, version, dependencies, content, random, root });
  }
  const tags = { latest };
  const short = Object.fromEntries(
    Object.entries(versions).map(([version, manifest]) => [version, abbreviated(manifest)]),
  );
  return {
    name,
    full: packed({ _id: name, name, "dist-tags": tags, versions, time, license: "MIT", readme: "" }),
    abbreviated: packed({ name, "dist-tags": tags, versions: short, modified: time["modified"] }),
    tarball: new Uint8Array(tarball),
  };
}

function versionOf(index: number): string {
  return `${1 + Math.floor(index / 100)}.${Math.floor(index / 10) % 10}.${index % 10}`;
}

function dateOf(index: number): string {
  return new Date(FIRST_RELEASE + index * DAY_MS).toISOString();
}

/** A file or two of text that compresses about as code does, from one to some hundred kilobytes. */
function tarballOf(of: {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly random: () => number;
}): Uint8Array {
  const { name, version, dependencies, random } = of;
  const lines = Math.floor(20 + 6_000 * random() ** 4);
  const line = (i: number) =>
    `export const ${WORDS[i % 14]}_${i} = "${random().toString(36).slice(2)}${
      random().toString(36).slice(2)
    }";`;
  return tarGz({
    "package/package.json": JSON.stringify({ name, version, main: "index.js", dependencies }),
    "package/index.js": Array.from({ length: lines }, (_, i) => line(i)).join("\n"),
    "package/README.md": `# ${name}\n`,
    "package/LICENSE": "MIT\n",
  });
}

function manifestOf(of: {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly content: string | Uint8Array;
  readonly random: () => number;
  readonly root: string;
}): Record<string, unknown> {
  const { name, version, content, random, root } = of;
  const word = () => WORDS[Math.floor(random() * WORDS.length)]!;
  return {
    name,
    version,
    description: `${word()} ${word()} for ${word()}`,
    main: "index.js",
    scripts: { test: `${word()} --${word()}`, build: `${word()} ${word()}` },
    dependencies: of.dependencies,
    devDependencies: Object.fromEntries(Array.from({ length: 6 }, () => [`${word()}-${word()}`, "^1.0.0"])),
    engines: { node: ">=18" },
    license: "MIT",
    _id: `${name}@${version}`,
    _npmUser: { name: word(), email: `${word()}@registry.example` },
    maintainers: [{ name: word(), email: `${word()}@registry.example` }],
    dist: {
      integrity: `sha512-${createHash("sha512").update(content).digest("base64")}`,
      shasum: createHash("sha1").update(content).digest("hex"),
      tarball: `${root}${name}/-/${name}-${version}.tgz`,
      fileCount: 4,
      unpackedSize: 1_000 + Math.floor(random() * 100_000),
    },
  };
}

function abbreviated(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(ABBREVIATED.filter((key) => key in manifest).map((key) => [key, manifest[key]]));
}

function packed(document: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(JSON.stringify(document), { level: 6 }));
}
