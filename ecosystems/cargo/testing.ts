/** For tests: index files, archives and API pages that Cargo itself can read and build. */
import { createHash } from "node:crypto";
import { tarGz } from "../_shared/testing_tar.ts";
import { indexPath } from "./name.ts";

export interface SampleCrateVersion {
  readonly version: string;
  /** ISO date; absent: the line has no `pubtime`. */
  readonly date?: string | null;
  readonly yanked?: boolean;
  /** Requirement by name. */
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly links?: string;
  /** Further files of the archive, or others instead of its own; paths below its folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Further members of the index line, in front of the usual ones. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface SampleCrateOptions {
  /** In its own case. */
  readonly name: string;
  readonly versions: readonly SampleCrateVersion[];
}

export interface SampleCrate {
  readonly name: string;
  /** Below the index's root: `se/rd/serde`. */
  readonly path: string;
  readonly indexFile: string;
  /** By version. */
  readonly archives: ReadonlyMap<string, Uint8Array>;
  /** What `/api/v1/crates/{name}` answers. */
  readonly page: Record<string, unknown> & { readonly versions: readonly Record<string, unknown>[] };
}

/** A crate whose archives fit its index file; the same options make the same bytes. */
export function sampleCrate({ name, versions }: SampleCrateOptions): SampleCrate {
  const archives = new Map(versions.map((release) => [release.version, crateArchive(name, release)]));
  const lines = versions.map((release) => indexLine(name, release, archives.get(release.version)!));
  const newest = versions.at(-1)?.version ?? "0.0.0";
  const entries = versions.map(({ version, date, yanked = false }, index) => ({
    id: 1_000 + index,
    crate: name,
    num: version,
    dl_path: `/api/v1/crates/${name}/${version}/download`,
    created_at: date ?? null,
    yanked,
    trustpub_data: null,
  }));
  return {
    name,
    path: indexPath(name.toLowerCase()),
    indexFile: lines.map((line) => `${line}\n`).join(""),
    archives,
    page: {
      crate: {
        id: name,
        name,
        description: `The crate ${name}`,
        versions: entries.map(({ id }) => id).reverse(),
        max_version: newest,
        newest_version: newest,
        default_version: newest,
        max_stable_version: newest,
        exact_match: false,
      },
      versions: entries.toReversed(),
      keywords: [],
      categories: [],
    },
  };
}

function indexLine(name: string, release: SampleCrateVersion, archive: Uint8Array): string {
  const { version, date, yanked = false, dependencies = {}, links, extra } = release;
  return JSON.stringify({
    ...extra,
    name,
    vers: version,
    deps: Object.entries(dependencies).map(([dependency, req]) => ({
      name: dependency,
      req,
      features: [],
      optional: false,
      default_features: true,
      target: null,
      kind: "normal",
    })),
    cksum: createHash("sha256").update(archive).digest("hex"),
    features: {},
    yanked,
    ...(links === undefined ? {} : { links }),
    rust_version: "1.56",
    // Cargo reads exactly this form: no fraction, always Z.
    ...(date === undefined || date === null ? {} : { pubtime: date.replace(/\.\d+Z$/, "Z") }),
    v: 2,
  });
}

/** A library that builds without any other than its dependencies. */
export function crateArchive(name: string, release: SampleCrateVersion): Uint8Array {
  const { version, dependencies = {}, links, files } = release;
  const own = {
    "Cargo.toml": [
      "[package]",
      `name = "${name}"`,
      `version = "${version}"`,
      'edition = "2021"',
      'license = "MIT"',
      `description = "The crate ${name}"`,
      ...(links === undefined ? [] : [`links = "${links}"`]),
      "",
      "[dependencies]",
      ...Object.entries(dependencies).map(([dependency, req]) => `${dependency} = "${req}"`),
      "",
    ].join("\n"),
    "src/lib.rs": `pub const VERSION: &str = "${version}";\n`,
    ...(links === undefined ? {} : { "build.rs": "fn main() {}\n" }),
    ...files,
  };
  return tarGz(
    Object.fromEntries(Object.entries(own).map(([path, text]) => [`${name}-${version}/${path}`, text])),
  );
}

/** What a Cargo.lock calls the public registry, whatever stands in for it. */
export const PUBLIC_SOURCE = "registry+https://github.com/rust-lang/crates.io-index";
