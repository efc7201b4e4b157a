/** Packuments of the shapes that real ones have, under any name at little cost: made once, and renamed in place. */
import { createHash } from "node:crypto";
import { createRandom } from "./fixtures.ts";

/** How many releases a packument has, and about how many bytes. */
export interface Shape {
  readonly releases: number;
  readonly bytes: number;
}

/** After real packages of these sizes; `many` after those that are released by a robot, each night for years. */
export const SHAPES = {
  big: { releases: 3_700, bytes: 21_000_000 },
  many: { releases: 40_000, bytes: 21_000_000 },
  react: { releases: 2_600, bytes: 4_000_000 },
  small: { releases: 110, bytes: 125_000 },
} as const satisfies Readonly<Record<string, Shape>>;

export type ShapeName = keyof typeof SHAPES;

/** What the first release of each is: it cannot be compressed. The other releases' files do not exist. */
export function fileBytes(): Uint8Array<ArrayBuffer> {
  const random = createRandom(7);
  return new Uint8Array(3_000).map(() => random() * 256);
}

const FIRST_RELEASE = Date.UTC(2013, 0, 1);
const HOUR_MS = 3_600_000;
const WORDS = "stream parse async promise buffer event queue util core types cache router schema token".split(
  " ",
);

/** `big-0007`: the shape and a number of four digits, so that all names of a shape are equally long. */
export function shapedName(shape: ShapeName, index: number): string {
  return `${shape}-${String(index).padStart(4, "0")}`;
}

/** A document of one shape under each name that `shapedName` makes. `root`, with trailing slash, is where files are. */
export function createShaped(shape: ShapeName, root: string): (name: string) => Uint8Array {
  const first = shapedName(shape, 0);
  const template = new TextEncoder().encode(documentOf(first, SHAPES[shape], root));
  const places = placesOf(template, new TextEncoder().encode(first));
  return (name) => {
    const renamed = template.slice();
    const bytes = new TextEncoder().encode(name);
    for (const place of places) renamed.set(bytes, place);
    return renamed;
  };
}

function placesOf(bytes: Uint8Array, wanted: Uint8Array): readonly number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(wanted[0]!); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) places.push(at);
  }
  return places;
}

function documentOf(name: string, { releases, bytes }: Shape, root: string): string {
  const random = createRandom(releases);
  const versions: string[] = [];
  const time: string[] = [];
  const file = fileBytes();
  const hashOf = (algorithm: string, i: number) => {
    return createHash(algorithm).update(file.subarray(i === 0 ? 0 : 2_900)).update(i === 0 ? "" : String(i));
  };
  for (let i = 0; i < releases; i++) {
    const version = `${Math.floor(i / 1000)}.${Math.floor(i / 10) % 100}.${i % 10}`;
    versions.push(
      `"${version}":${
        manifestOf({
          name,
          version,
          root,
          bytes: bytes / releases - 45,
          random,
          shasum: hashOf("sha1", i).digest("hex"),
          sha512: hashOf("sha512", i).digest("base64"),
        })
      }`,
    );
    time.push(`"${version}":"${new Date(FIRST_RELEASE + i * HOUR_MS).toISOString()}"`);
  }
  const latest = versions.at(-1)!.slice(1, versions.at(-1)!.indexOf('"', 1));
  return `{"_id":"${name}","name":"${name}","dist-tags":{"latest":"${latest}"},` +
    `"versions":{${versions.join(",")}},"time":{${time.join(",")}},"license":"MIT","readme":""}`;
}

/** About `bytes` long: what is missing is filled with dependencies, which hardly change from one release to the next. */
function manifestOf(options: {
  readonly name: string;
  readonly version: string;
  readonly root: string;
  readonly bytes: number;
  readonly random: () => number;
  readonly shasum: string;
  readonly sha512: string;
}): string {
  const { name, version, root, bytes, random } = options;
  const fixed = `{"name":"${name}","version":"${version}","license":"MIT","_npmUser":{"name":"${
    WORDS[Math.floor(random() * WORDS.length)]
  }"},"dist":{"shasum":"${options.shasum}","integrity":"sha512-${options.sha512}","tarball":"${root}${name}/-/${name}-${version}.tgz"},"dependencies":{`;
  const dependencies: string[] = [];
  let length = fixed.length + 2;
  for (let i = 0; length < bytes; i++) {
    const word = `${WORDS[i % 14]}-${WORDS[(i * 5 + 3) % 14]}-${i}`;
    const range = random() < 0.03 ? `"${word}":"^${version}"` : `"${word}":"^${i % 9}.${i % 7}.0"`;
    dependencies.push(range);
    length += range.length + 1;
  }
  return `${fixed}${dependencies.join(",")}}}`;
}
