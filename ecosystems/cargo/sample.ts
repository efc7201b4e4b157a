/** For the contract suite: crates as an upstream has them, and as clients ask for them. */
import type {
  EcosystemSample,
  SampleAnswer,
  SampleAsk,
  SampleOffer,
  SamplePackage,
} from "../../tests/contract/sample.ts";
import { crateFilename, indexPath } from "./name.ts";
import { sampleCrate } from "./testing.ts";

/** Where this sample's upstream has its files: markers are exercised by one sample, their absence by the other. */
interface Layout {
  readonly title: string;
  /** After upstream's root. */
  readonly dl: string;
  readonly file: (name: string, version: string) => string;
}

const LAYOUTS: readonly Layout[] = [
  {
    title: "cargo",
    dl: "dl/crates",
    file: (name, version) => `/dl/crates/${name}/${version}/download`,
  },
  {
    title: "cargo, dl with markers",
    dl: "files/{prefix}/{crate}/{crate}-{version}.crate",
    file: (name, version) =>
      `/files/${indexPath(name).slice(0, -name.length - 1)}/${name}/${name}-${version}.crate`,
  },
];

export const samples: readonly EcosystemSample[] = LAYOUTS.map(sampleOf);

function sampleOf(layout: Layout): EcosystemSample {
  return {
    ecosystem: "cargo",
    title: layout.title,
    marks: { undated: true, yanked: true, deprecated: false, trust: false },
    stable: ["1.0.0", "1.1.0", "1.2.0+build.7", "1.10.0", "1.10.1"],
    prerelease: "1.11.0-beta.2",
    ascending: [
      "not-a-version",
      "0.0.0-0",
      "0.0.1-alpha",
      "0.0.1",
      "0.1.0+20130313144700",
      "0.10.0",
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta.2+exp.sha.5114f85",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0+a",
      "1.2.0",
      "1.10.0",
      "2.0.0-0",
      "2.0.0",
      "10.0.0",
      "300.0.0+3.0.0",
    ],
    names: ["sample-plain", "marked_sample", "constructor", "a", "ab", "a-c", "__proto__", "_0-_"],
    publish: (packages, root) => publish(packages, root, layout),
    asks: (packages) => [...packages.flatMap(asksOf), ...SERVICES],
    offers,
  };
}

function publish(packages: readonly SamplePackage[], root: string, layout: Layout): readonly SampleAnswer[] {
  const crates = packages.map(({ name, releases }) =>
    sampleCrate({
      name,
      versions: releases.map(({ version, publishedAt, yanked = false }) => ({
        version,
        date: publishedAt,
        yanked,
      })),
    })
  );
  return [
    json("/config.json", { dl: root + layout.dl, api: root }),
    json("/api/v1/crates?q=sample&per_page=10", {
      crates: crates.map(({ page }) => page["crate"]),
      meta: { total: crates.length },
    }),
    ...crates.flatMap((crate): readonly SampleAnswer[] => {
      const page = `/api/v1/crates/${crate.name}`;
      return [
        {
          target: `/${crate.path}`,
          contentType: "text/plain",
          body: new TextEncoder().encode(crate.indexFile),
        },
        json(page, crate.page),
        ...crate.page.versions.map((version) =>
          json(`${page}/${version["num"]}/dependencies`, {
            dependencies: [{ of: `${crate.name} ${version["num"]}` }],
          })
        ),
        ...[...crate.archives].map(([version, body]) => ({
          target: layout.file(crate.name, version),
          contentType: "application/gzip",
          body,
          file: { package: crate.name, version, filename: crateFilename(crate.name, version) },
        })),
      ];
    }),
  ];
}

function json(target: string, value: unknown): SampleAnswer {
  return { target, contentType: "application/json", body: new TextEncoder().encode(JSON.stringify(value)) };
}

type Given = Pick<SampleAsk, "title" | "kind" | "path"> & Partial<SampleAsk>;

function asked(given: Given): SampleAsk {
  return {
    method: "GET",
    headers: { accept: "*/*" },
    package: null,
    version: null,
    filename: null,
    complete: false,
    ...given,
  };
}

function asksOf({ name, releases }: SamplePackage): readonly SampleAsk[] {
  const api = `api/v1/crates/${name}`;
  return [
    asked({
      title: "index file",
      kind: "index",
      path: indexPath(name),
      headers: { accept: "text/plain", "cargo-protocol": "version=1" },
      package: name,
      complete: true,
    }),
    asked({ title: "crate page", kind: "index", path: api, package: name, complete: true }),
    asked({ title: "versions page", kind: "index", path: `${api}/versions`, package: name, complete: true }),
    ...releases.flatMap(({ version }) => {
      const filename = crateFilename(name, version);
      const of = { package: name, version } as const;
      return [
        asked({ title: "version page", kind: "version", path: `${api}/${version}`, ...of }),
        asked({ title: "dependencies", kind: "sidecar", path: `${api}/${version}/dependencies`, ...of }),
        asked({ title: "file", kind: "artifact", path: `${api}/${version}/download`, filename, ...of }),
      ];
    }),
    asked({ title: "yank", kind: "publish", method: "DELETE", path: `${api}/1.0.0/yank`, package: name }),
    asked({ title: "unyank", kind: "publish", method: "PUT", path: `${api}/1.0.0/unyank`, package: name }),
    asked({
      title: "owners",
      kind: "publish",
      method: "PUT",
      path: `${api}/owners`,
      body: "{}",
      package: name,
    }),
  ];
}

const SERVICES: readonly SampleAsk[] = [
  asked({ title: "config", kind: "local", path: "config.json" }),
  asked({ title: "search", kind: "catalogue", path: "api/v1/crates?q=sample&per_page=10" }),
  asked({ title: "publish", kind: "publish", method: "PUT", path: "api/v1/crates/new", body: "{}" }),
];

interface Entry {
  readonly crate: string;
  readonly num: string;
  readonly yanked: boolean;
  readonly dl_path: string;
}

/** What Cargo would choose: never what is yanked. */
function offers(ask: SampleAsk, body: string, mount: string): readonly SampleOffer[] {
  if (ask.kind === "catalogue") return searchOffers(body);
  if (ask.kind === "version") return [entryOffer(JSON.parse(body).version, mount)];
  if (ask.kind !== "index") return [];
  if (ask.path.startsWith("api/")) {
    const { versions } = JSON.parse(body) as { readonly versions: readonly Entry[] };
    return versions.filter(({ yanked }) => !yanked).map((entry) => entryOffer(entry, mount));
  }
  const lines = body.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return lines.filter(({ yanked }) => !yanked).map(({ name, vers }) =>
    offer(name, vers, `${mount}/api/v1/crates/${name}/${vers}/download`)
  );
}

function entryOffer({ crate, num, dl_path }: Entry, mount: string): SampleOffer {
  return offer(crate, num, new URL(dl_path, mount).href);
}

function offer(name: string, version: string, url: string): SampleOffer {
  return { package: name, version, url, filename: crateFilename(name, version) };
}

function searchOffers(body: string): readonly SampleOffer[] {
  const { crates } = JSON.parse(body) as {
    readonly crates: readonly { readonly name: string; readonly max_version: string }[];
  };
  return crates.filter(({ max_version }) => max_version !== "*").map(({ name, max_version }) => ({
    package: name,
    version: max_version,
    url: null,
    filename: null,
  }));
}
