/** What the fixture upstream has: packuments and files of a wanted size, the same for the same seed. */
import { createHash } from "node:crypto";

/** mulberry32: 0 ≤ n < 1, the same row for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return function random() {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

export interface FixturePackage {
  readonly name: string;
  readonly packument: Uint8Array;
  /** By file name. */
  readonly tarballs: ReadonlyMap<string, Uint8Array>;
}

const FIRST_RELEASE = Date.UTC(2015, 0, 1);
const WORDS = "stream parse async promise buffer event queue util core types cache router schema token".split(
  " ",
);

/** A packument of about `bytes` bytes, whose releases are all old; their files do not exist. */
export function createPackument(name: string, bytes: number, seed: number): FixturePackage {
  const random = createRandom(seed);
  const versions: Record<string, unknown> = {};
  const time: Record<string, string> = {};
  let size = 0;
  for (let i = 0; size < bytes; i++) {
    const version = `${Math.floor(i / 100) + 1}.${Math.floor(i / 10) % 10}.${i % 10}`;
    const manifest = manifestOf({ name, version, random, content: `${name}@${version}` });
    versions[version] = manifest;
    time[version] = new Date(FIRST_RELEASE + i * 86_400_000 / 2).toISOString();
    size += JSON.stringify(manifest).length + version.length * 2 + 34;
  }
  return { name, packument: encode(documentOf(name, versions, time)), tarballs: new Map() };
}

/** A package of one release, with a file of exactly `bytes` bytes that cannot be compressed. */
export function createFile(name: string, bytes: number, seed: number): FixturePackage {
  const random = createRandom(seed);
  const tarball = new Uint8Array(bytes).map(() => random() * 256);
  const manifest = manifestOf({ name, version: "1.0.0", random, content: tarball });
  const time = { "1.0.0": new Date(FIRST_RELEASE).toISOString() };
  return {
    name,
    packument: encode(documentOf(name, { "1.0.0": manifest }, time)),
    tarballs: new Map([[`${name}-1.0.0.tgz`, tarball]]),
  };
}

function documentOf(
  name: string,
  versions: Readonly<Record<string, unknown>>,
  time: Readonly<Record<string, string>>,
) {
  const dates = Object.values(time);
  return {
    _id: name,
    name,
    "dist-tags": { latest: Object.keys(versions).at(-1) },
    versions,
    time: { created: dates[0], modified: dates.at(-1), ...time },
    license: "MIT",
    readme: `# ${name}\n`,
  };
}

function manifestOf(options: {
  readonly name: string;
  readonly version: string;
  readonly random: () => number;
  /** Of the release's file. */
  readonly content: string | Uint8Array;
}): Record<string, unknown> {
  const { name, version, random, content } = options;
  const word = () => WORDS[Math.floor(random() * WORDS.length)]!;
  const dependencies = Array.from(
    { length: 12 },
    () => [`${word()}-${word()}`, `^${Math.floor(random() * 9)}.0.0`],
  );
  return {
    name,
    version,
    description: `${word()} ${word()} for ${word()} and ${word()}`,
    main: "index.js",
    scripts: { test: `${word()} --${word()}`, build: `${word()} ${word()}` },
    dependencies: Object.fromEntries(dependencies),
    engines: { node: ">=18" },
    license: "MIT",
    _id: `${name}@${version}`,
    _npmUser: { name: word(), email: `${word()}@registry.example` },
    dist: {
      integrity: `sha512-${createHash("sha512").update(content).digest("base64")}`,
      shasum: createHash("sha1").update(content).digest("hex"),
      tarball: `https://registry.example/${name}/-/${name}-${version}.tgz`,
      fileCount: Math.floor(random() * 100),
      unpackedSize: Math.floor(random() * 1_000_000),
    },
    maintainers: [{ name: word(), email: `${word()}@registry.example` }],
  };
}

function encode(document: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document));
}
