/** For the contract suite: npm's packages as an upstream has them, and as clients ask for them. */
import type {
  EcosystemSample,
  SampleAnswer,
  SampleAsk,
  SampleOffer,
  SamplePackage,
} from "../../tests/contract/sample.ts";
import { ABBREVIATED_TYPE } from "./accept.ts";
import { packumentPath, standardFilename } from "./name.ts";
import { samplePackage } from "./testing.ts";

const npmSample: EcosystemSample = {
  ecosystem: "npm",
  title: "npm",
  marks: { undated: true, yanked: false, deprecated: true, trust: true },
  stable: ["1.0.0", "1.1.0", "1.2.0", "1.10.0", "1.10.1"],
  prerelease: "1.11.0-beta.2",
  ascending: [
    "not-a-version",
    "0.0.0-0",
    "0.0.1-alpha",
    "0.0.1",
    "0.10.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.2.0",
    "1.10.0",
    "2.0.0-0",
    "v2.0.0",
    "10.0.0",
  ],
  names: ["sample-plain", "marked-sample", "@Acme/sample.js", "JSONStream", "constructor", "a~'!()*", "@_/-"],
  publish: (packages, root) => [...packages.flatMap((pack) => published(pack, root)), ...services(packages)],
  asks: (packages) => [...packages.flatMap(asksOf), ...SERVICES],
  offers,
};

export const samples: readonly EcosystemSample[] = [npmSample];

function published(pack: SamplePackage, root: string): readonly SampleAnswer[] {
  const { name, releases } = pack;
  const sample = samplePackage({
    name,
    registry: root,
    tags: { latest: releases.at(-1)!.version, oldest: releases[0]!.version },
    versions: releases.map(({ version, publishedAt, deprecated, trust }) => ({
      version,
      date: publishedAt,
      ...(deprecated === true ? { deprecated: "use something else" } : {}),
      ...(trust === undefined ? {} : { trust }),
    })),
  });
  const versionOf = new Map(releases.map(({ version }) => [standardFilename(name, version), version]));
  return [
    { target: `/${sample.path}`, contentType: "application/json", body: sample.json },
    ...[...sample.files].map(([path, body]) => {
      const filename = path.slice(path.lastIndexOf("/") + 1);
      const file = { package: name, version: versionOf.get(filename)!, filename };
      return { target: `/${path}`, contentType: "application/octet-stream", body, file };
    }),
    ...releases.map(({ version }) => {
      const target = `/-/npm/v1/attestations/${sample.path}@${version}`;
      return json(target, { attestations: [{ predicateType: "sample", of: `${name}@${version}` }] });
    }),
  ];
}

function services(packages: readonly SamplePackage[]): readonly SampleAnswer[] {
  const objects = packages.map(({ name, releases }) => {
    const newest = releases.at(-1)!;
    return { package: { name, version: newest.version, date: newest.publishedAt }, score: { final: 1 } };
  });
  return [
    json("/-/v1/search?size=20&text=sample", { objects, total: objects.length, time: "now" }),
    json("/-/npm/v1/keys", { keys: [] }),
    { ...json("/-/npm/v1/security/advisories/bulk", {}), method: "POST" },
    { ...json("/-/npm/v1/security/audits/quick", { advisories: {} }), method: "POST" },
  ];
}

function json(target: string, value: unknown): SampleAnswer {
  return { target, contentType: "application/json", body: new TextEncoder().encode(JSON.stringify(value)) };
}

type Given = Pick<SampleAsk, "title" | "kind" | "path"> & Partial<SampleAsk>;

function asked(given: Given): SampleAsk {
  return {
    method: "GET",
    headers: { accept: "application/json" },
    package: null,
    version: null,
    filename: null,
    complete: false,
    ...given,
  };
}

function asksOf({ name, releases }: SamplePackage): readonly SampleAsk[] {
  const path = packumentPath(name);
  const abbreviated = { accept: `${ABBREVIATED_TYPE}; q=1.0, application/json; q=0.8, */*` };
  const index = (title: string, given: Partial<SampleAsk>) =>
    asked({ title: `index ${title}`, kind: "index", path, package: name, complete: true, ...given });
  const tag = (version: string) =>
    asked({ title: `tag ${version}`, kind: "version", path: `${path}/${version}`, package: name });
  return [
    index("full", {}),
    index("abbreviated", { headers: abbreviated }),
    index("full, spelled out", { path: name }),
    index("dist-tags", { path: `-/package/${path}/dist-tags`, complete: false }),
    tag("latest"),
    tag("oldest"),
    ...releases.flatMap(({ version }) => {
      const filename = standardFilename(name, version);
      return [
        asked({ title: "version", kind: "version", path: `${path}/${version}`, package: name, version }),
        asked({
          title: "file",
          kind: "artifact",
          path: `${name}/-/${filename}`,
          package: name,
          version,
          filename,
        }),
        asked({
          title: "attestations",
          kind: "sidecar",
          path: `-/npm/v1/attestations/${path}@${version}`,
          package: name,
          version,
        }),
      ];
    }),
    asked({ title: "publish", kind: "publish", method: "PUT", path, body: "{}", package: name }),
    asked({ title: "unpublish", kind: "publish", method: "DELETE", path: `${path}/-rev/1`, package: name }),
  ];
}

const SERVICES: readonly SampleAsk[] = [
  asked({ title: "ping", kind: "local", path: "-/ping" }),
  asked({ title: "whoami", kind: "local", path: "-/whoami" }),
  asked({ title: "keys", kind: "forward", path: "-/npm/v1/keys" }),
  asked({
    title: "bulk audit",
    kind: "forward",
    method: "POST",
    path: "-/npm/v1/security/advisories/bulk",
    body: JSON.stringify({ "sample-plain": ["1.0.0"] }),
  }),
  asked({
    title: "quick audit",
    kind: "forward",
    method: "POST",
    path: "-/npm/v1/security/audits/quick",
    body: JSON.stringify({ name: "x", version: "1.0.0", requires: {}, dependencies: {} }),
  }),
  asked({ title: "search", kind: "catalogue", path: "-/v1/search?text=sample&size=20" }),
];

function offers(ask: SampleAsk, body: string): readonly SampleOffer[] {
  const document = JSON.parse(body);
  if (ask.kind === "catalogue") return searchOffers(document);
  if (ask.kind === "version") return [offerOf(document)];
  if (ask.kind !== "index") return [];
  if (!ask.complete) {
    return Object.values<string>(document).map((version) => ({
      package: ask.package!,
      version,
      url: null,
      filename: null,
    }));
  }
  return Object.values<Manifest>(document.versions).map(offerOf);
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dist: { readonly tarball: string };
}

function offerOf({ name, version, dist }: Manifest): SampleOffer {
  const url = dist.tarball;
  return { package: name, version, url, filename: decodeURIComponent(url.slice(url.lastIndexOf("/") + 1)) };
}

function searchOffers(
  document: { readonly objects: readonly { readonly package: Partial<Manifest> }[] },
): readonly SampleOffer[] {
  return document.objects.flatMap(({ package: { name, version } }) =>
    name === undefined || version === undefined ? [] : [{ package: name, version, url: null, filename: null }]
  );
}
