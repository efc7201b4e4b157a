/** A packument under the decisions made: what is offered, what its tags are, and what is said of the rest. */
import { permits } from "../../policy/types.ts";
import type { Release } from "../../policy/types.ts";
import type { Links, Material, UpstreamDocument } from "../ecosystem.ts";
import { asLayout, type Layout } from "./layout.ts";
import { tarballFolder } from "./name.ts";
import { repairTags } from "./tags.ts";
import { npmVersions } from "./version.ts";

/** All that the two forms of a packument, a manifest and the tags are written from. */
export interface View {
  readonly name: string;
  readonly document: UpstreamDocument;
  readonly layout: Layout;
  readonly releases: readonly Release[];
  /** By index into `releases`. */
  readonly offered: readonly boolean[];
  /** Newest first. */
  readonly withheld: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
  /** What stands before a file name in every tarball's address; null: links stay as upstream wrote them. */
  readonly tarballBase: string | null;
  /** Said in the document itself, and by the client when only withheld releases match; null: nothing is withheld. */
  readonly restriction: string | null;
  /** For npm's notice channel; null: not worth a line on every install. */
  readonly notice: string | null;
}

/** Null where the material has no packument (the package is unknown). */
export function viewOf(material: Material, links: Links): View | null {
  const document = material.documents.find((candidate) => candidate.key === "packument");
  const { reading } = material;
  if (document === undefined || reading === null) return null;
  const { name, releases } = reading.facts;
  const decisions = material.decisions(name);
  // No decisions, nothing offered: a gap never lets a release through.
  const offered = releases.map((release) => {
    const decision = decisions?.release(release.version) ?? null;
    return decision !== null && permits(decision);
  });
  const layout = asLayout(reading.layout);
  const versions = releases.filter((_, index) => offered[index]).map((release) => release.version);
  const withheld = releases.filter((_, index) => !offered[index]).map((release) => release.version).reverse();
  return {
    name,
    document,
    layout,
    releases,
    offered,
    withheld,
    tags: repairTags(layout.tags, versions, npmVersions),
    tarballBase: links.artifacts === "upstream" ? null : `${links.base}/${tarballFolder(name)}`,
    restriction: withheld.length === 0 ? null : material.notice(withheld),
    notice: noticeFor({ layout, withheld, offered: versions, say: material.notice }),
  };
}

/**
 * npm prints the header once for every packument that it fetches, so it is kept for what the user would stumble
 * over: nothing is offered, or the version that a bare `npm install` expects is not.
 */
function noticeFor(
  options: {
    readonly layout: Layout;
    readonly withheld: readonly string[];
    readonly offered: readonly string[];
    readonly say: (withheld: readonly string[]) => string;
  },
): string | null {
  if (options.withheld.length === 0) return null;
  if (options.offered.length === 0) return options.say(options.withheld);
  const latest = options.layout.tags.find(([tag]) => tag === "latest")?.[1];
  return latest !== undefined && options.withheld.includes(latest) ? options.say([latest]) : null;
}
