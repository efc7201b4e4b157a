/** A Cargo registry for tests: crates published into a fake upstream, with archives that Cargo builds. */
import { createHash } from "node:crypto";
import { sampleCrate, type SampleCrateVersion } from "../../ecosystems/cargo/testing.ts";
import { type FakeUpstream, startFakeUpstream } from "./upstream.ts";

export interface FakeCrateRelease extends Omit<SampleCrateVersion, "version" | "date"> {
  /** ISO; undefined: the line has no `pubtime`. */
  readonly publishedAt?: string;
}

export interface FakeCrate {
  readonly name: string;
  readonly releases: Readonly<Record<string, FakeCrateRelease>>;
}

export interface FakeCargoRegistry extends AsyncDisposable {
  readonly upstream: FakeUpstream;
  /** Publishes, or publishes anew: what was there of this crate before is replaced. */
  publish(crate: FakeCrate): void;
  /** How often an archive was downloaded from here. */
  downloads(name: string, version: string): number;
  /** Of one file, as `Cargo.lock` states it. */
  checksum(name: string, version: string): string;
}

/** Index, files and web API on one origin; names are found in searches by a part of them. */
export async function startCargoRegistry(): Promise<FakeCargoRegistry> {
  const upstream = await startFakeUpstream();
  const crates = new Map<string, ReturnType<typeof sampleCrate>>();
  const json = (value: unknown) => ({
    body: JSON.stringify(value),
    headers: { "content-type": "application/json" },
  });
  upstream.answer("/config.json", json({ dl: `${upstream.url}dl`, api: upstream.url.replace(/\/$/, "") }));
  upstream.answer(/^\/api\/v1\/crates\?/, ({ target }) => {
    const text = new URLSearchParams(target.slice(target.indexOf("?"))).get("q") ?? "";
    const found = [...crates.values()].filter(({ name }) => name.includes(text));
    return json({ crates: found.map(({ page }) => page["crate"]), meta: { total: found.length } });
  });
  // Cargo asks for what it takes for a typing error under its other spellings, too.
  upstream.answer(/^\/(?:[12]|3\/.|..\/..)\/[a-z0-9_-]+$/, ({ path, headers }) => {
    const crate = [...crates.values()].find((each) => `/${each.path}` === path);
    if (crate === undefined) return { status: 404 };
    const etag = `"${createHash("sha1").update(crate.indexFile).digest("hex")}"`;
    if (headers.get("if-none-match") === etag) return { status: 304, headers: { etag } };
    return { body: crate.indexFile, headers: { "content-type": "text/plain", etag } };
  });
  const downloadPath = (name: string, version: string) => `/dl/${name}/${version}/download`;
  return {
    upstream,
    publish({ name, releases }) {
      const versions = Object.entries(releases).map(([version, { publishedAt, ...release }]) => ({
        version,
        date: publishedAt ?? null,
        ...release,
      }));
      const crate = sampleCrate({ name, versions });
      crates.set(name, crate);
      upstream.answer(`/api/v1/crates/${name.toLowerCase()}`, json(crate.page));
      for (const [version, body] of crate.archives) {
        upstream.answer(downloadPath(name, version), {
          body,
          headers: { "content-type": "application/gzip" },
        });
      }
    },
    downloads: (name, version) => upstream.asked(downloadPath(name, version)).length,
    checksum(name, version) {
      const archive = crates.get(name)?.archives.get(version);
      if (archive === undefined) throw new Error(`${name} ${version} was never published`);
      return createHash("sha256").update(archive).digest("hex");
    },
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
}
