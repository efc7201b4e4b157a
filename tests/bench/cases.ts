/** What is asked for, and what each server's target for it is. */
import { createFile, createPackument, type FixturePackage } from "./fixtures.ts";
import { askRaw, type Target } from "./load.ts";
import type { Measured } from "./servers.ts";

export interface Case {
  /** Also the name of its file in the folder that the yardsticks serve. */
  readonly name: string;
  readonly title: string;
  /** Of Sluice, below its address. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ask with the validator that the server itself gave. */
  readonly revalidates: boolean;
}

/** With a name, so that the install log has all that it ever has. */
const CLIENT = {
  authorization: `Basic ${btoa("bench:")}`,
  "user-agent": "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
  "npm-command": "install",
};
const FULL = { ...CLIENT, accept: "application/json", "accept-encoding": "identity" };
const GZIP = { ...FULL, "accept-encoding": "gzip" };

const FILES = { "3k": 3_000, "80k": 80_000, "320k": 320_000, "5.8M": 5_800_000 } as const;

/** About as many bytes as the names say; always the same ones. */
export function createPackages(): readonly FixturePackage[] {
  return [
    createPackument("medium", 125_000, 1),
    createPackument("large", 4_000_000, 2),
    ...Object.entries(FILES).map(([size, bytes], i) =>
      createFile(`file-${size}`.toLowerCase(), bytes, 10 + i)
    ),
  ];
}

export const CASES: readonly Case[] = [
  packument("medium", "packument 125 kB"),
  packument("medium.gz", "packument 125 kB, gzip"),
  packument("large", "packument 4 MB"),
  packument("large.gz", "packument 4 MB, gzip"),
  { ...packument("medium", "packument, 304"), revalidates: true },
  ...Object.keys(FILES).map((size) => tarball(size)),
];

function packument(name: string, title: string): Case {
  const isGzip = name.endsWith(".gz");
  const headers = isGzip ? GZIP : FULL;
  return { name, title, path: `/npm/${name.replace(".gz", "")}`, headers, revalidates: false };
}

function tarball(size: string): Case {
  const name = `file-${size}`.toLowerCase();
  return {
    name: `${name}.tgz`,
    title: `tarball ${size}, logged`,
    path: `/npm/${name}/-/${name}-1.0.0.tgz`,
    headers: { ...CLIENT, accept: "*/*" },
    revalidates: false,
  };
}

/** Asks Sluice for everything, so that all of it is warm, and writes what it answered for the yardsticks. */
export async function writeAnswers(sluice: Measured, folder: string): Promise<void> {
  for (const { name, path, headers, revalidates } of CASES) {
    if (revalidates) continue;
    const target = { url: sluice.url + path, headers };
    await askRaw(target);
    const { status, bytes, headers: answered } = await askRaw(target);
    if (status !== 200) throw new Error(`${status} from ${target.url}: ${new TextDecoder().decode(bytes)}`);
    if (name.endsWith(".gz") !== (answered["content-encoding"] === "gzip")) {
      throw new Error(`Not in the coding asked for: ${target.url}`);
    }
    await Deno.writeFile(`${folder}/${name}`, bytes);
  }
}

/** Checks that the server answers it as it should, before any load: same status, same number of bytes. */
export async function targetOf(server: Measured, each: Case, folder: string): Promise<Target> {
  const url = server.name === "sluice" ? server.url + each.path : `${server.url}/${each.name}`;
  const plain = { url, headers: each.headers };
  const first = await askRaw(plain);
  const { size } = await Deno.stat(`${folder}/${each.name}`);
  if (first.status !== 200 || first.bytes.length !== size) {
    throw new Error(`${first.status} with ${first.bytes.length} bytes, not ${size}, from ${url}`);
  }
  if (!each.revalidates) return plain;
  const etag = String(first.headers["etag"]);
  const target = { url, headers: { ...each.headers, "if-none-match": etag } };
  const second = await askRaw(target);
  if (second.status !== 304) throw new Error(`${second.status} instead of 304 from ${url}`);
  return target;
}
