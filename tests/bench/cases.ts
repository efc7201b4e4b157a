/** What is asked for, of whom, and how much is wanted of Sluice. */
import { createFile, createPackument, type FixturePackage } from "./fixtures.ts";
import { askRaw, type Target } from "./load.ts";
import type { Measured, ServerName } from "./servers.ts";

export interface Case {
  /** Also the name of its file in the folder that the yardsticks serve. */
  readonly name: string;
  readonly title: string;
  /** Below a registry's address: Sluice's own is mounted at `/npm`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ask with the validator that the server itself gave. */
  readonly revalidates: boolean;
  /** The first is the one that the goal is for. */
  readonly servers: readonly ServerName[];
  /** Null: as many as the bench was told. */
  readonly connections: number | null;
  readonly goal: Goal | null;
  /** In the short form too. */
  readonly isShort: boolean;
}

/** A share of another server's answers a second. */
export interface Goal {
  readonly against: ServerName;
  readonly atLeast: number;
  /** What was attained, where that is less: README.md says why. A short run fails below half of it. */
  readonly attained?: number;
}

/** With a name, so that the install log has all that it ever has. */
const CLIENT = {
  authorization: `Basic ${btoa("bench:")}`,
  "user-agent": "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
  "npm-command": "install",
};
const FULL = { ...CLIENT, accept: "application/json", "accept-encoding": "identity" };
const GZIP = { "accept-encoding": "gzip" };
/** As npm asks for it. */
const ABBREVIATED = { accept: "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*" };
const ALL: readonly ServerName[] = ["sluice", "deno", "nginx", "verdaccio"];

const PACKUMENTS = {
  "3 kB": 3_000,
  "80 kB": 80_000,
  "125 kB": 125_000,
  "4 MB": 4_000_000,
  "10 MB": 10_000_000,
};
const FILES = { "3 kB": 3_000, "80 kB": 80_000, "320 kB": 320_000, "1 MB": 1_000_000, "5.8 MB": 5_800_000 };
type FileSize = keyof typeof FILES;

/** About as many bytes as the names say; always the same ones. */
export function createPackages(): readonly FixturePackage[] {
  return [
    ...Object.entries(PACKUMENTS).map(([size, bytes], i) =>
      createPackument(packageName("index", size), bytes, i)
    ),
    ...Object.entries(FILES).map(([size, bytes], i) => createFile(packageName("file", size), bytes, 10 + i)),
  ];
}

export const CASES: readonly Case[] = [
  index("3 kB", 0.55),
  index("80 kB", 0.85),
  index("125 kB", 0.85, { isShort: true }),
  index("125 kB", 0.85, { coding: "gzip", isShort: true, attained: 0.4 }),
  index("4 MB", 1, { isShort: true }),
  index("4 MB", 1, { coding: "gzip" }),
  index("4 MB", 0.85, { coding: "gzip", form: "abbreviated", isShort: true }),
  index("10 MB", 1),
  index("10 MB", 1, { coding: "gzip" }),
  {
    ...index("125 kB", 1, { isShort: true, attained: 0.4 }),
    title: "packument 125 kB, 304",
    revalidates: true,
  },
  tarball("3 kB", 0.5, { isShort: true, attained: 0.35 }),
  tarball("80 kB", 0.8, { isShort: true, attained: 0.55 }),
  tarball("320 kB", 0.8),
  tarball("1 MB", 0.8),
  tarball("5.8 MB", 0.9, { isShort: true }),
  logPrice("journal", 16, 0.85),
  logPrice("KV alone", 16, 0.25),
  logPrice("KV alone", 128, 0.5),
];

/** The case that the open loop and the policy's price are measured with. */
export const SMALL_FILE = CASES.find(({ title }) => title.startsWith("tarball 3 kB"))!;

function packageName(kind: "index" | "file", size: string): string {
  return `${kind}-${size.replace(" ", "").toLowerCase()}`;
}

function index(size: keyof typeof PACKUMENTS, atLeast: number, options: {
  readonly coding?: "identity" | "gzip";
  readonly form?: "full" | "abbreviated";
  readonly isShort?: boolean;
  readonly attained?: number;
} = {}): Case {
  const { coding = "identity", form = "full", isShort = false, attained } = options;
  const name = packageName("index", size);
  const words = [
    "packument " + size,
    ...(form === "full" ? [] : [form]),
    ...(coding === "gzip" ? ["gzip"] : []),
  ];
  return {
    name: [name, ...(form === "full" ? [] : ["min"]), ...(coding === "gzip" ? ["gz"] : [])].join("."),
    title: words.join(", "),
    path: `/${name}`,
    headers: { ...FULL, ...(form === "full" ? {} : ABBREVIATED), ...(coding === "gzip" ? GZIP : {}) },
    revalidates: false,
    servers: ALL,
    connections: null,
    goal: { against: "nginx", atLeast, ...(attained === undefined ? {} : { attained }) },
    isShort,
  };
}

function tarball(
  size: FileSize,
  atLeast: number,
  { isShort = false, attained }: { readonly isShort?: boolean; readonly attained?: number } = {},
): Case {
  const name = packageName("file", size);
  return {
    name: `${name}.tgz`,
    title: `tarball ${size}, logged`,
    path: `/${name}/-/${name}-1.0.0.tgz`,
    headers: { ...CLIENT, accept: "*/*" },
    revalidates: false,
    servers: ALL,
    connections: null,
    goal: { against: "nginx", atLeast, ...(attained === undefined ? {} : { attained }) },
    isShort,
  };
}

/** What the log costs: the same Sluice without one is the yardstick. */
function logPrice(log: "journal" | "KV alone", connections: number, atLeast: number): Case {
  return {
    ...tarball("3 kB", atLeast, { isShort: true }),
    title: `log: ${log}, tarball 3 kB × ${connections}`,
    servers: [log === "journal" ? "sluice" : "kv", "unlogged"],
    connections,
    goal: { against: "unlogged", atLeast },
  };
}

/** Asks Sluice for everything, so that all of it is warm, and writes what it answered for the yardsticks. */
export async function writeAnswers(sluice: Measured, folder: string): Promise<void> {
  for (const each of CASES) {
    if (each.revalidates) continue;
    const target = { url: addressOf(sluice, each), headers: each.headers };
    await askRaw(target);
    const { status, bytes, headers: answered } = await askRaw(target);
    if (status !== 200) throw new Error(`${status} from ${target.url}: ${new TextDecoder().decode(bytes)}`);
    if (each.name.endsWith(".gz") !== (answered["content-encoding"] === "gzip")) {
      throw new Error(`Not in the coding asked for: ${target.url}`);
    }
    await Deno.writeFile(`${folder}/${each.name}`, bytes);
  }
}

function addressOf({ name, url }: Measured, each: Case): string {
  switch (name) {
    case "deno":
    case "nginx":
      return `${url}/${each.name}`;
    case "verdaccio":
      return url + each.path;
    default:
      return `${url}/npm${each.path}`;
  }
}

/** Checks that the server answers it as it should, before any load: the same status, and as many bytes. */
export async function targetOf(server: Measured, each: Case, folder: string): Promise<Target> {
  const plain = { url: addressOf(server, each), headers: each.headers };
  const first = await askRaw(plain);
  const { size } = await Deno.stat(`${folder}/${each.name}`);
  // Verdaccio writes documents of its own.
  const isOwn = server.name === "verdaccio" && !each.name.endsWith(".tgz");
  if (first.status !== 200 || (first.bytes.length !== size && !isOwn)) {
    throw new Error(`${first.status} with ${first.bytes.length} bytes, not ${size}, from ${plain.url}`);
  }
  if (!each.revalidates) return plain;
  const etag = String(first.headers["etag"]);
  const target = { url: plain.url, headers: { ...each.headers, "if-none-match": etag } };
  const second = await askRaw(target);
  if (second.status !== 304) throw new Error(`${second.status} instead of 304 from ${plain.url}`);
  return target;
}
