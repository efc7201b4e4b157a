/** For the contract suite: PyPI's projects as an upstream has them, in JSON and in HTML, and as clients ask for them. */
import type {
  EcosystemSample,
  SampleAnswer,
  SampleAsk,
  SampleOffer,
  SamplePackage,
} from "../../tests/contract/sample.ts";
import { MEDIA_TYPES } from "./accept.ts";
import { readTags } from "./html.ts";
import { sampleFilename, type SampleProject, sampleProject } from "./testing.ts";

const COMMON = {
  ecosystem: "pypi",
  stable: ["1.0.0", "1.1.0", "1.2.0", "1.10.0", "1.10.1"],
  prerelease: "1.11.0b2",
  ascending: [
    "2004d",
    "not-a-version",
    "0.dev1",
    "0.0.1a1",
    "0.0.1",
    "0.10",
    "1.dev0",
    "1.0.dev456",
    "1.0a1",
    "1.0a2.dev456",
    "1.0a12.dev456",
    "1.0a12",
    "1.0b1.dev456",
    "1.0b2",
    "1.0b2.post345.dev456",
    "1.0b2.post345",
    "1.0rc1.dev456",
    "1.0-c1",
    "1.0",
    "1.0+abc.5",
    "1.0+abc.7",
    "1.0+5",
    "1.0.post456.dev34",
    "v1.0-456",
    "1.0.15",
    "1.1.dev1",
    "1.10",
    "2026.1",
    "1!0.1",
    "1!2.0",
    "2!0",
  ],
  names: [
    "sample-plain",
    "marked-sample",
    "simple",
    "packages",
    "pypi",
    "json",
    "integrity",
    "constructor",
    "a-b-c",
    "0",
  ],
} as const;

const jsonSample: EcosystemSample = {
  ...COMMON,
  title: "pypi",
  marks: { undated: true, yanked: true, deprecated: false, trust: true },
  publish: (
    packages,
    root,
  ) => [...packages.flatMap((pack) => published(pack, root, "json")), list(packages, "json")],
  asks: (packages) => [...packages.flatMap(asksOf), ...attestations(packages), ...SERVICES],
  offers,
};

/** An upstream that knows of no JSON page: half of its dates are in its anchors, all in the legacy JSON. */
const htmlSample: EcosystemSample = {
  ...COMMON,
  title: "pypi, HTML only",
  marks: { undated: true, yanked: true, deprecated: false, trust: false },
  publish: (
    packages,
    root,
  ) => [...packages.flatMap((pack) => published(pack, root, "html")), list(packages, "html")],
  asks: (packages) => [...packages.flatMap(asksOf), ...SERVICES],
  offers,
};

export const samples: readonly EcosystemSample[] = [jsonSample, htmlSample];

/** One project has sdists beside its wheels. */
function kindsOf(name: string): readonly ("wheel" | "sdist")[] {
  return name === COMMON.names[0] ? ["wheel", "sdist"] : ["wheel"];
}

function projectOf({ name, releases }: SamplePackage, root: string): SampleProject {
  return sampleProject({
    name,
    root,
    datesInHtml: name.length % 2 === 0,
    releases: releases.map(({ version, publishedAt, yanked, trust }) => ({
      version,
      date: publishedAt,
      kinds: kindsOf(name),
      requiresPython: ">=3.8, <9",
      ...(yanked === true ? { yanked: 'broken <b> & "bad"' } : {}),
      ...(trust === undefined ? {} : { trust }),
    })),
  });
}

function published(pack: SamplePackage, root: string, form: "json" | "html"): readonly SampleAnswer[] {
  const { name } = pack;
  const project = projectOf(pack, root);
  return [
    form === "json"
      ? { target: `/simple/${name}/`, contentType: MEDIA_TYPES.json, body: project.json }
      : { target: `/simple/${name}/`, contentType: "text/html; charset=utf-8", body: project.html },
    { target: `/pypi/${name}/json`, contentType: "application/json", body: project.legacy },
    ...[...project.legacyReleases].map(([version, body]) => ({
      target: `/pypi/${name}/${version}/json`,
      contentType: "application/json",
      body,
    })),
    ...project.files.flatMap(({ path, bytes, metadata, filename, version }) => [
      {
        target: `/${path}`,
        contentType: "application/octet-stream",
        body: bytes,
        file: { package: name, version, filename },
      },
      ...(metadata === null
        ? []
        : [{ target: `/${path}.metadata`, contentType: "text/plain", body: metadata }]),
      {
        target: `/integrity/${name}/${version}/${filename}/provenance`,
        contentType: "application/vnd.pypi.integrity.v1+json",
        body: new TextEncoder().encode(JSON.stringify({ attestation_bundles: [], version: 1 })),
      },
    ]),
  ];
}

function list(packages: readonly SamplePackage[], form: "json" | "html"): SampleAnswer {
  const names = packages.map(({ name }) => name);
  const text = form === "json"
    ? JSON.stringify({ meta: { "api-version": "1.1" }, projects: names.map((name) => ({ name })) })
    : names.map((name) => `<a href="/simple/${name}/">${name}</a>`).join("\n");
  const contentType = form === "json" ? MEDIA_TYPES.json : "text/html";
  return { target: "/simple/", contentType, body: new TextEncoder().encode(text) };
}

type Given = Pick<SampleAsk, "title" | "kind" | "path"> & Partial<SampleAsk>;

function asked(given: Given): SampleAsk {
  return {
    method: "GET",
    headers: {},
    package: null,
    version: null,
    filename: null,
    complete: false,
    ...given,
  };
}

const PIP_ACCEPT = `${MEDIA_TYPES.json}, ${MEDIA_TYPES.v1html}; q=0.1, text/html; q=0.01`;

function asksOf({ name, releases }: SamplePackage): readonly SampleAsk[] {
  const page = (title: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
    asked({ title: `index ${title}`, kind: "index", path, package: name, complete: true, headers });
  return [
    page("JSON", `simple/${name}/`, { accept: PIP_ACCEPT }),
    page("HTML", `simple/${name}/`),
    page("v1 HTML", `simple/${name}/?format=${encodeURIComponent(MEDIA_TYPES.v1html)}`),
    page("JSON by format", `simple/${name}/?format=${encodeURIComponent(MEDIA_TYPES.json)}`),
    // At the short address a project called `simple` gives way to the list.
    ...(name === "simple" ? [] : [
      page("short JSON", `${name}/`, { accept: PIP_ACCEPT }),
      page("short HTML", `${name}/`, { accept: "text/html" }),
    ]),
    asked({
      title: "project JSON",
      kind: "version",
      path: `pypi/${name}/json`,
      package: name,
      complete: false,
    }),
    asked({ title: "redirect", kind: "local", path: `simple/${name}` }),
    ...releases.flatMap(({ version }) => [
      asked({
        title: "release JSON",
        kind: "version",
        path: `pypi/${name}/${version}/json`,
        package: name,
        version,
      }),
      ...kindsOf(name).flatMap((kind) => {
        const filename = sampleFilename(name, version, kind);
        const about = { package: name, version, filename };
        return [
          asked({ title: kind, kind: "artifact", path: `packages/${name}/${filename}`, ...about }),
          asked({
            title: "metadata",
            kind: "sidecar",
            path: `packages/${name}/${filename}.metadata`,
            ...about,
          }),
        ];
      }),
    ]),
  ];
}

function attestations(packages: readonly SamplePackage[]): readonly SampleAsk[] {
  return packages.flatMap(({ name, releases }) =>
    releases.map(({ version }) => {
      const filename = sampleFilename(name, version, "wheel");
      const path = `integrity/${name}/${version}/${filename}/provenance`;
      return asked({ title: "provenance", kind: "sidecar", path, package: name, version, filename });
    })
  );
}

const SERVICES: readonly SampleAsk[] = [
  asked({ title: "list JSON", kind: "catalogue", path: "simple/", headers: { accept: PIP_ACCEPT } }),
  asked({ title: "list HTML", kind: "catalogue", path: "simple/" }),
  asked({ title: "list, short", kind: "catalogue", path: "" }),
  asked({ title: "upload", kind: "publish", method: "POST", path: "legacy/", body: "{}" }),
];

interface Listed {
  readonly filename: string;
  readonly url: string;
}

const ANCHORS: ReadonlySet<string> = new Set(["a"]);

function offers(ask: SampleAsk, body: string, mount: string): readonly SampleOffer[] {
  const name = ask.package;
  if (name === null || (ask.kind !== "index" && ask.kind !== "version")) return [];
  const page = `${mount}/${ask.path}`;
  if (ask.kind === "version") return projectOffers(name, JSON.parse(body));
  if (body.startsWith("{")) {
    const { files, versions } = JSON.parse(body) as { files: readonly Listed[]; versions: readonly string[] };
    return [
      ...files.map(({ url }) => offerOf(name, url, page)),
      ...versions.map((version) => ({ package: name, version, url: null, filename: null })),
    ];
  }
  return [...readTags(body, ANCHORS)].map((tag) => offerOf(name, tag.attributes.get("href")!, page));
}

function projectOffers(
  name: string,
  document: {
    readonly info: { readonly version: string };
    readonly releases?: Readonly<Record<string, readonly Listed[]>>;
    readonly urls: readonly Listed[];
  },
): readonly SampleOffer[] {
  const { info, releases = {}, urls } = document;
  return [
    { package: name, version: info.version, url: null, filename: null },
    ...Object.keys(releases).map((version) => ({ package: name, version, url: null, filename: null })),
    ...[urls, ...Object.values(releases)].flat().map(({ url }) => offerOf(name, url, url)),
  ];
}

function offerOf(name: string, url: string, page: string): SampleOffer {
  const absolute = new URL(url, page).href.replace(/#.*$/, "");
  const filename = decodeURIComponent(absolute.slice(absolute.lastIndexOf("/") + 1));
  const [, version = ""] = filename.replace(/\.tar\.gz$/, "").split("-");
  return { package: name, version, url: absolute, filename };
}
