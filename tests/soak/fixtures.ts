/** What the soak asks for: packages of three registries, among them files of megabytes that are made when asked for. */
import { createCipheriv, createHash } from "node:crypto";
import { sampleCrate } from "../../ecosystems/cargo/testing.ts";
import { type FakeCargoRegistry, startCargoRegistry } from "../fakes/cargo_registry.ts";
import { createTarball, type FakeNpmRegistry, startNpmRegistry } from "../fakes/npm_registry.ts";
import { type FakePypiRegistry, startPypiRegistry } from "../fakes/pypi_registry.ts";

const DAY_MS = 86_400_000;
const PIECE_BYTES = 256 * 1024;

/** A file, where Sluice has it, and what its bytes must be. */
export interface Wish {
  /** Below Sluice's base address. */
  readonly path: string;
  readonly file: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** A range's bytes can be compared with these. */
  bytes(): Uint8Array;
}

export interface Fixtures extends AsyncDisposable {
  /** For the server's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** In memory, in the store, of every ecosystem: there since the beginning. */
  readonly warm: readonly Wish[];
  /** Held by the default policy. */
  readonly young: string;
  /** Denied and allowed in turn. */
  readonly toggled: Wish;
  /** Indexes that are always there. */
  readonly indexes: readonly string[];
  readonly searches: readonly string[];
  /** New files, and new releases of `moving` and `wide`, for one more round. */
  publishRound(round: number): readonly Wish[];
}

/** Deterministic, incompressible, fast: counter mode over zeros. */
export function bytesOf(name: string, sizeBytes: number): Uint8Array {
  const key = createHash("sha256").update(name).digest();
  const cipher = createCipheriv("aes-128-ctr", key.subarray(0, 16), key.subarray(16));
  return new Uint8Array(cipher.update(new Uint8Array(sizeBytes)));
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** `dripMs` between two pieces of a large file, so that a kill falls into the middle of a fill. */
export async function startFixtures(): Promise<Fixtures> {
  const npm = await startNpmRegistry();
  const pypi = await startPypiRegistry();
  const cargo = await startCargoRegistry();
  const old = new Date(Date.now() - 100 * DAY_MS).toISOString();
  const young = new Date(Date.now() - DAY_MS / 24).toISOString();
  const npmWish = (name: string, sizeBytes: number, dripMs: number) =>
    publishLarge(npm, { name, sizeBytes, dripMs, publishedAt: old });

  npm.upstream.answer(/^\/-\/v1\/search/, {
    body: JSON.stringify({
      objects: ["hot", "moving", "unheard"].map((name) => ({
        package: { name, version: "1.0.0", date: old },
        score: {},
        searchScore: 1,
      })),
      total: 3,
      time: "now",
    }),
    headers: { "content-type": "application/json" },
  });
  npm.publish({ name: "young", releases: { "1.0.0": { publishedAt: young } } });
  const warm = [
    smallNpm(npm, "hot", old),
    npmWish("warm-mid", 700_000, 0),
    npmWish("warm-large", 12_000_000, 0),
    wheel(pypi, "hot-wheel", old),
    crate(cargo, "hot-crate", old),
  ];
  const toggled = smallNpm(npm, "toggled", old);

  function publishRound(round: number): readonly Wish[] {
    publishMoving(npm, round, old);
    publishWide(npm, round, old);
    const name = `cold-${round}`;
    return [
      smallNpm(npm, `${name}-small`, old),
      npmWish(`${name}-mid`, 600_000 + round * 997, round % 2),
      // More than one part of a bucket's upload, and not a whole number of them.
      npmWish(`${name}-large`, 11_000_000 + round * 997, 1 + round % 8),
      wheel(pypi, name, old),
      crate(cargo, name, old),
    ];
  }

  return {
    env: {
      SLUICE_UPSTREAM_NPM: npm.upstream.url,
      SLUICE_UPSTREAM_PYPI: pypi.upstream.url,
      SLUICE_UPSTREAM_PYPI_ALLOWED_HOSTS: pypi.files.host,
      SLUICE_UPSTREAM_CARGO: cargo.upstream.url,
    },
    warm,
    young: "/npm/young/-/young-1.0.0.tgz",
    toggled,
    indexes: ["/npm/hot", "/npm/moving", "/npm/wide", "/pypi/simple/hot-wheel/", "/cargo/ho/t-/hot-crate"],
    searches: ["/npm/-/v1/search?text=hot", "/cargo/api/v1/crates?q=hot"],
    publishRound,
    async [Symbol.asyncDispose]() {
      for (const each of [npm, pypi, cargo]) await each[Symbol.asyncDispose]();
    },
  };
}

function wishOf(path: string, bytes: Uint8Array, again: () => Uint8Array): Wish {
  const file = path.split("/").at(-1)!;
  return { path, file, sizeBytes: bytes.byteLength, sha256: sha256Hex(bytes), bytes: again };
}

function smallNpm(npm: FakeNpmRegistry, name: string, publishedAt: string): Wish {
  npm.publish({ name, releases: { "1.0.0": { publishedAt } } });
  const bytes = createTarball(name, "1.0.0");
  return wishOf(`/npm/${name}/-/${name}-1.0.0.tgz`, bytes, () => bytes);
}

/** No tarball at all, which Sluice cannot know: it never unpacks one. */
function publishLarge(
  npm: FakeNpmRegistry,
  at: {
    readonly name: string;
    readonly sizeBytes: number;
    readonly dripMs: number;
    readonly publishedAt: string;
  },
): Wish {
  const { name, sizeBytes, dripMs, publishedAt } = at;
  const make = () => bytesOf(name, sizeBytes);
  const bytes = make();
  const integrity = `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
  const path = npm.tarballPath(name, "1.0.0");
  const tarball = `${npm.upstream.url.replace(/\/$/, "")}${path}`;
  npm.publish({ name, releases: { "1.0.0": { publishedAt, manifest: { dist: { integrity, tarball } } } } });
  const headers = { "content-type": "application/octet-stream" };
  const stream = { [Symbol.asyncIterator]: () => dripped(make(), dripMs) };
  npm.upstream.answer(
    path,
    dripMs > 0 ? { stream, headers } : {
      headers,
      get body() {
        return make();
      },
    },
  );
  return wishOf(`/npm${path}`, bytes, make);
}

async function* dripped(bytes: Uint8Array, dripMs: number): AsyncIterator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    yield bytes.subarray(at, at + PIECE_BYTES);
    await new Promise((resolve) => setTimeout(resolve, dripMs));
  }
}

function wheel(pypi: FakePypiRegistry, name: string, publishedAt: string): Wish {
  const project = pypi.publish({ name, releases: { "1.0.0": { publishedAt } } });
  const { filename, bytes } = project.files[0]!;
  return wishOf(`/pypi/packages/${name}/${filename}`, bytes, () => bytes);
}

function crate(cargo: FakeCargoRegistry, name: string, publishedAt: string): Wish {
  const versions = [{ version: "1.0.0", date: publishedAt }];
  cargo.publish({ name, releases: { "1.0.0": { publishedAt } } });
  const bytes = sampleCrate({ name, versions }).archives.get("1.0.0")!;
  const path = `/cargo/api/v1/crates/${name}/1.0.0/download`;
  return { ...wishOf(path, bytes, () => bytes), file: `${name}-1.0.0.crate` };
}

/** A release more each round: its record, facts and raw document are replaced while clients ask for it. */
function publishMoving(npm: FakeNpmRegistry, round: number, publishedAt: string): void {
  const count = 3 + round % 20;
  const releases = Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`1.${round}.${n}`, { publishedAt }]),
  );
  npm.publish({ name: "moving", releases: { "1.0.0": { publishedAt }, ...releases } });
}

/** Facts of more chunks than one commit takes, others every fifth round. */
function publishWide(npm: FakeNpmRegistry, round: number, publishedAt: string): void {
  if (round % 5 !== 0) return;
  const root = npm.upstream.url;
  const count = 9_000 + round;
  const versions = Array.from({ length: count }, (_, n) => {
    const integrity = `sha512-${bytesOf(`wide ${n}`, 64).toBase64()}`;
    const version = `1.0.${n}`;
    return [version, {
      name: "wide",
      version,
      dist: { integrity, tarball: `${root}wide/-/wide-${version}.tgz` },
    }] as const;
  });
  const body = JSON.stringify({
    name: "wide",
    "dist-tags": { latest: `1.0.${count - 1}` },
    versions: Object.fromEntries(versions),
    time: Object.fromEntries(versions.map(([version]) => [version, publishedAt])),
  });
  npm.upstream.answer("/wide", { body, headers: { "content-type": "application/json", etag: `"${round}"` } });
}
