/** The one list of files that every form of a simple page is made of. */
import { type Artifact, permits } from "../../policy/types.ts";
import type { Links, Material, UpstreamDocument } from "../ecosystem.ts";
import { isRecord, type Page, readPage } from "./page.ts";
import { filePath, provenancePath } from "./paths.ts";
import { versionKey } from "./version.ts";

export interface Offered {
  readonly page: Page;
  /** Entries as in JSON, in upstream's order, with our links; all that upstream says beside stays. */
  readonly files: readonly Readonly<Record<string, unknown>>[];
  readonly versions: readonly string[];
  readonly withheld: number;
}

export interface OfferOptions {
  readonly name: string;
  readonly material: Material;
  readonly links: Links;
  /** Leads from the page's own address to the mount: `../../`. */
  readonly up: string;
}

/** null: there is no page to make it of. */
export function offer(options: OfferOptions): Offered | null {
  const { name, material } = options;
  const document = material.documents.find(({ key }) => key === "simple");
  const decisions = material.decisions(name);
  if (document === undefined || material.reading === null || decisions === null) return null;
  const page = pageOf(name, document);
  const known = knownFiles(material);
  const files: Readonly<Record<string, unknown>>[] = [];
  const keys = new Set<string>();
  let withheld = 0;
  for (const { filename, entry } of page.files) {
    const decision = decisions.artifact(filename);
    const found = known.get(filename);
    // What the facts do not hold could not be decided on: it is not there.
    if (decision === null || found === undefined) continue;
    if (!permits(decision)) {
      withheld++;
      continue;
    }
    keys.add(versionKey(found.version));
    files.push(entryOf(options, entry, found));
  }
  const listed = page.versions ?? material.reading.facts.releases.map(({ version }) => version);
  const versions = listed.filter((version) => keys.has(versionKey(version)));
  return { page, files, versions: [...new Set(versions)], withheld };
}

function pageOf(name: string, document: UpstreamDocument): Page {
  const reader = readPage(name, document);
  for (;;) {
    const { done, value } = reader.next();
    if (done) return value;
  }
}

interface Known {
  readonly version: string;
  readonly artifact: Artifact;
}

function knownFiles(material: Material): ReadonlyMap<string, Known> {
  const releases = material.reading?.facts.releases ?? [];
  return new Map(
    releases.flatMap(({ version, artifacts }) =>
      artifacts.map((artifact) => [artifact.filename, { version, artifact }] as const)
    ),
  );
}

/** Upstream's entry with our links, and with what another document says where this one says nothing. */
function entryOf(
  options: OfferOptions,
  entry: Readonly<Record<string, unknown>>,
  { version, artifact }: Known,
): Readonly<Record<string, unknown>> {
  const { name, links, up } = options;
  const { filename, publishedAt, sizeBytes, digests } = artifact;
  const url = links.artifacts === "upstream" && artifact.url !== null
    ? artifact.url
    : up + filePath(name, filename);
  const made: Record<string, unknown> = { ...entry, filename, url };
  if (!isRecord(entry.hashes) || Object.keys(entry.hashes).length === 0) {
    made.hashes = Object.fromEntries(digests.map(({ algorithm, hex }) => [algorithm, hex]));
  }
  if (typeof entry["upload-time"] !== "string" && publishedAt.known) {
    made["upload-time"] = new Date(publishedAt.value.at).toISOString();
  }
  if (typeof entry.size !== "number" && sizeBytes !== null) made.size = sizeBytes;
  if (artifact.yanked.known && artifact.yanked.value && !entry.yanked) made.yanked = true;
  if (typeof entry.provenance === "string" && entry.provenance !== "") {
    made.provenance = `${links.base}/${provenancePath(name, version, filename)}`;
  }
  return made;
}
